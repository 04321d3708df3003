// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/minimize/vectors.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "ebb/tests/close.hpp"

using namespace ebb::optim::detail;
using ebb::test::close;

namespace {

Vector numbers(std::size_t n, double step) {
  Vector x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = std::sin(1 + step * double(i));
  return x;
}

}  // namespace

TEST_SUITE("vectors") {

TEST_CASE("products and sums of every length, alone and in one pass") {
  for (std::size_t n = 0; n < 35; ++n) {
    CAPTURE(n);
    const Vector a = numbers(n, 0.7), b = numbers(n, 1.3), c = numbers(n, 2.1);
    double product = 0;
    for (std::size_t i = 0; i < n; ++i) product += a[i] * b[i];
    CHECK_AGREES(close(dot(a, b), product, 1e-14, 1e-15));
    CHECK(dot(a.data(), b.data(), n) == dot(a, b));
    CHECK_AGREES(close(norm(a), std::sqrt(dot(a, a)), 1e-15));
    Vector y = a, same = a;
    const double along = add_and_dot(y, -0.3, b, c);
    add(same, -0.3, b);
    CHECK(y == same);
    CHECK(along == dot(same, c));
    Vector both(3, 9.0);
    set_sum(both, a, 2, b);
    CHECK(both == sum(a, 2, b));
    for (std::size_t i = 0; i < n; ++i) CHECK(both[i] == a[i] + 2 * b[i]);
    Change change{Vector(2, 1.0), {}};
    change.set(a, b, c, y);
    CHECK(change.s == sum(c, -1, a));
    CHECK(change.y == sum(y, -1, b));
    CHECK(change.ss == dot(change.s, change.s));
    CHECK(change.sy == dot(change.s, change.y));
    CHECK(change.yy == dot(change.y, change.y));
  }
}

TEST_CASE("what is not finite is seen wherever it is") {
  for (std::size_t n = 1; n < 20; ++n) {
    CHECK(is_finite(Vector(n, std::numeric_limits<double>::max())));
    for (std::size_t i = 0; i < n; ++i) {
      for (const double bad :
           {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
            -std::numeric_limits<double>::infinity()}) {
        Vector x(n, -1.0);
        x[i] = bad;
        CHECK(!is_finite(x));
      }
    }
  }
}

TEST_CASE("the length of what is too large or too small to be squared") {
  CHECK_AGREES(close(norm(Vector{3e200, 4e200}), 5e200, 1e-15));
  CHECK_AGREES(close(norm(Vector{3e-200, 4e-200}), 5e-200, 1e-15));
  CHECK(norm(Vector{0, 0}) == 0);
  CHECK(std::isinf(norm(Vector{1, -std::numeric_limits<double>::infinity()})));
  CHECK(std::isnan(norm(Vector{1, std::numeric_limits<double>::quiet_NaN()})));
}

}  // TEST_SUITE("vectors")
