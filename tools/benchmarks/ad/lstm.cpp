// SPDX-License-Identifier: BSD-3-Clause
// Long short-term memory with diagonal weights, one sequence, as ADBench has it.
#include "../../gradbench/problems/lstm.hpp"
#include "../limits/ad/ad.hpp"
#include "ad.hpp"
#include "ebb/autodiff/derivatives_of_many.hpp"

namespace bench {
namespace {

// Counts value and gradients.
Sides lstm(std::int64_t layers, std::int64_t characters) {
  constexpr std::int64_t bits = 14;
  ebb::Stream stream(5);
  Doubles sequence = uniform({characters, bits}, stream);
  for (std::int64_t i = 0; i < sequence.size(); ++i) {
    sequence.mutate()[i] = sequence.data()[i] > 0 ? 1 : 0;
  }
  const Doubles main = uniform({2 * layers, 4 * bits}, stream), extra = uniform({3, bits}, stream);
  const problems::Lstm p{layers, characters, bits, uniform({2 * layers, bits}, stream), sequence};
  auto room = std::make_shared<Room>(
      std::size_t(main.size() + extra.size() + characters * (7 * layers + 1) * bits));
  double* const g = room->data();
  const limits::DiagonalLstm by_hand{
      layers,         characters,        bits, main.data(),     extra.data(),
      p.state.data(), p.sequence.data(), g,    g + main.size(), g + main.size() + extra.size()};
  const auto ours = [=] { return ebb::value_and_gradient(p, main, extra); };
  const auto limit = [by_hand, room] { return limits::diagonal_lstm(by_hand); };
  const double value = limit();
  const auto found = ours();
  expect_equal("the loss of the LSTM", found.value, &value);
  expect_equal("the gradient of the main parameters", found.gradients[0], by_hand.g_main);
  expect_equal("the gradient of the extra parameters", found.gradients[1], by_hand.g_extra);
  return {[=] { keep(ours()); }, [=] { keep(limit()); }};
}

}  // namespace

void add_lstm(std::vector<Case>& cases) {
  // To keep this, what a record of 14 numbers costs, not its arithmetic, would have to go.
  cases.push_back(versus("ad/lstm/l2_c1024/f64", "us", 0.3, [] { return lstm(2, 1024); }));
  cases.push_back(versus("ad/lstm/l6_c4096/f64", "us", 0.3, [] { return lstm(6, 4096); }));
}

}  // namespace bench
