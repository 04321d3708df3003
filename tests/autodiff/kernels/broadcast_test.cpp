// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/kernels/broadcast.hpp"

#include <vector>

#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::detail;

namespace {

/// All shapes of up to three axes of size 1 to 3.
std::vector<Shape> small_shapes() {
  std::vector<Shape> all = {Shape()};
  for (const std::int64_t a : {1, 2, 3}) {
    all.push_back({a});
    for (const std::int64_t b : {1, 2, 3}) {
      all.push_back({a, b});
      for (const std::int64_t c : {1, 2, 3}) all.push_back({a, b, c});
    }
  }
  return all;
}

bool broadcasts(const Shape& x, const Shape& out) {
  if (x.rank() > out.rank()) return false;
  for (int i = 1; i <= x.rank(); ++i) {
    if (x[x.rank() - i] != 1 && x[x.rank() - i] != out[out.rank() - i]) return false;
  }
  return true;
}

/// Where the element at `offset` of the output is in x.
std::int64_t place_in(const Shape& x, const Shape& out, std::int64_t offset) {
  std::int64_t place = 0, stride = 1;
  for (int i = 1; i <= x.rank(); ++i) {
    const std::int64_t size = out[out.rank() - i];
    if (x[x.rank() - i] != 1) place += offset % size * stride;
    stride *= x[x.rank() - i];
    offset /= size;
  }
  return place;
}

/// Whether the planes visit each element of the output once, with its elements of both operands.
bool is_right(const Shape& out, const Shape* const (&shapes)[2]) {
  std::vector<int> visits(std::size_t(out.size()));
  bool right = true;
  for_each_offset(
      out, shapes, [&](std::int64_t start, const std::int64_t* offsets, const Planes& planes) {
        for (std::int64_t r = 0; r < planes.grid.rows; ++r) {
          for (std::int64_t c = 0; c < planes.grid.cols; ++c) {
            const std::int64_t at = start + r * planes.grid.cols + c;
            ++visits[std::size_t(at)];
            for (int k = 0; k < 2; ++k) {
              const std::int64_t place = offsets[k] + r * planes.row[k] + c * planes.col[k];
              right &= place == (shapes[k] ? place_in(*shapes[k], out, at) : 0);
              right &= planes.col[k] == 0 || planes.col[k] == 1;
            }
          }
        }
      });
  for (const int n : visits) right &= n == 1;
  return right;
}

}  // namespace

TEST_SUITE("kernels") {

TEST_CASE("the planes of a broadcast lead to each element of each operand") {
  const auto shapes = small_shapes();
  int count = 0;
  for (const Shape& out : shapes) {
    for (const Shape& a : shapes) {
      if (!broadcasts(a, out)) continue;
      for (const Shape& b : shapes) {
        if (!broadcasts(b, out)) continue;
        CAPTURE(out);
        CAPTURE(a);
        CAPTURE(b);
        REQUIRE(is_right(out, {&a, &b}));
        REQUIRE(is_right(out, {&a, nullptr}));
        ++count;
      }
    }
  }
  CHECK(count > 1000);
}

TEST_CASE("rows that all operands have one after the other are one") {
  const Shape matrix{3, 4}, column{3, 1}, row{4}, vector{12};
  const Shape* const whole[] = {&matrix, nullptr};
  CHECK(Planes(matrix, whole, 2).grid.cols == 12);
  const Shape* const columns[] = {&column, nullptr};
  CHECK(Planes(column, columns, 2).grid.cols == 3);
  const Shape* const broadcast[] = {&matrix, &row};
  CHECK(Planes(matrix, broadcast, 2).grid.rows == 3);
}

}  // TEST_SUITE("kernels")
