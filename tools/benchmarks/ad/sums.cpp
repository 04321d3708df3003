// SPDX-License-Identifier: BSD-3-Clause
// log(sum(e^x)), and linear least squares.
#include <cmath>

#include "../limits/ad/ad.hpp"
#include "ad.hpp"
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"

namespace bench {
namespace {

// Counts value and gradient.
Sides log_sum_exp(std::int64_t n) {
  ebb::Stream stream(1);
  const Doubles x = uniform({n}, stream, -10, 10);
  auto g = std::make_shared<Room>(std::size_t(n));
  const auto ours = [=] {
    return ebb::value_and_gradient([](const auto& e) { return logsumexp(e); }, x);
  };
  const auto limit = [=] { return limits::log_sum_exp(x.data(), g->data(), n); };
  const double value = limit();
  expect_equal("logsumexp", ours().value, &value);
  expect_equal("logsumexp's gradient", ours().gradient, g->data());
  return {[=] { keep(ours()); }, [=] { keep(limit()); }};
}

// A polynomial with m coefficients beside the sign of t, at n points t from -1 to 1. The powers of
// the points are given, as the table of a data set is. Counts value and gradient.
Sides least_squares(std::int64_t n, std::int64_t m) {
  ebb::Stream stream(2);
  const Doubles x = uniform({m}, stream);
  Doubles columns = Doubles::uninitialized({m, n}), s = Doubles::uninitialized({n});
  for (std::int64_t i = 0; i < n; ++i) {
    const double t = -1 + double(i) * 2 / double(n - 1);
    s.mutate()[i] = t < 0 ? -1 : 1;
    for (std::int64_t j = 0; j < m; ++j) columns.mutate()[j * n + i] = std::pow(t, double(j));
  }
  const Doubles powers = transpose(columns).array();
  auto g = std::make_shared<Room>(std::size_t(m));
  const auto ours = [=] {
    return ebb::value_and_gradient(
        [&](const auto& e) { return sum(square(s - matmul(powers, e))) / 2; }, x);
  };
  const auto limit = [=] {
    return limits::least_squares(columns.data(), s.data(), x.data(), g->data(), n, m);
  };
  const double value = limit();
  expect_equal("least squares", ours().value, &value);
  expect_equal("the gradient of least squares", ours().gradient, g->data());
  return {[=] { keep(ours()); }, [=] { keep(limit()); }};
}

}  // namespace

void add_sums(std::vector<Case>& cases) {
  cases.push_back(versus("ad/lse/40000/f64", "us", 0.5, [] { return log_sum_exp(40000); }));
  cases.push_back(
      versus("ad/llsq/2048x16/f64", "us", 1.25, [] { return least_squares(2048, 16); }));
}

}  // namespace bench
