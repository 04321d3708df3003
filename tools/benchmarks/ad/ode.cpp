// SPDX-License-Identifier: BSD-3-Clause
// A differential equation by Runge and Kutta's rule: many steps of few numbers.
#include "../limits/ad/ad.hpp"
#include "ad.hpp"
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/ops.hpp"

namespace bench {
namespace {

using Y = ebb::Tensor<double>;

constexpr auto move = [](auto y, auto before, auto a, auto b, auto h) {
  return y + h * (a * before + b);
};
constexpr auto last = [](auto y, auto p, auto q, auto r, auto s, auto a, auto b, auto h) {
  return y + h / 6 * (a * (p + 2 * (q + r) + s) + 6 * b);
};

// The slope is a * (y, moved by one place) + b, where a lacks the first of x, and b has it alone.
// Counts value and gradient.
Sides ode(std::int64_t n, std::int64_t steps) {
  ebb::Stream stream(6);
  const Doubles x = uniform({n}, stream, 0.5, 1.5);
  ebb::Array<std::int64_t> places = ebb::Array<std::int64_t>::zeros({n});
  for (std::int64_t i = 1; i < n; ++i) places.mutate()[i] = i - 1;
  Doubles first = Doubles::zeros({n});
  first.mutate()[0] = 1;
  const double h = 2 / double(steps);
  const auto end = [=](const Y& e) {
    const auto b = e * first, a = e - b;
    Y y = Doubles::zeros({n});
    for (std::int64_t t = 0; t < steps; ++t) {
      const auto p = gather_rows(y, places);
      const auto q = gather_rows(fuse(move, y, p, a, b, h / 2), places);
      const auto r = gather_rows(fuse(move, y, q, a, b, h / 2), places);
      const auto s = gather_rows(fuse(move, y, r, a, b, h), places);
      y = fuse(last, y, p, q, r, s, a, b, h);
    }
    return y[n - 1];
  };
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
