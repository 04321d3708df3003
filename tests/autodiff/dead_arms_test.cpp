// SPDX-License-Identifier: BSD-3-Clause
// The argument of a choice that was not taken gets the gradient 0, even where what follows has an
// infinite slope.
#include <cmath>
#include <limits>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

/// Checks that the gradient of f is as expected.
template <class F>
void check_gradient(const F& f, const Array<double>& x, const Array<double>& expected) {
  CHECK_AGREES(close(gradient(f, x).array(), expected, 1e-15));
}

}  // namespace

TEST_SUITE("edge values") {

TEST_CASE("elements of a row that are not the largest get nothing") {
  const auto x = Array<double>::of({0, -1, -3});
  check_gradient([](const auto& v) { return sqrt(max(v)); }, x, Array<double>::of({inf, 0, 0}));
  check_gradient([](const auto& v) { return sum(sqrt(max(v, 0))); }, x,
                 Array<double>::of({inf, 0, 0}));
  check_gradient([](const auto& v) { return sqrt(min(0.0 - v)); }, x,
                 Array<double>::of({-inf, 0, 0}));
  const auto y = Array<double>::of({1, 0.5, -1});
  check_gradient([](const auto& v) { return sqrt(norm(v, INFINITY) - 1.0); }, y,
                 Array<double>::of({inf, 0, -inf}));
}

TEST_CASE("where a norm or a deviation has the slope 0, nothing goes back") {
  const auto zeros = Array<double>::zeros({2});
  for (const double p : {1.0, 2.0, 3.0, inf}) {
    CAPTURE(p);
    check_gradient([=](const auto& v) { return sqrt(norm(v, p)); }, zeros, zeros);
  }
  check_gradient([](const auto& v) { return sqrt(stddev(v)); }, Array<double>::of({7, 7}), zeros);
}

}  // TEST_SUITE("edge values")
