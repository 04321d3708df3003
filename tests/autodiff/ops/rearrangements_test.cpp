// SPDX-License-Identifier: BSD-3-Clause
// Where operations on shapes and indices put each element.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// The array whose element (i, j, k) is at(i, j, k).
template <class F>
Array<double> filled(const Shape& shape, F at) {
  auto values = Array<double>::uninitialized(shape);
  double* v = values.mutate();
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    for (std::int64_t j = 0; j < shape[1]; ++j) {
      for (std::int64_t k = 0; k < shape[2]; ++k) *v++ = at(i, j, k);
    }
  }
  return values;
}

const Array<double> x = op::spread({3, 4, 5});

/// Indices below `size` for every element of a shape, in no order and some of them twice.
Array<std::int64_t> some_indices(const Shape& shape, std::int64_t size) {
  auto values = Array<std::int64_t>::uninitialized(shape);
  for (std::int64_t i = 0; i < shape.size(); ++i) values.mutate()[i] = (7 * i + i / 3) % size;
  return values;
}

}  // namespace

TEST_SUITE("rearrange") {

TEST_CASE("flip, roll, permute and pad put each element where the formula says") {
  CHECK_AGREES(same_bits(flip(x, {0, 2}).array(), filled({3, 4, 5}, [](auto i, auto j, auto k) {
                           return x(2 - i, j, 4 - k);
                         })));
  CHECK_AGREES(same_bits(permute(x, {2, 0, 1}).array(),
                         filled({5, 3, 4}, [](auto i, auto j, auto k) { return x(j, k, i); })));
  for (const int shift : {-9, -1, 0, 2, 4, 11}) {
    CAPTURE(shift);
    CHECK_AGREES(same_bits(
        roll(x, shift, 1).array(),
        filled({3, 4, 5}, [=](auto i, auto j, auto k) { return x(i, (j - shift + 12) % 4, k); })));
  }
  CHECK_AGREES(same_bits(pad(x, {{1, 0}, {0, 2}, {2, 1}}, 7.5).array(),
                         filled({4, 6, 8}, [](auto i, auto j, auto k) {
                           const bool inside = i >= 1 && j < 4 && k >= 2 && k < 7;
                           return inside ? x(i - 1, j, k - 2) : 7.5;
                         })));
  // Every element size has its own copy.
  CHECK_AGREES(
      same_bits(flip(cast<float>(x), {0, 2}).array(), cast<float>(flip(x, {0, 2})).array()));
}

TEST_CASE("shift loses what leaves the axis, and fills what becomes free") {
  for (const std::int64_t n :
       std::vector<std::int64_t>{INT64_MIN, -4, -3, -1, 0, 2, 4, INT64_MAX}) {
    CAPTURE(n);
    const auto by = std::clamp<std::int64_t>(n, -9, 9);
    CHECK_AGREES(
        same_bits(shift(x, n, 1, 7.5).array(), filled({3, 4, 5}, [=](auto i, auto j, auto k) {
                    return j - by < 0 || j - by >= 4 ? 7.5 : x(i, j - by, k);
                  })));
  }
  const auto row = Array<float>::of({1, 2, 3});
  CHECK(equal(shift(row, 1, 0).array(), Array<float>::of({0, 1, 2})));
  CHECK(equal(shift(row, -1, -1).array(), Array<float>::of({2, 3, 0})));
  CHECK(shift(Array<double>::zeros({2, 0}), 3, 1, 1).shape() == Shape{2, 0});
}

TEST_CASE("margins and counts that no memory can hold are refused") {
  CHECK_THROWS_AS(pad(x, {{INT64_MAX, INT64_MAX}, {0, 0}, {0, 0}}), ArgumentError);
  CHECK_THROWS_AS(pad(x, {{0, std::int64_t(1) << 48}, {0, std::int64_t(1) << 48}, {0, 0}}),
                  ShapeError);
  CHECK_THROWS_AS(tile(x, {INT64_MAX}), ShapeError);
}

TEST_CASE("tile and repeat copy the array, repeat_interleave its elements") {
  const auto tiled = filled({3, 8, 15}, [](auto i, auto j, auto k) { return x(i, j % 4, k % 5); });
  CHECK_AGREES(same_bits(tile(x, {2, 3}).array(), tiled));
  CHECK_AGREES(same_bits(repeat(x, {1, 2, 3}).array(), tiled));
  CHECK_AGREES(
      same_bits(repeat_interleave(x, 3, 1).array(),
                filled({3, 12, 5}, [](auto i, auto j, auto k) { return x(i, j / 3, k); })));
  const auto row = Array<double>::of({1, 2});
  CHECK(equal(repeat(row, {2, 2}).array(), Array<double>::of({{1, 2, 1, 2}, {1, 2, 1, 2}})));
  CHECK(tile(Tensor<double>(3), {2, 2}).shape() == Shape{2, 2});
  CHECK(tile(x, {0}).shape() == Shape{3, 4, 0});
}

TEST_CASE("stack and split are each other's reverse") {
  for (const int axis : {0, 1, 2, -1}) {
    CAPTURE(axis);
    std::vector<Tensor<double>> parts;
    for (const auto& part : split(x, 1, axis)) parts.push_back(squeeze(part, axis));
    CHECK_AGREES(same_bits(stack(parts, axis).array(), x));
    CHECK_AGREES(same_bits(concat(split(x, 2, axis), axis).array(), x));
  }
  const auto parts = split(x, {1, 0, 3}, 1);
  REQUIRE(parts.size() == 3);
  CHECK(parts[1].shape() == Shape{3, 0, 5});
  CHECK_AGREES(same_bits(parts[2].array(),
                         filled({3, 3, 5}, [](auto i, auto j, auto k) { return x(i, j + 1, k); })));
  CHECK(split(x, 2).back().shape() == Shape{1, 4, 5});
}

TEST_CASE("squeeze takes away axes of size 1 only, unsqueeze adds one") {
  const auto y = op::spread({1, 3, 1});
  CHECK(squeeze(y).shape() == Shape{3});
  CHECK(squeeze(y, 0).shape() == Shape{3, 1});
  CHECK(squeeze(y, {-1, 1}).shape() == Shape{1, 3});
  CHECK(unsqueeze(y, 3).shape() == Shape{1, 3, 1, 1});
  CHECK(unsqueeze(y, -4).shape() == Shape{1, 1, 3, 1});
}

TEST_CASE("elements are chosen by index along every axis") {
  const auto indices = Array<std::int64_t>::of({2, 0, 2, 1});
  CHECK_AGREES(
      same_bits(index_select(x, 1, indices).array(),
                filled({3, 4, 5}, [&](auto i, auto j, auto k) { return x(i, indices(j), k); })));
  CHECK_AGREES(same_bits(index_select(x, 0, indices).array(), gather_rows(x, indices).array()));
  for (int axis = 0; axis < 3; ++axis) {
    CAPTURE(axis);
    const Shape shape = x.shape().with(axis, 6);
    const auto index = some_indices(shape, x.shape()[axis]);
    CHECK_AGREES(
        same_bits(gather(x, axis, index).array(), filled(shape, [&](auto i, auto j, auto k) {
                    const auto at = index(i, j, k);
                    return axis == 0 ? x(at, j, k) : axis == 1 ? x(i, at, k) : x(i, j, at);
                  })));
    const auto source = op::spread(shape, 3);
    auto expected = x;
    double* to = expected.mutate();
    for (std::int64_t i = 0; i < shape[0]; ++i) {
      for (std::int64_t j = 0; j < shape[1]; ++j) {
        for (std::int64_t k = 0; k < shape[2]; ++k) {
          std::int64_t place[] = {i, j, k};
          place[axis] = index(i, j, k);
          to[(place[0] * 4 + place[1]) * 5 + place[2]] += source(i, j, k);
        }
      }
    }
    CHECK_AGREES(same_bits(scatter_add(x, axis, index, source).array(), expected));
  }
}

TEST_CASE("masked_select keeps the order of the elements") {
  std::vector<double> positive;
  for (const double v : x) {
    if (v > 0) positive.push_back(v);
  }
  const Array<double> expected({std::int64_t(positive.size())}, std::span(std::as_const(positive)));
  CHECK_AGREES(same_bits(masked_select(x, x > 0.0).array(), expected));
  CHECK(masked_select(x, x > 100.0).shape() == Shape{0});
}

TEST_CASE("one_hot writes a row for each index") {
  const auto rows = one_hot(Array<std::int64_t>::of({2, 0}), 3);
  static_assert(std::is_same_v<decltype(rows), const Array<float>>);
  CHECK(equal(rows, Array<float>::of({{0, 0, 1}, {1, 0, 0}})));
  CHECK(one_hot<double>(Array<std::int64_t>::zeros({0, 2}), 3).shape() == Shape{0, 2, 3});
  CHECK_THROWS_WITH_AS(one_hot(Array<std::int64_t>::of({0, 3}), 3),
                       "one_hot: index 3 at position 1 is not in [0, 3); the indices are (2,)",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(one_hot(Array<std::int64_t>::of({0}), 0),
                       "one_hot: 0 classes; there is at least one", ArgumentError);
  CHECK_THROWS_AS(one_hot(Array<std::int64_t>(), 3), ArgumentError);
}

}  // TEST_SUITE("rearrange")
