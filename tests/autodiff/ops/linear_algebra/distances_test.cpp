// SPDX-License-Identifier: BSD-3-Clause
// Distances against plain loops in a higher precision, next to each other and at both ends of the
// range, and their gradients against those of norms of differences.
#include <cmath>
#include <limits>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const double nan_value = std::numeric_limits<double>::quiet_NaN();

template <class T>
Array<double> by_loop(const Array<T>& a, const Array<T>& b, double p) {
  const std::int64_t n = a.shape()[0], m = b.shape()[0], d = a.shape()[1];
  auto y = Array<double>::uninitialized({n, m});
  for (std::int64_t at = 0; at < n * m; ++at) {
    long double sum = 0, largest = 0;
    for (std::int64_t k = 0; k < d; ++k) {
      const long double size = std::abs((long double)(a(at / m, k)) - (long double)(b(at % m, k)));
      sum += std::pow(size, (long double)(p));
      largest = std::max(largest, size);
    }
    y.mutate()[at] = double(p == inf ? largest : std::pow(sum, 1 / (long double)(p)));
  }
  return y;
}

/// Distances as norms of all differences, which stand in memory.
template <class T>
Tensor<T> by_norms(const Tensor<T>& a, const Tensor<T>& b, double p) {
  return norm(unsqueeze(a, -2) - unsqueeze(b, -3), p, -1);
}

}  // namespace

TEST_SUITE("kernels") {

TEST_CASE_TEMPLATE("cdist agrees with a plain loop for any number of rows and columns", T, float,
                   double) {
  // Each difference is rounded, and their powers are added up by no more than 40 additions.
  const double tolerance = 45 * double(std::numeric_limits<T>::epsilon());
  for (const Shape& size : {Shape{1, 1}, Shape{3, 7}, Shape{4, 16}, Shape{9, 33}, Shape{5, 70},
                            Shape{0, 3}, Shape{2, 0}}) {
    const std::int64_t n = size[0], m = size[1];
    for (const int d : {1, 2, 4, 7, 33, 100, 0}) {
      CAPTURE(n);
      CAPTURE(m);
      CAPTURE(d);
      const auto a = cast<T>(op::spread({n, d}, 3)).array();
      const auto b = cast<T>(op::spread({m, d}, 2)).array();
      for (const double p : {1.0, 2.0, inf, 3.0, 0.5}) {
        CAPTURE(p);
        CHECK_AGREES(close(cdist(a, b, p).array(), by_loop(a, b, p), tolerance));
      }
    }
  }
}

TEST_CASE("the gradient of cdist is that of norms of differences, at both orders") {
  for (const Shape& size : {Shape{3, 7}, Shape{9, 33}, Shape{70, 5}}) {
    const std::int64_t n = size[0], m = size[1];
    for (const int d : {1, 3, 6, 18}) {
      CAPTURE(n);
      CAPTURE(m);
      CAPTURE(d);
      const auto a = op::spread({n, d}, 3), b = op::spread({m, d}, 2);
      for (const double p : {1.0, 2.0, inf, 2.5}) {
        CAPTURE(p);
        const auto weights = op::spread({n, m}, 1.5);
        const auto sums = [&](const auto& y) { return sum(y * weights) + sum(sin(y)); };
        const auto left = [&](const auto& x) { return sums(cdist(x, b, p)); };
        const auto right = [&](const auto& x) { return sums(cdist(a, x, p)); };
        const auto left_norms = [&](const auto& x) { return sums(by_norms<double>(x, b, p)); };
        const auto right_norms = [&](const auto& x) { return sums(by_norms<double>(a, x, p)); };
        // Sums of 70 terms of about 1.
        CHECK_AGREES(close(gradient(left, a), gradient(left_norms, a), 1e-13, 1e-13));
        CHECK_AGREES(close(gradient(right, b), gradient(right_norms, b), 1e-13, 1e-13));
        CHECK_AGREES(close(hvp(left, a, a), hvp(left_norms, a, a), 1e-12, 1e-12));
        CHECK_AGREES(close(hvp(right, b, b), hvp(right_norms, b, b), 1e-12, 1e-12));
      }
    }
  }
}

}  // TEST_SUITE("kernels")

TEST_SUITE("distances") {

TEST_CASE("cdist gives the distances of PyTorch's manual, and broadcasts batches") {
  const auto a = Array<double>::of({{0.9041, 0.0196}, {-0.3108, -2.4423}, {-0.4821, 1.0590}});
  const auto b = Array<double>::of({{-2.1763, -0.4713}, {-0.6986, 1.3702}});
  const auto expected = Array<double>::of({{3.1193, 2.0959}, {2.7138, 3.8322}, {2.2830, 0.3791}});
  CHECK_AGREES(close(cdist(a, b).array(), expected, 0, 1e-4));  // the digits that are printed
  const auto p = op::spread({2, 1, 3, 4}), q = op::spread({5, 2, 4});
  const auto y = cdist(p, q);
  REQUIRE(y.shape() == Shape{2, 5, 3, 2});
  CHECK_AGREES(close(y, by_norms<double>(p, q, 2), 1e-15));
  const auto six = Array<double>::ones({2, 1, 1, 3, 2, 2});
  const auto g = gradient(
      [&](const auto& x) {
        return sum(cdist(x, q.reshape({5, 4, 2}).leading(0, 1).reshape({4, 2})));
      },
      six);
  CHECK(g.shape() == six.shape());
}

TEST_CASE("rows that are near each other, far from 0, lose no digits") {
  const auto a = Array<double>::of({{1e15, 1e15}}), b = Array<double>::of({{1e15 + 3, 1e15 - 4}});
  CHECK(cdist(a, b).item() == 5);
  const auto c = Array<float>::of({{4096, 4096}, {4096 + 3.0F / 1024, 4096 + 4.0F / 1024}});
  CHECK(equal(cdist(c, c).array(), Array<float>::of({{0, 5.0F / 1024}, {5.0F / 1024, 0}})));
  const auto g = gradient([&](const auto& x) { return sum(cdist(x, b)); }, a).array();
  CHECK_AGREES(close(g, Array<double>::of({{-0.6, 0.8}}), 1e-15));
}

TEST_CASE("distances at both ends of the range, and of special values") {
  for (const double size : {1e-320, 1e-300, 1e-160, 1e160, 1e300}) {
    CAPTURE(size);
    const auto a = Array<double>::of({{0, 0}, {1, 2}}),
               b = Array<double>::of({{3 * size, 4 * size}});
    CHECK(std::abs(cdist(a, b).array()[0] / (5 * size) - 1) < (size < 1e-310 ? 1e-2 : 1e-15));
    const auto g = gradient([&](const auto& x) { return sum(slice(cdist(x, b), 0, {0, 1})); }, a);
    CHECK_AGREES(close(g.array().leading(0, 1), Array<double>::of({{-0.6, -0.8}}),
                       size < 1e-310 ? 1e-2 : 1e-15));
  }
  const auto tiny = Array<float>::of({{3e-30F, 4e-30F}}), huge = Array<float>::of({{3e30F, 4e30F}});
  CHECK(std::abs(cdist(tiny, Array<float>::zeros({1, 2})).item() / 5e-30F - 1) < 2e-7F);
  CHECK(std::abs(cdist(huge, Array<float>::zeros({1, 2})).item() / 5e30F - 1) < 2e-7F);
  const auto x = Array<double>::of({{1, nan_value}, {inf, 2}, {3, 4}});
  const auto zero = Array<double>::zeros({1, 2});
  for (const double p : {1.0, 2.0, 3.0, inf}) {
    CAPTURE(p);
    const auto y = cdist(x, zero, p).array();
    CHECK(std::isnan(y[0]));
    CHECK(y[1] == inf);
    CHECK(std::isfinite(y[2]));
    CHECK(std::isnan(cdist(Array<double>::of({{nan_value, 1}}), zero, p).item()));
    CHECK(
        std::isnan(cdist(Array<double>::of({{inf, 1}}), Array<double>::of({{inf, 1}}), p).item()));
  }
}

TEST_CASE("the Hessian at equal rows is 0 for these, and right for others") {
  const auto x = Array<double>::of({{1, 2}, {1, 2}, {4, 6}});
  const auto f = [&](const auto& v) { return sum(cdist(v, x)); };
  const auto h = hvp(f, x, op::spread({3, 2})).array();
  const auto expected =
      hvp([&](const auto& v) { return sum(by_norms<double>(v, x, 2)); }, x, op::spread({3, 2}));
  CHECK_AGREES(close(h, expected.array(), 1e-14, 1e-15));
}

TEST_CASE("points find places at given distances") {
  // A rectangle of 3 by 4, whose diagonals are 5.
  const auto wanted = Array<double>::of({{0, 3, 5, 4}, {3, 0, 4, 5}, {5, 4, 0, 3}, {4, 5, 3, 0}});
  auto x = Array<double>::of({{0, 0}, {1, 0.2}, {1.1, 1}, {-0.1, 1.2}});
  const auto loss = [&](const auto& v) { return sum(square(cdist(v, v) - wanted)); };
  for (int step = 0; step < 300; ++step) x = (x - gradient(loss, x) * 0.03).array();
  CHECK(loss(Tensor<double>(x)).item() < 1e-10);
}

}  // TEST_SUITE("distances")
