// SPDX-License-Identifier: BSD-3-Clause
// Second derivatives against formulas in long double, where a slope that is written badly cancels:
// next to zero, next to the ends of the domain, and far out.
#include <cmath>
#include <functional>
#include <limits>
#include <string_view>
#include <vector>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

using L = long double;

const std::vector<double> around_0 = {-0.3, -1e-6, -1e-12, 1e-100, 1e-12, 1e-6, 1e-3, 0.1, 0.49};
const std::vector<double> inside = {-0.999999, -0.6, -0.5, 0.5, 0.500001, 0.9, 1 - 1e-12};
const std::vector<double> far_out = {-1e3, -7.0, 1.5, 20.0, 1e6, 1e12};
const std::vector<double> moderate = {-7, -1.5, 0.8, 1.5, 4};

std::vector<double> with(std::initializer_list<const std::vector<double>*> lists) {
  std::vector<double> all;
  for (const auto* list : lists) all.insert(all.end(), list->begin(), list->end());
  return all;
}

/// The second derivative of f at each point.
Array<double> second(const std::function<Tensor<double>(const Tensor<double>&)>& f,
                     const Array<double>& x) {
  const auto first = [&](const auto& v) {
    return sum(gradient([&](const auto& u) { return sum(f(u)); }, v));
  };
  return gradient(first, x).array();
}

Array<double> row(const std::vector<double>& values) {
  return Array<double>({std::int64_t(values.size())}, std::span<const double>(values));
}

}  // namespace

TEST_SUITE("derivatives") {

TEST_CASE("second derivatives are as exact as first ones") {
  const L pi = std::acos(-1.0L);
  const auto all = with({&around_0, &far_out}), near = with({&around_0, &moderate});
  const auto within = with({&around_0, &inside});
  const auto positive = std::vector<double>{1e-12, 1e-6, 0.3, 0.999999, 1.000001, 7, 1e6, 1e12};
  const auto above_1 = std::vector<double>{1 + 1e-12, 1 + 1e-6, 1.5, 20, 1e6, 1e12};
  struct Case {
    std::string_view name;
    std::function<Tensor<double>(const Tensor<double>&)> f;
    std::function<L(L)> expected;
    std::vector<double> points;
  };
#define OF(f) #f, [](const Tensor <double>& x) { return f(x); }
  const std::vector<Case> cases = {
      {OF(asin), [](L x) { return x / std::pow((1 - x) * (1 + x), 1.5L); }, within},
      {OF(acos), [](L x) { return -x / std::pow((1 - x) * (1 + x), 1.5L); }, within},
      {OF(atanh), [](L x) { return 2 * x / std::pow((1 - x) * (1 + x), 2); }, within},
      {OF(atan), [](L x) { return -2 * x / std::pow(1 + x * x, 2); }, all},
      {OF(asinh), [](L x) { return -x / std::pow(1 + x * x, 1.5L); }, all},
      {OF(acosh), [](L x) { return -x / std::pow((x - 1) * (x + 1), 1.5L); }, above_1},
      {OF(sin), [](L x) { return -std::sin(x); }, near},
      {OF(cos), [](L x) { return -std::cos(x); }, near},
      {OF(tan), [](L x) { return 2 * std::tan(x) * (1 + std::tan(x) * std::tan(x)); }, near},
      {OF(sinh), [](L x) { return std::sinh(x); }, near},
      {OF(cosh), [](L x) { return std::cosh(x); }, near},
      {OF(exp), [](L x) { return std::exp(x); }, near},
      {OF(erf), [=](L x) { return -4 * x / std::sqrt(pi) * std::exp(-x * x); }, near},
      {OF(erfc), [=](L x) { return 4 * x / std::sqrt(pi) * std::exp(-x * x); }, near},
      {OF(sqrt), [](L x) { return -0.25L * std::pow(x, -1.5L); }, positive},
      {OF(rsqrt), [](L x) { return 0.75L * std::pow(x, -2.5L); }, positive},
      {OF(log), [](L x) { return -1 / (x * x); }, positive},
      {OF(log2), [](L x) { return -1 / (x * x * std::log(2.0L)); }, positive},
      {OF(log10), [](L x) { return -1 / (x * x * std::log(10.0L)); }, positive},
      {OF(exp2), [](L x) { return std::log(2.0L) * std::log(2.0L) * std::exp2(x); }, near},
      {OF(softsign), [](L x) { return (x < 0 ? 2 : -2) / std::pow(1 + std::abs(x), 3); }, all},
      {OF(log1p), [](L x) { return -1 / ((1 + x) * (1 + x)); }, positive},
      {OF(reciprocal), [](L x) { return 2 / (x * x * x); }, positive}};
#undef OF
  for (const Case& function : cases) {
    CAPTURE(function.name);
    const auto x = row(function.points);
    auto expected = x;
    for (double& v : std::span(expected.mutate(), std::size_t(x.size()))) {
      v = double(function.expected(L(v)));
    }
    // Some ten roundings, and those of an argument that is squared or taken from 1.
    CHECK_AGREES(close(second(function.f, x), expected, 4e-15));
  }
}

TEST_CASE("third derivatives of inverse functions do not cancel next to zero") {
  const auto third = [](const auto& f, double at) {
    const auto second_of = [&](const auto& v) {
      return gradient([&](const auto& u) { return gradient(f, u); }, v);
    };
    return gradient(second_of, Array<double>(at)).item();
  };
  for (const double x : {0.0, 1e-12, 1e-6}) {
    CAPTURE(x);
    // 1 + 9/2 x^2 + ..., and 2 + 12 x^2 + ...
    CHECK(std::abs(third([](const auto& v) { return asin(v); }, x) - (1 + 4.5 * x * x)) <= 1e-15);
    CHECK(std::abs(third([](const auto& v) { return acos(v); }, x) + (1 + 4.5 * x * x)) <= 1e-15);
    CHECK(std::abs(third([](const auto& v) { return atanh(v); }, x) - (2 + 12 * x * x)) <= 2e-15);
  }
}

TEST_CASE("second derivatives of a fused formula are as exact") {
  const auto f = [](const auto& x) { return fuse([](auto v) { return asin(v) + atanh(v); }, x); };
  const double x = 1e-12;
  CHECK(std::abs(second(f, Array<double>::of({x}))[0] / (3 * x) - 1) <= 1e-15);
}

}  // TEST_SUITE("derivatives")
