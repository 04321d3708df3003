// SPDX-License-Identifier: BSD-3-Clause
// Elementwise operations of two arguments where arithmetic ends: values and both slopes at zeros,
// ties, infinities, the largest and the smallest numbers, written out in one table.
#include <functional>
#include <string_view>
#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/tests/autodiff/edge_values.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

constexpr double pi = 3.141592653589793, log_2 = 0.6931471805599453;

struct Point {
  double a, b, value, da, db;
};
struct Hard {
  std::string_view name;
  std::function<Tensor<double>(const Tensor<double>&, const Tensor<double>&)> f;
  std::vector<Point> points;
};

#define HARD(name, call, ...)                                                                \
  Hard {                                                                                     \
    name, [](const Tensor<double>& a, const Tensor<double>& b) { return call; }, __VA_ARGS__ \
  }

// Where a slope is infinity times 0 it is NaN, as PyTorch's.
const std::vector<Hard>& table() {
  static const std::vector<Hard> all = {
      HARD("add", a + b,
           {{-0.0, 0, 0, 1, 1}, {inf, -inf, nan_value, 1, 1}, {huge, huge, inf, 1, 1}}),
      HARD("sub", a - b,
           {{0, 0, 0, 1, -1}, {inf, inf, nan_value, 1, -1}, {-huge, huge, -inf, 1, -1}}),
      HARD("mul", a * b,
           {{-0.0, 5, -0.0, 5, 0},
            {0, inf, nan_value, inf, 0},
            {huge, 10, inf, 10, huge},
            {tiny, 0.5, 0, 0.5, tiny}}),
      HARD("div", a / b,
           {{1, 0, inf, inf, -inf},
            {1, -0.0, -inf, -inf, -inf},
            {0, 0, nan_value, inf, nan_value},
            {1, inf, 0, 0, 0},
            {huge, 0.1, inf, 10, -inf},
            {tiny, 2, 0, 0.5, 0}}),
      HARD("pow", pow(a, b),
           {{0, 0, 1, 0, 0},
            {0, 2, 0, 0, 0},
            {1, huge, 1, huge, 0},
            {2, -inf, 0, nan_value, 0},
            {-2, 3, -8, 12, nan_value},
            {-2, 2.5, nan_value, nan_value, nan_value},
            {inf, 2, inf, inf, inf}}),
      HARD("maximum", maximum(a, b),
           {{2, 2, 2, 0.5, 0.5},
            {0, -0.0, 0, 0.5, 0.5},
            {inf, 1, inf, 1, 0},
            {-inf, inf, inf, 0, 1},
            {tiny, 0, tiny, 1, 0}}),
      HARD("minimum", minimum(a, b),
           {{2, 2, 2, 0.5, 0.5},
            {0, -0.0, 0, 0.5, 0.5},
            {inf, 1, 1, 0, 1},
            {-inf, inf, -inf, 1, 0},
            {-tiny, 0, -tiny, 1, 0}}),
      HARD("xlogy", xlogy(a, b),
           {{0, 0, 0, 0, 0},
            {2, 0, -inf, -inf, inf},
            {0, 5, 0, 1.6094379124341003, 0},
            {1, inf, inf, inf, 0},
            {2, -1, nan_value, nan_value, -2}}),
      HARD("logaddexp", logaddexp(a, b),
           {{0, 0, log_2, 0.5, 0.5},
            {inf, inf, inf, 0.5, 0.5},
            {-inf, -inf, -inf, 0.5, 0.5},
            {inf, -inf, inf, 1, 0},
            {-inf, 3, 3, 0, 1},
            {huge, huge, huge, 0.5, 0.5},
            {huge, -huge, huge, 1, 0},
            {-800, 0, 0, 0, 1},
            {tiny, -tiny, log_2, 0.5, 0.5}}),
      HARD("hypot", hypot(a, b),
           {{0, 0, 0, 0, 0},
            {-0.0, 3, 3, 0, 1},
            {3e200, 4e200, 5e200, 0.6, 0.8},
            {3e-200, 4e-200, 5e-200, 0.6, 0.8},
            {inf, 1, inf, nan_value, 0}}),
      HARD("atan2", atan2(a, b),
           {{0, 0, 0, 0, 0},
            {0, -1, pi, -1, 0},
            {-0.0, -1, -pi, -1, 0},
            {inf, 1, pi / 2, 0, nan_value},
            {1, inf, 0, nan_value, 0},
            {1, 0, pi / 2, 0, -1}})};
  return all;
}

}  // namespace

TEST_SUITE("kernels") {

TEST_CASE("values and slopes of two arguments at the ends of arithmetic are those of the table") {
  for (const Hard& hard : table()) {
    CAPTURE(hard.name);
    Tape tape;
    const auto a = tape.watch(column_of(hard.points, &Point::a));
    const auto b = tape.watch(column_of(hard.points, &Point::b));
    const auto y = hard.f(a, b);
    CHECK_AGREES(close(y.array(), column_of(hard.points, &Point::value), 4e-16));
    const auto slopes = grad(sum(y), {a, b});
    CHECK_AGREES(close(slopes[0].array(), column_of(hard.points, &Point::da), 4e-16));
    CHECK_AGREES(close(slopes[1].array(), column_of(hard.points, &Point::db), 4e-16));
  }
}

TEST_CASE("NaN on either side stays visible in every elementwise operation of two arguments") {
  for (const Hard& hard : table()) {
    CAPTURE(hard.name);
    CHECK(std::isnan(hard.f(Tensor<double>(nan_value), Tensor<double>(2.0)).item()));
    CHECK(std::isnan(hard.f(Tensor<double>(2.0), Tensor<double>(nan_value)).item()));
  }
}

TEST_CASE("the dead branch of a choice does not poison the gradients of two arguments") {
  for (const Hard& hard : table()) {
    CAPTURE(hard.name);
    Tape tape;
    const auto a = tape.watch(column_of(hard.points, &Point::a));
    const auto b = tape.watch(column_of(hard.points, &Point::b));
    const auto none = Array<bool>::zeros(a.shape());
    const auto chosen = where(none, hard.f(a, b), a * 3.0);
    const auto g = grad(sum(chosen), {a, b});
    for (const double v : g[0].array()) CHECK(v == 3);
    for (const double v : g[1].array()) CHECK(v == 0);
  }
}

}  // TEST_SUITE("kernels")
