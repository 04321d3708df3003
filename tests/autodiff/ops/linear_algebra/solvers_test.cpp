// SPDX-License-Identifier: BSD-3-Clause
// Equations, determinants and factors: values against residuals, singular matrices, and gradients
// where vectors have none.
#include "ebb/autodiff/ops/linear_algebra/solvers.hpp"
#include "ebb/autodiff/ops.hpp"

#include <cmath>
#include <limits>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const double nan_value = std::numeric_limits<double>::quiet_NaN();

/// A determinant by its first row, in long double.
long double expansion(const std::vector<std::vector<long double>>& a) {
  if (a.empty()) return 1;
  long double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    std::vector<std::vector<long double>> rest;
    for (std::size_t i = 1; i < a.size(); ++i) {
      rest.push_back(a[i]);
      rest.back().erase(rest.back().begin() + std::ptrdiff_t(j));
    }
    sum += (j % 2 ? -1 : 1) * a[0][j] * expansion(rest);
  }
  return sum;
}
double expansion(const Array<double>& a) {
  const std::int64_t n = a.shape()[0];
  std::vector<std::vector<long double>> rows(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) rows[std::size_t(i)].push_back(a(i, j));
  }
  return double(expansion(rows));
}

}  // namespace

TEST_SUITE("solvers") {

TEST_CASE("solutions and inverses have no residual") {
  const auto a = op::regular(30), b = op::spread({30, 4});
  CHECK_AGREES(close(matmul(a, solve(a, b)).array(), b, 1e-13, 1e-13));
  const auto v = op::spread({30});
  CHECK(solve(a, v).shape() == Shape{30});
  CHECK_AGREES(close(matmul(a, solve(a, v)).array(), v, 1e-13, 1e-13));
  const auto one = detail::identity<double>(30);
  CHECK_AGREES(close(matmul(a, inverse(a)).array(), one, 1e-13, 1e-13));
  CHECK_AGREES(close(matmul(inverse(a), a).array(), one, 1e-13, 1e-13));
  const auto upper = triu(a).array();
  CHECK_AGREES(
      close(matmul(upper, triangular_solve(a, v, {.upper = true})).array(), v, 1e-13, 1e-13));
  CHECK(std::isnan(
      solve(Array<double>::of({{1, nan_value}, {0, 1}}), Array<double>::of({1, 1})).array()[0]));
}

TEST_CASE("Cholesky's factor is of the symmetric part, and lower") {
  const auto a = op::regular(20);
  const auto l = cholesky(a);
  CHECK_AGREES(close(matmul(l, l, {.transpose_b = true}).array(),
                     ((Tensor<double>(a) + transpose(a)) * 0.5).array(), 1e-13, 1e-13));
  CHECK_AGREES(same_bits(tril(l).array(), l.array()));
  // Of a symmetric matrix the gradient is symmetric.
  const auto g = gradient([](const auto& x) { return sum(square(cholesky(x)) * op::regular(20)); },
                          (Tensor<double>(a) + transpose(a)).array())
                     .array();
  CHECK_AGREES(same_bits(g, transpose(g).array()));
}

TEST_CASE("determinants agree with an expansion, in size and sign") {
  for (const std::int64_t n : {0, 1, 2, 3, 4, 5}) {
    const auto a = op::spread({n, n}, 2);
    const double expected = expansion(a);
    CAPTURE(n);
    CHECK(std::abs(det(a).item() - expected) <= 1e-13 * (1 + std::abs(expected)));
    const auto y = slogdet(a);
    CHECK(y.sign.item() == (expected < 0 ? -1 : 1));
    CHECK(std::abs(y.logabsdet.item() - std::log(std::abs(expected))) <= 1e-13);
    const double log = logdet(a).item();
    CHECK((expected < 0 ? std::isnan(log) : log == y.logabsdet.item()));
  }
  // Beyond the range of numbers.
  auto large = Array<double>::zeros({300, 300});
  for (std::int64_t i = 0; i < 300; ++i) large.mutate()[i * 301] = i == 7 ? -1e3 : 1e3;
  CHECK(det(large).item() == -inf);
  CHECK(slogdet(large).sign.item() == -1);
  CHECK(std::abs(slogdet(large).logabsdet.item() - 300 * std::log(1e3)) <= 1e-10);
}

TEST_CASE("a singular matrix has the second derivatives of its determinant") {
  const auto f = [](const auto& x) { return det(x); };
  const auto check = [&](const Array<double>& a) {
    const std::int64_t n = a.shape()[0], size = n * n;
    const auto h = hessian(f, a).array();
    for (std::int64_t i = 0; i < size; ++i) {
      for (std::int64_t j = 0; j < size; ++j) {
        // The determinant is linear in each element: a second difference is the derivative.
        const auto at = [&](double first, double second) {
          auto moved = a;
          moved.mutate()[i] += first;
          moved.mutate()[j] += second;
          return expansion(moved);
        };
        const double expected = i == j ? 0 : (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / 4;
        CHECK(std::abs(h.data()[i * size + j] - expected) <= 1e-12);
      }
    }
    const auto v = op::spread({n, n});
    CHECK_AGREES(close(
        hvp(f, a, v).array(),
        reshape(matmul(reshape(h, {size, size}), reshape(v, {size})), {n, n}).array(), 0, 1e-12));
  };
  check(Array<double>::of({{1, 2, 0}, {2, 4, 0}, {3, 1, 5}}));
  check(Array<double>::of({{1, 2, 3}, {2, 4, 6}, {-1, -2, -3}}));
  check(Array<double>::of({{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}));
  check(Array<double>::of({{0, 0, 0, 0}, {1, 2, 3, 4}, {2, -1, 0, 1}, {0, 1, 1, -2}}));
  check(Array<double>::of({{1, 2}, {2, 4}}));
  check(Array<double>({1, 1}, {0}));
}

TEST_CASE("a singular matrix has a determinant of 0 and the gradient of its cofactors") {
  const auto check = [](const Array<double>& a) {
    CHECK(det(a).item() == 0);
    CHECK(slogdet(a).sign.item() == 0);
    CHECK(slogdet(a).logabsdet.item() == -inf);
    CHECK(logdet(a).item() == -inf);
    const auto g = gradient([](const auto& x) { return det(x); }, a).array();
    const std::int64_t n = a.shape()[0];
    const auto f = [](const auto& x) { return det(x); };
    const auto u = op::spread({n, n});
    CHECK(std::abs(jvp(f, a, u).item() - sum(Tensor<double>(g) * u).item()) <= 1e-12);
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        // The determinant is linear in each element: its slope is a difference.
        auto right = a, left = a;
        right.mutate()[i * n + j] += 1;
        left.mutate()[i * n + j] -= 1;
        CHECK(std::abs(g(i, j) - (expansion(right) - expansion(left)) / 2) <= 1e-12);
      }
    }
  };
  check(Array<double>::of({{1, 2, 0}, {2, 4, 0}, {3, 1, 5}}));
  check(Array<double>::of({{0, 0, 0}, {2, 4, 1}, {3, 1, 5}}));
  check(Array<double>::of({{0, 0}, {0, 0}}));
  check(Array<double>({1, 1}, {0}));
  const auto unknown = Array<double>::of({{0, nan_value}, {0, nan_value}});
  for (const double g : gradient([](const auto& x) { return det(x); }, unknown).array()) {
    CHECK(std::isnan(g));
  }
  const auto singular = Array<double>::of({{1, 2}, {2, 4}});
  const auto f = [](const auto& x) { return det(x); };
  CHECK(message_of<ArgumentError>(
            [&] { gradient([&](const auto& x) { return sum(hvp(f, x, singular)); }, singular); }) ==
        "det: the matrix is singular: pivot 1 of its LU factors is 0; it has two derivatives, but "
        "none beyond; a is (2, 2)");
  CHECK(message_of<ArgumentError>(
            [&] { gradient([](const auto& x) { return logdet(x); }, singular); }) ==
        "slogdet: the matrix is singular: pivot 1 of its LU factors is 0; the logarithm has "
        "no gradient there; a is (2, 2)");
}

}  // TEST_SUITE("solvers")
