// SPDX-License-Identifier: BSD-3-Clause
// Transposed convolution against a plain loop in a higher precision, and as the adjoint of the
// convolution.
#include <limits>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// Adds each element of x times the weight where it belongs, one by one.
Array<double> by_loop(const Array<double>& x, const Array<double>& w, const Array<double>& b,
                      const ConvTranspose2dOptions& o, const Shape& ys) {
  std::vector<long double> y(std::size_t(ys.size()), 0);
  const auto at = [&](std::int64_t n, std::int64_t c, std::int64_t i, std::int64_t j) {
    return std::size_t(((n * ys[1] + c) * ys[2] + i) * ys[3] + j);
  };
  const std::int64_t out = w.shape()[1], in = x.shape()[1] / o.groups;
  for (std::int64_t from = 0; from < x.size(); ++from) {
    const std::int64_t j = from % x.shape()[3], i = from / x.shape()[3] % x.shape()[2];
    const std::int64_t c = from / (x.shape()[2] * x.shape()[3]) % x.shape()[1];
    const std::int64_t n = from / (x.shape()[2] * x.shape()[3] * x.shape()[1]);
    for (std::int64_t k = 0; k < out * w.shape()[2] * w.shape()[3]; ++k) {
      const std::int64_t q = k % w.shape()[3], p = k / w.shape()[3] % w.shape()[2];
      const std::int64_t channel = k / (w.shape()[3] * w.shape()[2]);
      const std::int64_t row = i * o.stride.height - o.padding.height + p * o.dilation.height;
      const std::int64_t column = j * o.stride.width - o.padding.width + q * o.dilation.width;
      if (row < 0 || column < 0 || row >= ys[2] || column >= ys[3]) continue;
      y[at(n, c / in * out + channel, row, column)] +=
          static_cast<long double>(x[from]) * w(c, channel, p, q);
    }
  }
  auto result = Array<double>::uninitialized(ys);
  const std::int64_t plane = ys[2] * ys[3];
  for (std::int64_t k = 0; k < ys.size(); ++k) {
    result.mutate()[k] = double(y[std::size_t(k)] + b[k / plane % ys[1]]);
  }
  return result;
}

void check(const Shape& xs, const Shape& ws, const ConvTranspose2dOptions& o, const Shape& ys) {
  CAPTURE(to_string(xs));
  CAPTURE(to_string(ws));
  const auto x = op::spread(xs, 3), w = op::spread(ws), b = op::spread({ys[1]}, 2);
  const auto expected = by_loop(x, w, b, o, ys);
  const auto y = conv_transpose2d(x, w, b, o);
  CHECK_AGREES(close(y.array(), expected, 1e-13, 1e-13));
  const auto narrow = conv_transpose2d(cast<float>(x), cast<float>(w), cast<float>(b), o);
  CHECK_AGREES(close(narrow.array(), expected, 2e-6, 2e-5));
  CHECK_AGREES(close(conv_transpose2d(x, w, o) + reshape(b, {ys[1], 1, 1}), y, 1e-13, 1e-13));
  // <conv(z, w), x> = <z, conv_transpose(x, w)>, for the windows that x has elements for.
  const auto z = op::spread(ys, 2);
  const Tensor<double> forth = conv2d(z, w, {o.stride, o.padding, o.dilation, o.groups});
  const auto windows = slice(slice(forth, 2, {0, xs[2]}), 3, {0, xs[3]});
  CHECK_AGREES(close(sum(windows * x), sum(conv_transpose2d(x, w, o) * z), 1e-12, 1e-12));
}

}  // namespace

TEST_SUITE("transposed convolution") {

TEST_CASE("conv_transpose2d agrees with a plain loop, and is the adjoint of conv2d") {
  check({2, 3, 5, 7}, {3, 4, 3, 3}, {}, {2, 4, 7, 9});
  check({2, 3, 5, 7}, {3, 4, 3, 3}, {.padding = 1}, {2, 4, 5, 7});
  check({2, 3, 5, 7}, {3, 4, 1, 1}, {}, {2, 4, 5, 7});
  check({2, 3, 5, 7}, {3, 4, 1, 1}, {.stride = {1, 2}}, {2, 4, 5, 13});
  check({2, 3, 4, 6}, {3, 5, 4, 4}, {.stride = 2, .padding = 1}, {2, 5, 8, 12});
  check({2, 3, 4, 6}, {3, 5, 3, 3}, {.stride = 2, .padding = 1, .output_padding = 1},
        {2, 5, 8, 12});
  check({1, 4, 3, 4}, {4, 3, 2, 3},
        {.stride = {2, 3}, .padding = {1, 2}, .output_padding = {1, 0}, .groups = 2}, {1, 6, 5, 8});
  check({3, 4, 3, 2}, {4, 1, 3, 2}, {.dilation = {2, 3}, .groups = 4}, {3, 4, 7, 5});
  check({1, 2, 2, 3}, {2, 3, 2, 2},
        {.stride = {1, 2}, .output_padding = {2, 3}, .dilation = {3, 4}}, {1, 3, 7, 12});
  check({0, 2, 3, 4}, {2, 3, 3, 3}, {}, {0, 3, 5, 6});
  check({1, 0, 2, 2}, {0, 3, 2, 2}, {}, {1, 3, 3, 3});
}

TEST_CASE("conv_transpose1d is conv_transpose2d of planes of one row") {
  const auto x = op::spread({2, 4, 6}), w = op::spread({4, 3, 3}), b = op::spread({6});
  const auto y = conv_transpose1d(
      x, w, b, {.stride = 2, .padding = 1, .output_padding = 1, .dilation = 2, .groups = 2});
  const auto planes = conv_transpose2d(x.reshape({2, 4, 1, 6}), w.reshape({4, 3, 1, 3}), b,
                                       {.stride = {1, 2},
                                        .padding = {0, 1},
                                        .output_padding = {0, 1},
                                        .dilation = {1, 2},
                                        .groups = 2});
  CHECK_AGREES(same_bits(y.array(), planes.array().reshape({2, 6, 14})));
}

TEST_CASE("conv_transpose1d multiplies polynomials, repeats elements and draws lines") {
  const auto row = [](std::initializer_list<double> x) {
    const auto all = Array<double>::of(x);
    return all.reshape({1, 1, all.size()});
  };
  // (1 + 2 x + 3 x^2) (4 + 5 x)
  CHECK(equal(conv_transpose1d(row({1, 2, 3}), row({4, 5})).array(), row({4, 13, 22, 15})));
  CHECK(equal(conv_transpose1d(row({1, 2, 3}), row({1, 1}), {.stride = 2}).array(),
              row({1, 1, 2, 2, 3, 3})));
  CHECK(equal(
      conv_transpose1d(row({1, 2, 4}), row({0.5, 1, 0.5}), {.stride = 2, .padding = 1}).array(),
      row({1, 1.5, 2, 3, 4})));
  // More at the end than any window reaches is the bias.
  CHECK(equal(conv_transpose1d(row({1, 2}), row({1}), Array<double>::of({7}),
                               {.stride = 4, .output_padding = 3})
                  .array(),
              row({8, 7, 7, 7, 9, 7, 7, 7})));
}

TEST_CASE("NaN stays in its window of conv_transpose2d") {
  auto x = Array<double>::full({1, 1, 1, 4}, 1);
  x.mutate()[3] = std::numeric_limits<double>::quiet_NaN();
  const auto y = conv_transpose2d(x, Array<double>::full({1, 1, 1, 2}, 1)).array();
  CHECK(equal(y.reshape({5}).leading(0, 3), Array<double>::of({1, 2, 2})));
  CHECK(std::isnan(y[3]));
  CHECK(std::isnan(y[4]));
}

TEST_CASE("conv_transpose2d of huge numbers is refused, not tried") {
  const auto x = op::spread({1, 1, 3, 3}), w = op::spread({1, 1, 2, 2});
  constexpr std::int64_t huge = 1 << 30;
  CHECK_THROWS_AS(conv_transpose2d(x, w, {.padding = INT64_MAX}), ArgumentError);
  CHECK_THROWS_AS(conv_transpose2d(x, w, {.padding = huge}), ShapeError);
  CHECK_THROWS_AS(conv_transpose2d(x, w, {.stride = huge}), ShapeError);
  CHECK_THROWS_AS(conv_transpose2d(x, w, {.dilation = huge}), ShapeError);
  CHECK_THROWS_AS(conv_transpose2d(x, w, {.output_padding = INT64_MAX}), ArgumentError);
  CHECK_THROWS_AS(conv_transpose2d(x, w, {.groups = INT64_MAX}), ShapeError);
  CHECK_THROWS_AS(conv_transpose2d(x, w, {.groups = INT64_MIN}), ArgumentError);
  CHECK_THROWS_AS(
      conv_transpose2d(op::spread({1, 0, 3, 3}), op::spread({0, 1, 2, 2}), {.groups = INT64_MAX}),
      ShapeError);
  CHECK_THROWS_AS(conv_transpose2d(x, w, Array<double>()), ArgumentError);
  CHECK_THROWS_AS(conv_transpose2d(x, op::spread({3})), ShapeError);
}

TEST_CASE("a decoder learns the images that an encoder has made smaller") {
  // Waves, of which every second number is kept.
  auto x = Array<double>::uninitialized({6, 1, 16});
  for (int i = 0; i < 96; ++i) x.mutate()[i] = std::sin(0.35 * (i % 16) + i / 16);
  const auto code = conv1d(x, Array<double>::of({0.25, 0.5, 0.25}).reshape({1, 1, 3}),
                           {.stride = 2, .padding = 1});
  REQUIRE(code.shape() == Shape{6, 1, 8});
  auto w = op::spread({1, 1, 4}, 0.1);
  const auto loss = [&](const auto& v) {
    return mse_loss(conv_transpose1d(code, v, {.stride = 2, .padding = 1}), x);
  };
  for (int step = 0; step < 200; ++step) w = (w - gradient(loss, w) * 0.5).array();
  CHECK(loss(Tensor<double>(w)).item() < 0.03 * mean(square(x)).item());
}

}  // TEST_SUITE("transposed convolution")
