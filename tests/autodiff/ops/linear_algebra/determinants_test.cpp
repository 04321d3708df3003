// SPDX-License-Identifier: BSD-3-Clause
// Determinants against expansions, with their derivatives where matrices are singular.
#include "ebb/autodiff/ops/linear_algebra/determinants.hpp"

#include <cmath>
#include <limits>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
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

TEST_SUITE("determinants") {

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
  CHECK(message_of<ArgumentError>(
            [&] { gradient([](const auto& x) { return logdet(x); }, singular); }) ==
        "slogdet: the matrix is singular: pivot 1 of its LU factors is 0; the logarithm has "
        "no gradient there; a is (2, 2)");
}

/// The second derivatives of the determinant of a 3 x 3 matrix: signed elements of it.
template <class T>
Array<double> second_derivatives(const Array<T>& a) {
  auto h = Array<double>::zeros({3, 3, 3, 3});
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (int k = 0; k < 3; ++k) {
        for (int l = 0; l < 3; ++l) {
          if (i == k || j == l) continue;
          const int sign = ((k - i + 3) % 3 == 1) == ((l - j + 3) % 3 == 1) ? 1 : -1;
          h.mutate()[27 * i + 9 * j + 3 * k + l] = sign * double(a(3 - i - k, 3 - j - l));
        }
      }
    }
  }
  return h;
}

template <class T>
void check_hessian(const Array<T>& a, double tolerance) {
  const auto h = hessian([](const auto& x) { return det(x); }, a);
  CHECK_AGREES(close(cast<double>(h).array(), second_derivatives(a), 0, tolerance));
}

TEST_CASE("second derivatives of a determinant are exact near singular matrices") {
  for (const double distance : {0.0, 1e-16, 1e-12, 1e-9, 1e-6, 1e-3, 1.0}) {
    CAPTURE(distance);
    const auto a = Array<double>::of({{-2 + distance, 1, 9}, {3, -1, -8}, {1, 0, 1}});
    check_hessian(a, 1e-13);
    check_hessian(cast<float>(a).array(), 1e-4);
  }
}

TEST_CASE("determinants have derivatives of every order at singular matrices") {
  const auto check = [](const Array<double>& a) {
    const std::int64_t n = a.shape()[0];
    const auto u = op::spread({n, n}), v = op::spread({n, n}, 2), w = op::regular(n);
    const auto f = [](const auto& x) { return det(x); };
    const auto second = [&](const auto& x) { return sum(hvp(f, x, u) * v); };
    const auto third = gradient(second, a);
    // The derivatives of a polynomial in three numbers, of at most degree 1 in each direction's
    // differences.
    const auto at = [&](double r, double s, double t) {
      return expansion((a + u * r + v * s + w * t).array());
    };
    double expected = 0;
    for (int bits = 0; bits < 8; ++bits) {
      const double r = bits & 1 ? 1 : -1, s = bits & 2 ? 1 : -1, t = bits & 4 ? 1 : -1;
      expected += r * s * t * at(r, s, t) / 8;
    }
    CHECK(std::abs(sum(third * w).item() - expected) <= 1e-11 * (1 + std::abs(expected)));
    // The fourth derivative of a determinant of three rows is 0.
    const auto of_third = [&](const auto& x) { return sum(gradient(second, x) * w); };
    const auto fourth = gradient(of_third, a).array();
    if (n <= 3) CHECK_AGREES(close(fourth, Array<double>::zeros({n, n}), 0, 1e-12));
  };
  check(Array<double>::of({{1, 2, 0}, {2, 4, 0}, {3, 1, 5}}));
  check(Array<double>::of({{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}));
  check(Array<double>::of({{-2, 1, 9}, {3, -1, -8}, {1, 0, 1}}));
  check(Array<double>::of({{1, 2}, {2, 4}}));
}

}  // TEST_SUITE("determinants")
