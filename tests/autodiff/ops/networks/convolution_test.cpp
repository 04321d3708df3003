// SPDX-License-Identifier: BSD-3-Clause
// Convolution against a plain loop in a higher precision.
#include <limits>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// The sum over one window, element by element; what is not of x counts as 0.
double at(const Array<double>& x, const Array<double>& w, const Conv2dOptions& o, std::int64_t n,
          std::int64_t c, std::int64_t i, std::int64_t j) {
  const std::int64_t in = w.shape()[1], out = w.shape()[0] / o.groups;
  long double sum = 0;
  for (std::int64_t k = 0; k < in; ++k) {
    for (std::int64_t p = 0; p < w.shape()[2]; ++p) {
      for (std::int64_t q = 0; q < w.shape()[3]; ++q) {
        const std::int64_t row = i * o.stride.height - o.padding.height + p * o.dilation.height;
        const std::int64_t column = j * o.stride.width - o.padding.width + q * o.dilation.width;
        if (row < 0 || column < 0 || row >= x.shape()[2] || column >= x.shape()[3]) continue;
        sum += static_cast<long double>(w(c, k, p, q)) * x(n, c / out * in + k, row, column);
      }
    }
  }
  return double(sum);
}

void check(const Shape& xs, const Shape& ws, const Conv2dOptions& o, const Shape& ys) {
  CAPTURE(to_string(xs));
  CAPTURE(to_string(ws));
  const auto x = op::spread(xs, 3), w = op::spread(ws), b = op::spread({ws[0]}, 2);
  auto expected = Array<double>::uninitialized(ys);
  double* y = expected.mutate();
  for (std::int64_t n = 0; n < ys[0]; ++n) {
    for (std::int64_t c = 0; c < ys[1]; ++c) {
      for (std::int64_t i = 0; i < ys[2]; ++i) {
        for (std::int64_t j = 0; j < ys[3]; ++j) *y++ = at(x, w, o, n, c, i, j) + b[c];
      }
    }
  }
  CHECK_AGREES(close(conv2d(x, w, b, o).array(), expected, 1e-13, 1e-13));
  const auto narrow = conv2d(cast<float>(x), cast<float>(w), cast<float>(b), o);
  CHECK_AGREES(close(narrow.array(), expected, 2e-6, 2e-5));
  CHECK_AGREES(
      close(conv2d(x, w, o) + reshape(b, {ws[0], 1, 1}), conv2d(x, w, b, o), 1e-13, 1e-13));
}

}  // namespace

TEST_SUITE("convolution") {

TEST_CASE("conv2d agrees with a plain loop") {
  check({2, 3, 7, 9}, {4, 3, 3, 3}, {}, {2, 4, 5, 7});
  check({2, 3, 7, 9}, {4, 3, 3, 3}, {.padding = 1}, {2, 4, 7, 9});
  check({2, 3, 7, 9}, {5, 3, 1, 1}, {}, {2, 5, 7, 9});
  check({2, 3, 7, 9}, {5, 3, 1, 1}, {.stride = {1, 2}}, {2, 5, 7, 5});
  check({1, 4, 9, 8}, {6, 2, 2, 3}, {.stride = {2, 3}, .padding = {1, 2}, .groups = 2},
        {1, 6, 5, 4});
  check({3, 4, 9, 8}, {4, 1, 3, 2}, {.dilation = {2, 3}, .groups = 4}, {3, 4, 5, 5});
  check({1, 1, 2, 2}, {1, 1, 2, 2}, {.stride = 2, .padding = 4}, {1, 1, 5, 5});
  check({1, 2, 3, 40}, {3, 2, 3, 7}, {.padding = {0, 3}, .dilation = {1, 5}}, {1, 3, 1, 16});
  check({0, 2, 3, 4}, {3, 2, 3, 3}, {}, {0, 3, 1, 2});
}

TEST_CASE("conv1d is conv2d of planes of one row") {
  const auto x = op::spread({2, 4, 11}), w = op::spread({6, 2, 3}), b = op::spread({6});
  const auto y = conv1d(x, w, b, {.stride = 2, .padding = 1, .dilation = 2, .groups = 2});
  const auto planes =
      conv2d(x.reshape({2, 4, 1, 11}), w.reshape({6, 2, 1, 3}), b,
             {.stride = {1, 2}, .padding = {0, 1}, .dilation = {1, 2}, .groups = 2});
  CHECK_AGREES(same_bits(y.array(), planes.array().reshape({2, 6, 5})));
}

TEST_CASE("the padding of conv2d is zeros, and NaN stays in its windows") {
  auto x = Array<double>::full({1, 1, 1, 5}, 1);
  x.mutate()[4] = std::numeric_limits<double>::quiet_NaN();
  const auto y = conv2d(x, Array<double>::full({1, 1, 1, 3}, 1), {.padding = {0, 1}}).array();
  CHECK(y[0] == 2);
  CHECK(y[1] == 3);
  CHECK(y[2] == 3);
  CHECK(std::isnan(y[3]));
  CHECK(std::isnan(y[4]));
}

TEST_CASE("elements that no window of conv2d reaches have a gradient of 0") {
  const auto f = [](const auto& x) {
    return sum(conv2d(x, Array<double>::full({1, 1, 1, 1}, 3), {.stride = 2}));
  };
  const auto g = gradient(f, op::spread({1, 1, 2, 4})).array();
  CHECK(equal(g, Array<double>({1, 1, 2, 4}, {3, 0, 3, 0, 0, 0, 0, 0})));
}

TEST_CASE("conv2d of huge paddings and dilations is refused, not tried") {
  const auto x = op::spread({1, 1, 3, 3}), w = op::spread({1, 1, 2, 2});
  CHECK_THROWS_AS(conv2d(x, w, {.padding = INT64_MAX}), ArgumentError);
  CHECK_THROWS_AS(conv2d(x, w, {.padding = 1 << 30}), ShapeError);
  CHECK_THROWS_AS(conv2d(x, op::spread({0, 1, 2, 2}), {.padding = 1 << 30}), ShapeError);
  CHECK_THROWS_AS(conv2d(x, w, {.dilation = 1 << 30}), ShapeError);
  CHECK_THROWS_AS(conv2d(x, w, {.groups = INT64_MIN}), ArgumentError);
  CHECK_THROWS_AS(conv2d(x, w, Array<double>()), ArgumentError);
  // Without images, any number of windows takes no memory.
  Variable<double> weight(w);
  Tape tape;
  backward(sum(conv2d(op::spread({0, 1, 3, 3}), weight, {.padding = 1 << 30})));
  CHECK(equal(weight.gradient(), Array<double>::zeros({1, 1, 2, 2})));
  CHECK(equal(conv2d(x, w, {.stride = 1 << 30}).array().reshape({1}),
              conv2d(x, w).array().reshape({4}).leading(0, 1)));
}

}  // TEST_SUITE("convolution")
