// SPDX-License-Identifier: BSD-3-Clause
// Reductions, scans and choices at ties, zeros of both signs, infinities, the largest and smallest
// numbers, no elements, and axes of size 1 among five: results and gradients written out.
#include <cmath>
#include <functional>
#include <string_view>
#include <vector>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/tests/autodiff/edge_values.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

using Function = std::function<Tensor<double>(const Tensor<double>&)>;

/// f(x), and the gradient of the sum of its results.
struct Hard {
  std::string_view name;
  Function f;
  std::vector<double> x, results, gradient;
};

#define OF(call) #call, [](const Tensor <double>& x) { return call; }

const std::vector<Hard>& table() {
  static const std::vector<Hard> all = {
      {OF(sum(x)), {}, {0}, {}},
      {OF(sum(x)), {inf, -inf}, {nan_value}, {1, 1}},
      {OF(sum(x)), {tiny, -tiny, tiny}, {tiny}, {1, 1, 1}},
      {OF(mean(x)), {inf, 1}, {inf}, {0.5, 0.5}},
      {OF(max(x)), {2, 2, 1}, {2}, {0.5, 0.5, 0}},
      {OF(max(x)), {-0.0, 0, -1}, {0}, {0.5, 0.5, 0}},
      {OF(max(x)), {inf, -inf, inf}, {inf}, {0.5, 0, 0.5}},
      {OF(max(x)), {-inf, -inf}, {-inf}, {0.5, 0.5}},
      {OF(max(x)), {tiny, 0, -tiny}, {tiny}, {1, 0, 0}},
      {OF(min(x)), {1, 2, 1, 1, 1}, {1}, {0.25, 0, 0.25, 0.25, 0.25}},
      {OF(min(x)), {-huge, -inf, huge}, {-inf}, {0, 1, 0}},
      {OF(prod(x)), {}, {1}, {}},
      {OF(prod(x)), {0, 2, 3}, {0}, {6, 0, 0}},
      {OF(prod(x)), {0, 2, -0.0}, {-0.0}, {0, 0, 0}},
      {OF(prod(x)), {inf, 0}, {nan_value}, {0, inf}},
      {OF(cumprod(x, -1)), {2, 0, 3}, {2, 0, 0}, {1, 8, 0}},
      {OF(cumsum(x, -1)), {huge, huge, -inf}, {huge, inf, nan_value}, {3, 2, 1}},
      {OF(logsumexp(x)), {}, {-inf}, {}},
      {OF(logsumexp(x)), {-inf, 0}, {0}, {0, 1}},
      {OF(logsumexp(x)), {0, -0.0}, {0.6931471805599453}, {0.5, 0.5}},
      {OF(logsumexp(x)), {-huge, 5}, {5}, {0, 1}},
      {OF(softmax(x)), {huge, 0}, {1, 0}, {0, 0}},
      {OF(softmax(x)), {-inf, 0, 0}, {0, 0.5, 0.5}, {0, 0, 0}},
      {OF(log_softmax(x)), {huge, 0}, {0, -huge}, {-1, 1}},
      {OF(norm(x)), {}, {0}, {}},
      {OF(norm(x)), {0, -0.0}, {0}, {0, 0}},
      {OF(norm(x)), {3e200, -4e200}, {5e200}, {0.6, -0.8}},
      {OF(norm(x)), {3e-200, 4e-200}, {5e-200}, {0.6, 0.8}},
      {OF(norm(x, 1)), {-2, 0, 3}, {5}, {-1, 0, 1}},
      {OF(norm(x, inf)), {2, -2, 1}, {2}, {0.5, -0.5, 0}},
      {OF(var(x)), {5, 5, 5}, {0}, {0, 0, 0}},
      {OF(stddev(x)), {5, 5}, {0}, {0, 0}},
      {OF(median(x)), {2, 2, 1}, {2}, {1, 0, 0}},
      {OF(median(x)), {inf, -inf, 0, -0.0}, {0}, {0, 0, 1, 0}},
      {OF(median(x)), {1, nan_value, 2}, {nan_value}, {0, 1, 0}},
      {OF(topk(x, 2).values), {inf, nan_value, 1}, {nan_value, inf}, {1, 1, 0}},
      {OF(topk(x, 1).values), {0, 0, 0}, {0}, {1, 0, 0}},
      {OF(sort(x).values), {inf, -tiny, -inf, tiny}, {-inf, -tiny, tiny, inf}, {1, 1, 1, 1}},
      {OF(sort(x).values), {}, {}, {}}};
  return all;
}

Array<double> row(const std::vector<double>& values) {
  return Array<double>({std::int64_t(values.size())}, std::span<const double>(values));
}

/// A reduction along an axis of size 1, by what it does to each element, and its slope.
struct Single {
  std::string_view name;
  Function f;
  double (*value)(double x);
  double (*slope)(double x);
};

}  // namespace

TEST_SUITE("edge values") {

TEST_CASE("reductions, scans and choices have the results and gradients of the table") {
  for (const Hard& hard : table()) {
    CAPTURE(hard.name);
    const auto x = row(hard.x);
    const auto y = hard.f(x).array();
    CAPTURE(y);
    const auto g = gradient([&](const auto& v) { return sum(hard.f(v)); }, x).array();
    CHECK_AGREES(close(y.reshape({y.size()}), row(hard.results), 4e-16));
    CHECK_AGREES(close(g, row(hard.gradient), 4e-16));
  }
}

TEST_CASE("an axis of size 1 among five reduces to its only element") {
  const auto same = [](double x) { return x; };
  const auto one = [](double) { return 1.0; };
  const auto zero = [](double) { return 0.0; };
  const auto size = [](double x) { return std::abs(x); };
  const auto sign_of = [](double x) { return x < 0 ? -1.0 : 1.0; };
  const Single all[] = {{OF(sum(x, -2)), same, one},
                        {OF(mean(x, -2)), same, one},
                        {OF(max(x, -2)), same, one},
                        {OF(min(x, -2)), same, one},
                        {OF(prod(x, -2)), same, one},
                        {OF(logsumexp(x, -2)), same, one},
                        {OF(norm(x, 2, -2)), size, sign_of},
                        {OF(cumsum(x, -2)), same, one},
                        {OF(cumprod(x, -2)), same, one},
                        {OF(softmax(x, -2)), one, zero},
                        {OF(log_softmax(x, -2)), zero, zero},
                        {OF(median(x, -2).values), same, one},
                        {OF(sort(x, -2, true).values), same, one},
                        {OF(topk(x, 1, -2).values), same, one},
                        {OF(sum(x, {1, -2})), same, one}};
  const auto x = op::spread({2, 1, 3, 1, 2}, 40);
  for (const Single& single : all) {
    CAPTURE(single.name);
    auto values = x, slopes = x;
    for (double& v : std::span(values.mutate(), std::size_t(x.size()))) v = single.value(v);
    for (double& v : std::span(slopes.mutate(), std::size_t(x.size()))) v = single.slope(v);
    const auto y = single.f(x).array();
    CHECK_AGREES(close(y.reshape(x.shape()), values, 4e-16));
    const auto g = gradient([&](const auto& v) { return sum(single.f(v)); }, x).array();
    CHECK_AGREES(close(g, slopes, 4e-16));
  }
}

}  // TEST_SUITE("edge values")
