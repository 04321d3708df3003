// SPDX-License-Identifier: BSD-3-Clause
// A differential equation by Runge and Kutta's rule: many steps of few numbers.
#include "../../gradbench/problems/chain.hpp"
#include "../limits/ad/ad.hpp"
#include "ad.hpp"
#include "ebb/autodiff/derivatives.hpp"

namespace bench {
namespace {

// Counts value and gradient.
Sides ode(std::int64_t n, std::int64_t steps) {
  ebb::Stream stream(6);
  const Doubles x = uniform({n}, stream, 0.5, 1.5);
  const problems::Chain chain(n, steps);
  const auto end = [=](const ebb::Tensor<double>& e) { return chain(e)[n - 1]; };
  auto g = std::make_shared<Room>(std::size_t(n + 4 * n * steps));
  const auto ours = [=] { return ebb::value_and_gradient(end, x); };
  const auto limit = [=] { return limits::ode(x.data(), g->data(), g->data() + n, n, steps); };
  const double value = limit();
  const auto found = ours();
  expect_equal("the end of the curve", found.value, &value);
  expect_equal("the gradient of the end of the curve", found.gradient, g->data());
  return {[=] { keep(ours()); }, [=] { keep(limit()); }};
}

}  // namespace

void add_ode(std::vector<Case>& cases) {
  // To keep this, the price of 80000 records of ten numbers, forward and back, would have to go.
  cases.push_back(versus("ad/ode/10_steps10000/f64", "us", 2, [] { return ode(10, 10000); }));
}

}  // namespace bench
