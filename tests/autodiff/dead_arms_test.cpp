// SPDX-License-Identifier: BSD-3-Clause
// The argument of a choice that was not taken gets the gradient 0, even where what follows has an
// infinite slope; at both orders, in both types, and inside `fuse`.
#include <cmath>
#include <limits>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

/// Checks that the first and the second derivative of f are 0 at x.
template <class F>
void check_flat(const char* name, const F& f, double x) {
  CAPTURE(name);
  CHECK(gradient(f, Array<double>(x)).item() == 0);
  CHECK(gradient(f, Array<float>(float(x))).item() == 0);
  CHECK(hessian(f, Array<double>(x)).item() == 0);
}
#define CHECK_FLAT(x_at, ...) \
  check_flat(                 \
      #__VA_ARGS__, [](const auto& x) { return __VA_ARGS__; }, x_at)
#define CHECK_FLAT_FUSED(x_at, ...) CHECK_FLAT(x_at, fuse([](auto v) { return __VA_ARGS__; }, x))

/// Checks that the gradient of f is as expected.
template <class F>
void check_gradient(const F& f, const Array<double>& x, const Array<double>& expected) {
  CHECK_AGREES(close(gradient(f, x).array(), expected, 1e-15));
}

}  // namespace

TEST_SUITE("edge values") {

TEST_CASE("an argument that was not taken gets nothing of an infinite gradient") {
  CHECK_FLAT(-2, sqrt(maximum(x, 0.0)));
  CHECK_FLAT(-2, sqrt(maximum(0.0, x)));
  CHECK_FLAT(2, sqrt(0.0 - minimum(x, 0.0)));
  CHECK_FLAT(2, sqrt(0.0 - minimum(0.0, x)));
  CHECK_FLAT(-2, sqrt(relu(x)));
  CHECK_FLAT(-2, sqrt(clamp(x, 0, 9)));
  CHECK_FLAT(-2, sqrt(clamp_min(x, 0)));
  CHECK_FLAT(2, sqrt(0.0 - clamp_max(x, 0)));
  CHECK_FLAT(-2, sqrt(hardtanh(x, 0, 9)));
  CHECK_FLAT(-2, sqrt(relu6(x)));
  CHECK_FLAT(-5, sqrt(hardsigmoid(x)));
  CHECK_FLAT(-2, masked_fill(log(x), Array<bool>(true), 3));
  CHECK_FLAT(0, sqrt(abs(x)));
  CHECK_FLAT(-2, log(maximum(x, 0.0)));
  CHECK_FLAT(-2, 1.0 / maximum(x, 0.0));
  CHECK_FLAT(-2, rsqrt(maximum(x, 0.0)));
  CHECK_FLAT(-2, pow(maximum(x, 0.0), 0.5));
  CHECK_FLAT(0, sqrt(hypot(x, 0.0)));
  CHECK_FLAT(-2, sqrt(where(x > 0.0, x, 0.0)));
}

TEST_CASE("a formula that did not take its argument gets nothing of it, either") {
  CHECK_FLAT(-2, sqrt(fuse([](auto v) { return maximum(v, 0); }, x)));
  CHECK_FLAT(-2, log(fuse([](auto v) { return relu(v) * 2; }, x)));
  CHECK_FLAT(-2, rsqrt(fuse([](auto v) { return select(v > 0, v, 0); }, x)));
}

TEST_CASE("inside of a formula, too") {
  CHECK_FLAT_FUSED(-2, sqrt(maximum(v, 0)));
  CHECK_FLAT_FUSED(-2, sqrt(maximum(0, v)));
  CHECK_FLAT_FUSED(2, sqrt(0 - minimum(v, 0)));
  CHECK_FLAT_FUSED(-2, sqrt(relu(v)));
  CHECK_FLAT_FUSED(-2, sqrt(clamp(v, 0, 9)));
  CHECK_FLAT_FUSED(-2, sqrt(clamp_min(v, 0)));
  CHECK_FLAT_FUSED(2, sqrt(0 - clamp_max(v, 0)));
  CHECK_FLAT_FUSED(-2, sqrt(hardtanh(v, 0, 9)));
  CHECK_FLAT_FUSED(-2, sqrt(relu6(v)));
  CHECK_FLAT_FUSED(-5, sqrt(hardsigmoid(v)));
  CHECK_FLAT_FUSED(0, sqrt(abs(v)));
  CHECK_FLAT_FUSED(-2, log(maximum(v, 0)));
  CHECK_FLAT_FUSED(-2, 1 / maximum(v, 0));
  CHECK_FLAT_FUSED(-2, rsqrt(maximum(v, 0)));
  CHECK_FLAT_FUSED(-2, pow(maximum(v, 0), 0.5));
  CHECK_FLAT_FUSED(-2, sqrt(select(v > 0, v, 0)));
}

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
