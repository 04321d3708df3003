// SPDX-License-Identifier: BSD-3-Clause
// Long short-term memory with diagonal weights, one sequence, as ADBench has it.
#include "../limits/ad/ad.hpp"
#include "ad.hpp"
#include "ebb/autodiff/derivatives_of_many.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"

namespace bench {
namespace {

using ebb::Axes;
using Y = ebb::Tensor<double>;

constexpr auto next_cell = [](auto cell, auto x, auto h, auto wf, auto bf, auto wi, auto bi,
                              auto wg, auto bg) {
  return cell * sigmoid(x * wf + bf) + sigmoid(h * wi + bi) * tanh(h * wg + bg);
};
constexpr auto next_hidden = [](auto cell, auto x, auto wo, auto bo) {
  return sigmoid(x * wo + bo) * tanh(cell);
};

struct Lstm {
  std::int64_t layers, characters, bits;
  Doubles main, extra, state, sequence;

  Y operator()(const Y& parameters, const Y& ends) const {
    auto x = unbind(slice(sequence, 0, {0, characters - 1}) * ends[0]);
    for (std::int64_t k = 0; k < layers; ++k) {
      const auto w = split(parameters[2 * k], bits), b = split(parameters[2 * k + 1], bits);
      Y hidden = Y(state)[2 * k], cell = Y(state)[2 * k + 1];
      for (Y& at : x) {
        cell = fuse(next_cell, cell, at, hidden, w[0], b[0], w[1], b[1], w[3], b[3]);
        at = hidden = fuse(next_hidden, cell, at, w[2], b[2]);
      }
    }
    const auto y = ebb::stack(x) * ends[1] + ends[2];
    const auto next = slice(sequence, 0, {1, characters});
    return -mean(next * (y - log(2 + sum(exp(y), Axes{1}, true))));
  }
};

// Counts value and gradients.
Sides lstm(std::int64_t layers, std::int64_t characters) {
  constexpr std::int64_t bits = 14;
  ebb::Stream stream(5);
  Doubles sequence = uniform({characters, bits}, stream);
  for (std::int64_t i = 0; i < sequence.size(); ++i) {
    sequence.mutate()[i] = sequence.data()[i] > 0 ? 1 : 0;
  }
  const auto p = std::make_shared<Lstm>(
      Lstm{layers, characters, bits, uniform({2 * layers, 4 * bits}, stream),
           uniform({3, bits}, stream), uniform({2 * layers, bits}, stream), sequence});
  auto room = std::make_shared<Room>(
      std::size_t(p->main.size() + p->extra.size() + characters * (7 * layers + 1) * bits));
  double* const g = room->data();
  const limits::DiagonalLstm by_hand{layers,
                                     characters,
                                     bits,
                                     p->main.data(),
                                     p->extra.data(),
                                     p->state.data(),
                                     p->sequence.data(),
                                     g,
                                     g + p->main.size(),
                                     g + p->main.size() + p->extra.size()};
  const auto ours = [=] { return ebb::value_and_gradient(*p, p->main, p->extra); };
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
