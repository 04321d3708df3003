// SPDX-License-Identifier: BSD-3-Clause
// Pooling against a plain loop, with ties and special values; embedding.
#include <algorithm>
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

const double not_a_number = std::numeric_limits<double>::quiet_NaN();
const double inf = std::numeric_limits<double>::infinity();

/// The elements of one window that are not of the padding.
std::vector<double> window(const Array<double>& x, std::int64_t n, std::int64_t c, std::int64_t i,
                           std::int64_t j, HeightWidth kernel, const MaxPool2dOptions& o) {
  std::vector<double> elements;
  for (std::int64_t p = 0; p < kernel.height; ++p) {
    for (std::int64_t q = 0; q < kernel.width; ++q) {
      const std::int64_t row = i * o.stride.height - o.padding.height + p * o.dilation.height;
      const std::int64_t column = j * o.stride.width - o.padding.width + q * o.dilation.width;
      if (row < 0 || column < 0 || row >= x.shape()[2] || column >= x.shape()[3]) continue;
      elements.push_back(x(n, c, row, column));
    }
  }
  return elements;
}

void check(const Shape& shape, HeightWidth kernel, const MaxPool2dOptions& o, const Shape& ys) {
  CAPTURE(to_string(shape));
  const auto x = op::spread(shape, 3);
  auto largest = Array<double>::uninitialized(ys), mean = largest;
  double *l = largest.mutate(), *m = mean.mutate();
  for (std::int64_t n = 0; n < ys[0]; ++n) {
    for (std::int64_t c = 0; c < ys[1]; ++c) {
      for (std::int64_t i = 0; i < ys[2]; ++i) {
        for (std::int64_t j = 0; j < ys[3]; ++j) {
          const auto elements = window(x, n, c, i, j, kernel, o);
          *l++ = *std::max_element(elements.begin(), elements.end());
          long double sum = 0;
          for (double v : elements) sum += v;
          *m++ = double(sum / static_cast<long double>(kernel.height * kernel.width));
        }
      }
    }
  }
  CHECK_AGREES(same_bits(max_pool2d(x, kernel, o).array(), largest));
  if (o.dilation.height > 1 || o.dilation.width > 1) return;
  const AvgPool2dOptions options{.stride = o.stride, .padding = o.padding};
  CHECK_AGREES(close(avg_pool2d(x, kernel, options).array(), mean, 1e-14, 1e-14));
  CHECK_AGREES(close(avg_pool2d(cast<float>(x), kernel, options).array(), mean, 1e-6, 1e-6));
}

}  // namespace

TEST_SUITE("pooling") {

TEST_CASE("pooling agrees with a plain loop") {
  check({2, 3, 6, 8}, 2, {.stride = 2}, {2, 3, 3, 4});
  check({2, 3, 7, 9}, {3, 2}, {.stride = {2, 1}}, {2, 3, 3, 8});
  check({1, 2, 5, 6}, {3, 4}, {.stride = {1, 3}, .padding = {1, 2}}, {1, 2, 5, 3});
  check({1, 2, 7, 9}, {3, 2}, {.stride = 2, .padding = 1, .dilation = {2, 3}}, {1, 2, 3, 4});
  check({0, 2, 4, 4}, 2, {.stride = 2}, {0, 2, 2, 2});
}

TEST_CASE("the stride of pooling is that of the kernel unless given") {
  const auto x = op::spread({1, 1, 6, 6});
  CHECK_AGREES(
      same_bits(max_pool2d(x, {2, 3}).array(), max_pool2d(x, {2, 3}, {.stride = {2, 3}}).array()));
  CHECK_AGREES(
      same_bits(avg_pool2d(x, {2, 3}).array(), avg_pool2d(x, {2, 3}, {.stride = {2, 3}}).array()));
}

TEST_CASE("pooling of rows is pooling of planes of one row") {
  const auto x = op::spread({2, 3, 11}), planes = x.reshape({2, 3, 1, 11});
  CHECK_AGREES(same_bits(
      max_pool1d(x, 3, {.stride = 2, .padding = 1, .dilation = 2}).array().reshape({2, 3, 1, 5}),
      max_pool2d(planes, {1, 3}, {.stride = {1, 2}, .padding = {0, 1}, .dilation = {1, 2}})
          .array()));
  CHECK_AGREES(
      same_bits(avg_pool1d(x, 4, {.padding = 2}).array().reshape({2, 3, 1, 3}),
                avg_pool2d(planes, {1, 4}, {.stride = {1, 4}, .padding = {0, 2}}).array()));
}

TEST_CASE(
    "max pooling keeps NaN, takes -inf as a value, and gives the gradient to the first of equals") {
  const Array<double> x({1, 1, 8}, {1, not_a_number, -inf, -inf, 2, 2, 3, inf});
  const auto y = max_pool1d(x, 2).array();
  CHECK(std::isnan(y[0]));
  CHECK(y[1] == -inf);
  CHECK(y[2] == 2);
  CHECK(y[3] == inf);
  const auto g = gradient([](const auto& v) { return sum(max_pool1d(v, 2)); }, x).array();
  CHECK(equal(g, Array<double>({1, 1, 8}, {0, 1, 1, 0, 1, 0, 0, 1})));
  const auto twice = [](const auto& v) { return sum(max_pool1d(v, 2, {.stride = 1})); };
  const Array<double> peak({1, 1, 3}, {1, 5, 2});
  CHECK(equal(gradient(twice, peak).array(), Array<double>({1, 1, 3}, {0, 2, 0})));
}

TEST_CASE("the mean over windows of equal elements is that element") {
  const auto x = Array<float>::full({1, 1, 9, 9}, 3.0F);
  CHECK(equal(avg_pool2d(x, 3).array(), Array<float>::full({1, 1, 3, 3}, 3.0F)));
  const auto padded = avg_pool2d(Array<double>::full({1, 1, 1, 2}, 3), {1, 3}, {.padding = {0, 1}});
  CHECK(padded.item() == 2);
}

TEST_CASE("embedding takes rows, and its gradient adds them up but for the padding index") {
  const auto weight = op::spread({4, 2});
  const auto indices = Array<std::int64_t>::of({{3, 1, 3}, {0, 3, 1}});
  const auto y = embedding(indices, weight).array();
  CHECK(y.shape() == Shape{2, 3, 2});
  for (std::int64_t i = 0; i < 12; ++i) CHECK(y[i] == weight[2 * indices[i / 2] + i % 2]);
  const auto f = [&](EmbeddingOptions o) {
    return [&indices, o](const auto& w) { return sum(embedding(indices, w, o)); };
  };
  CHECK(equal(gradient(f({}), weight).array(), Array<double>({4, 2}, {1, 1, 2, 2, 0, 0, 3, 3})));
  CHECK(equal(gradient(f({.padding_index = 3}), weight).array(),
              Array<double>({4, 2}, {1, 1, 2, 2, 0, 0, 0, 0})));
  CHECK_AGREES(same_bits(embedding(indices, weight, {.padding_index = 3}).array(), y));
  CHECK_THROWS_AS(embedding(Array<std::int64_t>(), weight), ArgumentError);
  CHECK(message_of<ShapeError>([&] {
          embedding(Array<std::int64_t>::zeros({1, 1, 1, 1, 1, 1}), weight);
        }) != "nothing was thrown");
}

}  // TEST_SUITE("pooling")
