// SPDX-License-Identifier: BSD-3-Clause
// Elementwise operations through their kernels: values against the C library's long double, what
// they give at special arguments, and their slopes where a convention decides. Run again under each
// lower instruction set.
#include <cmath>
#include <functional>
#include <limits>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/formula_check.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const double nan_value = std::numeric_limits<double>::quiet_NaN();

/// n numbers from low to high, evenly.
template <class T>
Array<T> range(double low, double high, std::int64_t n = 3001) {
  auto x = Array<T>::uninitialized({n});
  T* v = x.mutate();
  for (std::int64_t i = 0; i < n; ++i) v[i] = T(low + (high - low) * double(i) / double(n - 1));
  return x;
}

/// f on a range against a formula in long double, to some ulp of either type.
template <class F, class Exact>
void check_range(const char* name, const F& f, const Exact& exact, double low, double high,
                 double ulps = 4) {
  CAPTURE(name);
  const auto check = [&]<class T>(T) {
    const auto x = range<T>(low, high);
    auto expected = Array<T>::uninitialized(x.shape());
    for (std::int64_t i = 0; i < x.size(); ++i) {
      expected.mutate()[i] = T(exact(static_cast<long double>(x[i])));
    }
    const double epsilon = double(std::numeric_limits<T>::epsilon());
    CHECK_AGREES(close(f(Tensor<T>(x)).array(), expected, ulps * epsilon,
                       double(std::numeric_limits<T>::min())));
  };
  check(0.0f);
  check(0.0);
}

/// The gradient of a function of one number, and of one of two numbers.
template <class F>
double slope(const F& f, double x) {
  return gradient(f, Array<double>(x)).item();
}
template <class F>
std::pair<double, double> slopes(const F& f, double a, double b) {
  Tape tape;
  const auto x = tape.watch(Array<double>(a)), y = tape.watch(Array<double>(b));
  const auto g = grad(f(x, y), {x, y});
  return {g[0].item(), g[1].item()};
}

}  // namespace

TEST_SUITE("kernels") {

#define CHECK_FUNCTION(f, ...) \
  check_range(                 \
      #f, [](auto x) { return f(x); }, [](long double x) { return std::f(x); }, __VA_ARGS__)

TEST_CASE("elementwise operations have the values of the C library") {
  CHECK_FUNCTION(exp2, -120, 120);
  CHECK_FUNCTION(log2, 0.01, 90);
  CHECK_FUNCTION(log10, 0.01, 90);
  CHECK_FUNCTION(tan, -40, 40);
  CHECK_FUNCTION(asin, -1, 1);
  CHECK_FUNCTION(acos, -1, 1);
  CHECK_FUNCTION(atan, -50, 50);
  CHECK_FUNCTION(sinh, -80, 80);
  CHECK_FUNCTION(cosh, -80, 80);
  CHECK_FUNCTION(asinh, -1e4, 1e4);
  CHECK_FUNCTION(acosh, 1, 1e4);
  CHECK_FUNCTION(atanh, -1, 1);
  CHECK_FUNCTION(erf, -5, 5);
  CHECK_FUNCTION(erfc, -5, 9);
  CHECK_FUNCTION(floor, -20, 20, 0);
  CHECK_FUNCTION(ceil, -20, 20, 0);
  check_range(
      "round", [](auto x) { return round(x); }, [](long double x) { return std::nearbyint(x); },
      -20, 20, 0);
  check_range(
      "reciprocal", [](auto x) { return reciprocal(x); }, [](long double x) { return 1 / x; }, -9,
      8, 1);
  check_range(
      "rsqrt", [](auto x) { return rsqrt(x); }, [](long double x) { return 1 / std::sqrt(x); },
      0.01, 90, 2);
  // Where the result is not next to 0.
  check_range(
      "logaddexp", [](auto x) { return logaddexp(x, 3.0); },
      [](long double x) { return std::max(x, 3.0L) + std::log1p(std::exp(-std::abs(x - 3.0L))); },
      -90, 90, 3);
  check_range(
      "xlogy", [](auto x) { return xlogy(x, 3.0); },
      [](long double x) { return x * std::log(3.0L); }, -9, 8, 2);
}

TEST_CASE("activations have the values of their definitions") {
  using L = long double;
  const auto sigmoid_of = [](L x) { return 1 / (1 + std::exp(-x)); };
  const auto elu_of = [](L x, L alpha) { return x > 0 ? x : alpha * std::expm1(x); };
  // Down to where double ends.
  check_range(
      "gelu", [](auto x) { return gelu(x); },
      [](L x) { return x / 2 * std::erfc(-x / std::sqrt(2.0L)); }, -37, 10);
  check_range(
      "gelu_tanh", [](auto x) { return gelu_tanh(x); },
      [&](L x) {
        return x * sigmoid_of(std::sqrt(8 / std::acos(-1.0L)) * (x + 0.044715L * x * x * x));
      },
      -20, 10);
  check_range(
      "silu", [](auto x) { return silu(x); }, [&](L x) { return x * sigmoid_of(x); }, -20, 20);
  check_range(
      "mish", [](auto x) { return mish(x); },
      [](L x) { return x * std::tanh(std::log1p(std::exp(x))); }, -20, 20);
  check_range(
      "elu", [](auto x) { return elu(x); }, [&](L x) { return elu_of(x, 1); }, -20, 20, 3);
  check_range(
      "elu(0.7)", [](auto x) { return elu(x, 0.7); }, [&](L x) { return elu_of(x, 0.7L); }, -20, 20,
      4);
  check_range(
      "selu", [](auto x) { return selu(x); },
      [&](L x) { return 1.0507009873554804934L * elu_of(x, 1.6732632423543772848L); }, -20, 20);
  check_range(
      "leaky_relu", [](auto x) { return leaky_relu(x); }, [](L x) { return x > 0 ? x : 0.01L * x; },
      -20, 20, 2);
  check_range(
      "hardtanh", [](auto x) { return hardtanh(x); },
      [](L x) { return x < -1  ? -1
                       : x > 1 ? 1
                               : x; }, -2, 2, 0);
}

TEST_CASE("activations of straight lines, and softsign, have the values of their definitions") {
  using L = long double;
  const auto limited = [](L x) { return std::min(std::max(x + 3, 0.0L), 6.0L) / 6; };
  check_range(
      "softsign", [](auto x) { return softsign(x); }, [](L x) { return x / (1 + std::abs(x)); },
      -1e4, 1e4, 2);
  check_range(
      "relu6", [](auto x) { return relu6(x); },
      [](L x) { return std::min(std::max(x, 0.0L), 6.0L); }, -2, 8, 0);
  check_range(
      "hardsigmoid", [](auto x) { return hardsigmoid(x); }, limited, -5, 5, 2);
  check_range(
      "hardswish", [](auto x) { return hardswish(x); }, [&](L x) { return x * limited(x); }, -5, 5,
      3);
  check_range(
      "clamp_min", [](auto x) { return clamp_min(x, 0.5); }, [](L x) { return std::max(x, 0.5L); },
      -2, 2, 0);
  check_range(
      "clamp_max", [](auto x) { return clamp_max(x, 0.5); }, [](L x) { return std::min(x, 0.5L); },
      -2, 2, 0);
}

TEST_CASE("equal arguments of logaddexp have slopes of 1/2 and the second derivatives of e^x") {
  const auto f = [](const auto& x) { return logaddexp(slice(x, 0, {0, 1}), slice(x, 0, {1, 2})); };
  const auto total = [&](const auto& x) { return sum(f(x)); };
  for (const double v : {-3.0, 0.0, 700.0}) {
    CAPTURE(v);
    const auto x = Array<double>::of({v, v});
    CHECK(equal(gradient(total, x).array(), Array<double>::of({0.5, 0.5})));
    CHECK(equal(hessian(total, x).array(), Array<double>({2, 2}, {0.25, -0.25, -0.25, 0.25})));
  }
  for (const double v : {-inf, inf}) {
    const auto x = Array<double>::of({v, v});
    CHECK(equal(gradient(total, x).array(), Array<double>::of({0.5, 0.5})));
    CHECK(equal(hessian(total, x).array(), Array<double>::zeros({2, 2})));
    const auto fused = [](const auto& a) {
      return fuse([](auto u) { return logaddexp(u, u); }, a);
    };
    CHECK(fused(Tensor<double>(v)).item() == v);
    CHECK(gradient(fused, Array<double>(v)).item() == 1);
  }
}

TEST_CASE("gelu_tanh is x or 0 far out, with slopes 1 or 0, where its cube overflows") {
  const auto f = [](const auto& x) { return sum(gelu_tanh(x)); };
  const auto x = Array<float>::of({-1e20f, -3e38f, 1e20f, 3e38f});
  CHECK(equal(gelu_tanh(x).array(), Array<float>::of({0, 0, 1e20f, 3e38f})));
  CHECK(equal(gradient(f, x).array(), Array<float>::of({0, 0, 1, 1})));
  CHECK(equal(hvp(f, x, Array<float>::full({4}, 1)).array(), Array<float>::zeros({4})));
  const auto y = Array<double>::of({-1e300, -29.9, 29.9, 1e300});
  CHECK(equal(gradient(f, y).array(), Array<double>::of({0, 0, 1, 1})));
}

TEST_CASE("activations of infinite numbers and of NaN, and their slopes at kinks") {
  for (const double big : {1e4, 1e300, inf}) {
    CAPTURE(big);
    const auto x = Array<double>::of({big, big});
    for (const auto& y : {gelu(x), gelu_tanh(x), silu(x), mish(x), elu(x), leaky_relu(x)}) {
      CHECK(y.array()[0] == big);
    }
    CHECK(elu(-x, 0.7).array()[0] == -0.7);
    CHECK(hardtanh(-x, -3, 2).array()[0] == -3);
    CHECK(leaky_relu(-x, 0.5).array()[0] == -0.5 * big);
  }
  for (const double big : {60.0, 1000.0, 1e300}) {
    CAPTURE(big);
    const Tensor<double> x(-big);
    for (const auto& y : {gelu(x), gelu_tanh(x)}) CHECK(std::abs(y.item()) <= 1e-300);
    for (const auto& y : {silu(x), mish(x)}) CHECK(std::abs(y.item()) <= 1e-20);
  }
  const Tensor<double> none(nan_value);
  for (const auto& y : {gelu(none), gelu_tanh(none), silu(none), mish(none), elu(none), selu(none),
                        leaky_relu(none), hardtanh(none), relu6(none), hardsigmoid(none),
                        hardswish(none), clamp_min(none, 0), clamp_max(none, 0), softsign(none)}) {
    CHECK(std::isnan(y.item()));
  }
  CHECK(slope([](auto x) { return leaky_relu(x, 0.3); }, 0) == 0.3);
  CHECK(slope([](auto x) { return elu(x, 0.7); }, 0) == 0.7);
  CHECK(slope([](auto x) { return hardtanh(x); }, 1) == 0);
  CHECK(slope([](auto x) { return hardtanh(x); }, -1) == 0);
  CHECK(slope([](auto x) { return silu(x); }, 0) == 0.5);
  CHECK(slope([](auto x) { return elu(x); }, 1000) == 1);
}

TEST_CASE("signs, roundings and reciprocals of special numbers") {
  const auto x = Array<double>::of({-inf, -2.5, -0.5, -0.0, 0.0, 0.5, 1.5, inf, nan_value});
  CHECK_AGREES(
      same_bits(sign(x).array(), Array<double>::of({-1, -1, -1, -0.0, 0, 1, 1, 1, nan_value})));
  CHECK_AGREES(same_bits(round(x).array(),
                         Array<double>::of({-inf, -2, -0.0, -0.0, 0, 0, 2, inf, nan_value})));
  CHECK_AGREES(same_bits(floor(x).array(),
                         Array<double>::of({-inf, -3, -1, -0.0, 0, 0, 1, inf, nan_value})));
  CHECK_AGREES(same_bits(ceil(x).array(),
                         Array<double>::of({-inf, -2, -0.0, -0.0, 0, 1, 2, inf, nan_value})));
  const auto ends = Array<double>::of({-0.0, 0.0, inf});
  CHECK_AGREES(same_bits(reciprocal(ends).array(), Array<double>::of({-inf, inf, 0})));
  CHECK_AGREES(same_bits(rsqrt(ends).array(), Array<double>::of({-inf, inf, 0})));
  CHECK(std::isnan(rsqrt(Tensor<double>(-1)).item()));
}

TEST_CASE("xlogy, hypot and atan2 at the edges of their domains") {
  const auto at = [](auto f, double a, double b) { return f(Tensor<double>(a), b).item(); };
  const auto xlog = [](auto a, auto b) { return xlogy(a, b); };
  CHECK(at(xlog, 0, 0) == 0);
  CHECK(at(xlog, 0, -3) == 0);
  CHECK(at(xlog, 0, inf) == 0);
  CHECK(std::isnan(at(xlog, 0, nan_value)));
  CHECK(std::isnan(at(xlog, nan_value, 1)));
  CHECK(std::isnan(at(xlog, 1, -1)));
  CHECK(at(xlog, 2, 0) == -inf);
  const auto norm = [](auto a, auto b) { return hypot(a, b); };
  CHECK(std::abs(at(norm, 3e200, 4e200) / 5e200 - 1) <= 1e-15);
  CHECK(std::abs(at(norm, 3e-200, -4e-200) / 5e-200 - 1) <= 1e-15);
  CHECK(at(norm, 0, 0) == 0);
  CHECK(at(norm, nan_value, -inf) == inf);
  CHECK(at(norm, inf, nan_value) == inf);
  CHECK(std::isnan(at(norm, nan_value, 1)));
  CHECK(atan2(0.0, Tensor<double>(-1)).item() == std::atan2(0.0, -1.0));
  CHECK(atan2(-0.0, Tensor<double>(-1)).item() == std::atan2(-0.0, -1.0));
}

TEST_CASE("slopes where a convention decides") {
  const std::pair<double, double> none{0, 0};
  CHECK(slopes([](auto a, auto b) { return hypot(a, b); }, 0, 0) == none);
  CHECK(slopes([](auto a, auto b) { return atan2(a, b); }, 0, 0) == none);
  CHECK(slopes([](auto a, auto b) { return xlogy(a, b); }, 0, 0) == none);
  CHECK(slopes([](auto a, auto b) { return xlogy(a, b); }, 0, 2) ==
        std::pair<double, double>{std::log(2.0), 0});
  // Finite beyond the square root of the largest number.
  CHECK(slopes([](auto a, auto b) { return atan2(a, b); }, 1e200, 0).second == -1e-200);
  CHECK(slope([](auto x) { return asinh(x); }, 1e200) == 1e-200);
  CHECK(std::abs(slope([](auto x) { return acosh(x); }, 1e200) / 1e-200 - 1) <= 1e-15);
  // A slope of zero stops an infinite one, on every way back.
  CHECK(slope([](auto x) { return floor(sqrt(x)) + x; }, 0) == 1);
  CHECK(slope([](auto x) { return fuse([](auto v) { return floor(sqrt(v)) + v; }, x); }, 0) == 1);
}

TEST_CASE("formulas find every function") {
  const auto x = op::spread({40}, 0.8);
  const auto f = [](auto v) {
    const auto p = tan(v) + asin(v) + acos(v) + atan(v) + sinh(v) + cosh(v) + asinh(v) + atanh(v);
    const auto q = erf(v) + erfc(v) + reciprocal(v) + rsqrt(2 + v) + acosh(2 + v) + sign(v);
    const auto s = exp2(v) + log2(2 + v) + log10(2 + v) + softsign(v) + logaddexp(v, 2) +
                   logaddexp(0.5, v) + logaddexp(v, 2 * v);
    const auto r = s + floor(v) + ceil(v) + round(v) + hypot(v, 2) + atan2(v, 1) + atan2(1.0, v);
    return p + q + r + xlogy(v, 3) + xlogy(2.0, 2 + v) + hypot(1.0, v) + atan2(v, v + 2);
  };
  const auto fused = [&](const auto& v) { return sum(fuse(f, v)); };
  const auto composed = [&](const auto& v) { return sum(f(v)); };
  CHECK_AGREES(close(fuse(f, x).array(), f(Tensor<double>(x)).array(), 1e-13, 1e-13));
  CHECK_AGREES(close(gradient(fused, x), gradient(composed, x), 1e-12, 1e-12));
  CHECK(std::abs(f(0.3) - f(Tensor<double>(0.3)).item()) <= 1e-13);
}

TEST_CASE("formulas find clamp, which limits as outside of them") {
  const auto x = Array<double>::of({-50, -1, 0.3, 2, 50, std::nan("")});
  const auto f = [](const auto& v) {
    return fuse([](auto u) { return 3 * clamp(u, -1, 2) + clamp(0.5 * u, -1, 2); }, v);
  };
  const auto g = [](const auto& v) { return 3 * clamp(v, -1, 2) + clamp(0.5 * v, -1, 2); };
  CHECK_AGREES(same_bits(f(x).array(), g(x).array()));
  const auto slope = [&](const auto& h) {
    return gradient([&](const auto& v) { return sum(h(v)); }, x).array();
  };
  CHECK_AGREES(close(slope(f), slope(g), 0));
  CHECK(clamp(3.0, -1, 2) == 2);
}

TEST_CASE("formulas find every activation") {
  const auto x = op::spread({40}, 3);
  const auto f = [](auto v) {
    const auto p = gelu(v) + gelu_tanh(v) + silu(v) + mish(v) + selu(v) + elu(v) + elu(v, 0.5);
    const auto q = leaky_relu(v) + leaky_relu(v, 0.2) + hardtanh(v) + hardtanh(v, -2, 1.5);
    const auto r =
        relu6(v) + hardsigmoid(2 * v) + hardswish(v) + clamp_min(v, 0.1) + clamp_max(v, 0.2);
    return p + q + r;
  };
  const auto two = [](auto v) { return gelu(v) + elu(v, 0.5); };
  CHECK_AGREES(close(fuse(two, x).array(), (gelu(x) + elu(x, 0.5)).array(), 1e-14, 1e-14));
  CHECK(check_formula(two, x));
  CHECK(check_formula(f, x));
  CHECK_AGREES(close(fuse(f, x).array(), f(Tensor<double>(x)).array(), 1e-14, 1e-14));
  CHECK_AGREES(close(fuse(f, cast<float>(x)).array(), f(cast<float>(x)).array(), 1e-5, 1e-5));
  CHECK(std::abs(f(-0.3) - f(Tensor<double>(-0.3)).item()) <= 1e-14);
}

}  // TEST_SUITE("kernels")
