// SPDX-License-Identifier: BSD-3-Clause
// Elementwise operations where arithmetic ends: values and slopes at both zeros, infinities, NaN,
// the largest and the smallest numbers, written out in one table.
#include <cmath>
#include <functional>
#include <string_view>
#include <vector>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/tests/autodiff/edge_values.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

constexpr double log_2 = 0.6931471805599453, log_10 = 2.302585092994046,
                 half_pi = 1.5707963267948966;

struct Point {
  double x, value, slope;
};
struct Hard {
  std::string_view name;
  std::function<Tensor<double>(const Tensor<double>&)> f;
  std::vector<Point> points;
};

#define HARD(f, ...) HARD_CALL(f, f(x), __VA_ARGS__)
#define HARD_CALL(name, call, ...)                                    \
  Hard {                                                              \
#name, [](const Tensor <double>& x) { return call; }, __VA_ARGS__ \
  }

// A NaN gives a NaN in all of them, which another test checks.
const std::vector<Hard>& table() {
  static const std::vector<Hard> all = {
      HARD(abs, {{-0.0, 0, 0}, {-inf, inf, -1}, {-tiny, tiny, -1}, {huge, huge, 1}}),
      HARD(square, {{-0.0, 0, 0}, {-inf, inf, -inf}, {tiny, 0, 2 * tiny}, {-huge, inf, -inf}}),
      HARD(reciprocal, {{0, inf, -inf}, {-0.0, -inf, -inf}, {inf, 0, 0}, {tiny, inf, -inf}}),
      HARD(sqrt,
           {{0, 0, inf}, {inf, inf, 0}, {-1, nan_value, nan_value}, {-inf, nan_value, nan_value}}),
      HARD(rsqrt, {{0, inf, -inf}, {inf, 0, 0}, {-1, nan_value, nan_value}}),
      HARD(exp, {{-0.0, 1, 1},
                 {inf, inf, inf},
                 {-inf, 0, 0},
                 {huge, inf, inf},
                 {-huge, 0, 0},
                 {tiny, 1, 1}}),
      HARD(exp2, {{-0.0, 1, log_2},
                  {10, 1024, 1024 * log_2},
                  {inf, inf, inf},
                  {-inf, 0, 0},
                  {huge, inf, inf},
                  {-huge, 0, 0},
                  {tiny, 1, log_2}}),
      HARD(expm1,
           {{-0.0, -0.0, 1}, {inf, inf, inf}, {-inf, -1, 0}, {-huge, -1, 0}, {tiny, tiny, 1}}),
      HARD(log,
           {{0, -inf, inf}, {inf, inf, 0}, {-1, nan_value, -1}, {tiny, -744.44007192138122, inf}}),
      HARD(log2, {{0, -inf, inf},
                  {-0.0, -inf, -inf},
                  {inf, inf, 0},
                  {-1, nan_value, -1 / log_2},
                  {8, 3, 0.125 / log_2},
                  {tiny, -1074, inf}}),
      HARD(log10, {{0, -inf, inf},
                   {-0.0, -inf, -inf},
                   {inf, inf, 0},
                   {-1, nan_value, -1 / log_10},
                   {1000, 3, 1e-3 / log_10},
                   {tiny, -323.30621534311581, inf}}),
      HARD(log1p, {{-0.0, -0.0, 1},
                   {-1, -inf, inf},
                   {inf, inf, 0},
                   {-2, nan_value, -1},
                   {-tiny, -tiny, 1}}),
      HARD(sin, {{-0.0, -0.0, 1},
                 {inf, nan_value, nan_value},
                 {-inf, nan_value, nan_value},
                 {tiny, tiny, 1}}),
      HARD(cos, {{-0.0, 1, 0}, {inf, nan_value, nan_value}, {tiny, 1, -tiny}}),
      HARD(tan, {{-0.0, -0.0, 1}, {inf, nan_value, nan_value}, {-tiny, -tiny, 1}}),
      HARD(asin,
           {{-0.0, -0.0, 1}, {1, half_pi, inf}, {-1, -half_pi, inf}, {2, nan_value, nan_value}}),
      HARD(acos,
           {{0, half_pi, -1}, {1, 0, -inf}, {-1, 2 * half_pi, -inf}, {-2, nan_value, nan_value}}),
      HARD(atan, {{-0.0, -0.0, 1}, {inf, half_pi, 0}, {-inf, -half_pi, 0}, {huge, half_pi, 0}}),
      HARD(sinh, {{-0.0, -0.0, 1}, {inf, inf, inf}, {-inf, -inf, inf}, {-huge, -inf, inf}}),
      HARD(cosh, {{-0.0, 1, 0}, {inf, inf, inf}, {-inf, inf, -inf}, {huge, inf, inf}}),
      HARD(tanh, {{-0.0, -0.0, 1}, {inf, 1, 0}, {-inf, -1, 0}, {-huge, -1, 0}, {tiny, tiny, 1}}),
      HARD(asinh, {{-0.0, -0.0, 1}, {inf, inf, 0}, {-inf, -inf, 0}, {tiny, tiny, 1}}),
      HARD(acosh, {{1, 0, inf}, {inf, inf, 0}}),
      HARD(atanh, {{-0.0, -0.0, 1}, {1, inf, inf}, {-1, -inf, inf}, {-tiny, -tiny, 1}}),
      HARD(erf, {{-0.0, -0.0, 1.1283791670955126}, {inf, 1, 0}, {-inf, -1, 0}, {huge, 1, 0}}),
      HARD(erfc, {{0, 1, -1.1283791670955126}, {inf, 0, 0}, {-inf, 2, 0}, {-huge, 2, 0}}),
      HARD(lgamma, {{0, inf, -inf},
                    {1, 0, -0.57721566490153286},
                    {-3, inf, nan_value},
                    {inf, inf, inf},
                    {tiny, 744.44007192138122, -inf},
                    {huge, inf, 709.19620864216608}}),
      HARD(digamma, {{0, -inf, inf}, {-0.0, inf, inf}, {-1, nan_value, inf}, {inf, inf, 0}}),
      HARD_CALL(polygamma, polygamma(1, x),
                {{0, inf, -inf},
                 {-0.0, inf, -inf},
                 {-tiny, inf, inf},
                 {-1, inf, -inf},
                 {inf, 0, 0},
                 {huge, 1e-308, 0},
                 {-huge, inf, -inf},
                 {-inf, nan_value, nan_value}}),
      HARD(sigmoid, {{-0.0, 0.5, 0.25}, {inf, 1, 0}, {-inf, 0, 0}, {huge, 1, 0}, {-huge, 0, 0}}),
      HARD(log_sigmoid, {{0, -log_2, 0.5}, {inf, 0, 0}, {-huge, -huge, 1}, {-inf, -inf, 1}}),
      HARD(softplus, {{0, log_2, 0.5}, {-inf, 0, 0}, {huge, huge, 1}, {inf, inf, 1}}),
      HARD(relu, {{0, 0, 0}, {-inf, 0, 0}, {inf, inf, 1}, {tiny, tiny, 1}, {-tiny, 0, 0}}),
      HARD(softsign, {{-0.0, -0.0, 1},
                      {inf, 1, 0},
                      {-inf, -1, 0},
                      {huge, 1, 0},
                      {-huge, -1, 0},
                      {-tiny, -tiny, 1},
                      {3, 0.75, 0.0625}}),
      HARD(relu6, {{-inf, 0, 0}, {-0.0, 0, 0}, {0, 0, 0}, {tiny, tiny, 1}, {6, 6, 0}, {inf, 6, 0}}),
      HARD(hardsigmoid, {{-inf, 0, 0},
                         {-3, 0, 0},
                         {-0.0, 0.5, 1.0 / 6},
                         {tiny, 0.5, 1.0 / 6},
                         {3, 1, 0},
                         {huge, 1, 0},
                         {inf, 1, 0}}),
      HARD(hardswish, {{-inf, -0.0, 0},
                       {-huge, -0.0, 0},
                       {-3, -0.0, 0},
                       {-0.0, -0.0, 0.5},
                       {3, 3, 1},
                       {huge, huge, 1},
                       {inf, inf, 1}}),
      HARD_CALL(clamp_min, clamp_min(x, -1.0),
                {{-inf, -1, 0}, {-1, -1, 1}, {-0.0, -0.0, 1}, {huge, huge, 1}, {inf, inf, 1}}),
      HARD_CALL(clamp_min, clamp_min(x, -inf), {{-inf, -inf, 1}, {0, 0, 1}, {inf, inf, 1}}),
      HARD_CALL(clamp_max, clamp_max(x, 2.0),
                {{inf, 2, 0}, {2, 2, 1}, {-0.0, -0.0, 1}, {-huge, -huge, 1}, {-inf, -inf, 1}}),
      HARD_CALL(clamp_max, clamp_max(x, inf), {{-inf, -inf, 1}, {0, 0, 1}, {inf, inf, 1}}),
      HARD(gelu, {{-0.0, -0.0, 0.5},
                  {inf, inf, 1},
                  {-inf, -0.0, 0},
                  {huge, huge, 1},
                  {-huge, -0.0, 0},
                  {tiny, 0, 0.5}}),
      HARD(gelu_tanh, {{-0.0, -0.0, 0.5},
                       {inf, inf, 1},
                       {-inf, -0.0, 0},
                       {huge, huge, 1},
                       {-huge, -0.0, 0},
                       {tiny, 0, 0.5}}),
      HARD(silu, {{-0.0, -0.0, 0.5},
                  {inf, inf, 1},
                  {-inf, -0.0, 0},
                  {huge, huge, 1},
                  {-huge, -0.0, 0},
                  {tiny, 0, 0.5}}),
      HARD(mish, {{-0.0, -0.0, 0.6},
                  {inf, inf, 1},
                  {-inf, -0.0, 0},
                  {huge, huge, 1},
                  {-huge, -0.0, 0},
                  {tiny, tiny, 0.6}}),
      HARD(selu, {{-0.0, -0.0, 1.7580993408473769},
                  {inf, inf, 1.0507009873554805},
                  {-inf, -1.7580993408473769, 0},
                  {-huge, -1.7580993408473769, 0},
                  {tiny, tiny, 1.0507009873554805}}),
      HARD(elu, {{-inf, -1, 0}, {-huge, -1, 0}, {huge, huge, 1}, {tiny, tiny, 1}}),
      HARD(leaky_relu, {{-inf, -inf, 0.01}, {inf, inf, 1}, {-0.0, -0.0, 0.01}, {tiny, tiny, 1}}),
      HARD(hardtanh, {{-inf, -1, 0}, {inf, 1, 0}, {-1, -1, 0}, {1, 1, 0}, {-tiny, -tiny, 1}}),
      HARD_CALL(clamp, clamp(x, -1.0, 2.0),
                {{inf, 2, 0},
                 {-inf, -1, 0},
                 {huge, 2, 0},
                 {-1, -1, 1},
                 {2, 2, 1},
                 {-0.0, -0.0, 1},
                 {tiny, tiny, 1}}),
      HARD_CALL(clamp, clamp(x, -inf, 2.0), {{-inf, -inf, 1}, {-huge, -huge, 1}, {inf, 2, 0}}),
      HARD_CALL(clamp, clamp(x, inf, inf), {{0, inf, 0}, {inf, inf, 1}}),
      HARD(round, {{-0.0, -0.0, 0},
                   {0.5, 0, 0},
                   {1.5, 2, 0},
                   {-0.5, -0.0, 0},
                   {tiny, 0, 0},
                   {-inf, -inf, 0},
                   {huge, huge, 0}}),
      HARD(floor, {{-0.0, -0.0, 0}, {-tiny, -1, 0}, {-inf, -inf, 0}, {huge, huge, 0}}),
      HARD(ceil, {{-0.0, -0.0, 0}, {tiny, 1, 0}, {-tiny, -0.0, 0}, {inf, inf, 0}}),
      HARD(sign, {{-0.0, -0.0, 0}, {-tiny, -1, 0}, {-inf, -1, 0}, {huge, 1, 0}})};
  return all;
}

}  // namespace

TEST_SUITE("kernels") {

TEST_CASE("values and slopes at the ends of arithmetic are those of the table") {
  for (const Hard& hard : table()) {
    CAPTURE(hard.name);
    const auto x = column_of(hard.points, &Point::x);
    const auto slopes = gradient([&](const auto& v) { return sum(hard.f(v)); }, x).array();
    CHECK_AGREES(close(hard.f(x).array(), column_of(hard.points, &Point::value), 4e-16));
    CHECK_AGREES(close(slopes, column_of(hard.points, &Point::slope), 4e-16));
  }
}

TEST_CASE("activations are straight lines far out, to every order") {
  // The factors of composed activations would overflow before they vanish.
  for (const Hard& hard : table()) {
    if (hard.name.find("elu") == hard.name.npos && hard.name != "silu" && hard.name != "mish") {
      continue;
    }
    CAPTURE(hard.name);
    const auto first = [&](const auto& v) {
      return gradient([&](const auto& u) { return sum(hard.f(u)); }, v);
    };
    const auto second = [&](const auto& v) {
      return gradient([&](const auto& u) { return sum(first(u)); }, v);
    };
    const auto x = Array<double>::of({-inf, -huge, -1e4, 1e4, huge, inf});
    for (const double v : second(x).array()) CHECK(v == 0);
    const auto third = gradient([&](const auto& u) { return sum(second(u)); }, x).array();
    for (const double v : third) CHECK(v == 0);
  }
}

TEST_CASE("NaN stays visible in every elementwise operation") {
  for (const Hard& hard : table()) {
    CAPTURE(hard.name);
    CHECK(std::isnan(hard.f(Tensor<double>(nan_value)).item()));
  }
}

TEST_CASE("the branch that is not taken never spoils the gradient") {
  for (const Hard& hard : table()) {
    CAPTURE(hard.name);
    const auto x = column_of(hard.points, &Point::x);
    const auto none = Array<bool>::zeros(x.shape());
    const auto chosen = [&](const auto& v) { return sum(where(none, hard.f(v), 3.0 * v)); };
    const auto first = [&](const auto& v) { return gradient(chosen, v); };
    const auto second = [&](const auto& v) {
      return gradient([&](const auto& u) { return sum(first(u)); }, v);
    };
    for (const double v : first(x).array()) CHECK(v == 3);
    // The branch that is taken is linear: higher derivatives could only be those of the other.
    for (const double v : second(x).array()) CHECK(v == 0);
    const auto third = gradient([&](const auto& u) { return sum(second(u)); }, x).array();
    for (const double v : third) CHECK(v == 0);
  }
}

TEST_CASE("the dead branch of a choice in a formula has no part in derivatives of any order") {
  const auto f = [](const auto& v) {
    return fuse_sum([](auto x) { return select(x > 0, 1 / sqrt(x) + x * log(x), x * x * x); }, v);
  };
  const auto g = [](const auto& v) {
    return sum(where(v > 0.0, 1 / sqrt(v) + v * log(v), v * v * v));
  };
  const auto x = Array<double>::of({-1, 0, -2});
  const auto second = [&](const auto& v) { return sum(hvp(f, v, Array<double>::of({1, 1, 1}))); };
  CHECK(equal(hessian(f, x).array(), Array<double>({3, 3}, {-6, 0, 0, 0, 0, 0, 0, 0, -12})));
  CHECK(equal(hessian(g, x).array(), Array<double>({3, 3}, {-6, 0, 0, 0, 0, 0, 0, 0, -12})));
  CHECK(equal(gradient(second, x).array(), Array<double>::of({6, 6, 6})));
}

}  // TEST_SUITE("kernels")
