// SPDX-License-Identifier: BSD-3-Clause
// Products of many matrices, each against the product of two.
#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

TEST_SUITE("products") {

TEST_CASE("batches of matrices broadcast, with every transposition") {
  struct Case {
    Shape a, b;  // of the batches
  };
  for (const Case& c : {Case{{5}, {5}}, Case{{5}, {}}, Case{{}, {5}}, Case{{2, 1}, {3}},
                        Case{{1}, {4}}, Case{{2, 3}, {2, 3}}, Case{{3, 2}, {1, 2}}}) {
    for (int t = 0; t < 4; ++t) {
      const bool ta = t & 1, tb = t & 2;
      const std::int64_t m = 3, k = 9, n = 5;
      const auto with = [](const Shape& batch, std::int64_t rows, std::int64_t columns) {
        std::vector<std::int64_t> sizes(batch.sizes().begin(), batch.sizes().end());
        sizes.insert(sizes.end(), {rows, columns});
        return Shape(std::span<const std::int64_t>(sizes));
      };
      const auto a = op::spread(with(c.a, ta ? k : m, ta ? m : k));
      const auto b = op::spread(with(c.b, tb ? n : k, tb ? k : n));
      const auto y = matmul(a, b, {.transpose_a = ta, .transpose_b = tb}).array();
      const Shape batch = broadcast("test", c.a, c.b);
      REQUIRE(y.shape() == with(batch, m, n));
      const auto wide_a = broadcast_to(a, with(batch, ta ? k : m, ta ? m : k)).array();
      const auto wide_b = broadcast_to(b, with(batch, tb ? n : k, tb ? k : n)).array();
      CAPTURE(y.shape());
      CAPTURE(t);
      for (std::int64_t i = 0; i < batch.size(); ++i) {
        const auto one = [i](const Array<double>& x) {
          const std::int64_t rows = x.shape()[x.rank() - 2], columns = x.shape()[x.rank() - 1];
          return x.reshape({x.size() / (rows * columns), rows, columns})
              .leading(i, i + 1)
              .reshape({rows, columns});
        };
        const auto expected =
            matmul(one(wide_a), one(wide_b), {.transpose_a = ta, .transpose_b = tb});
        CHECK_AGREES(close(one(y), expected.array(), 1e-14, 1e-14));
      }
    }
  }
}

TEST_CASE("vectors meet batches") {
  const auto x = op::spread({4, 2, 3}), rows = op::spread({2}), columns = op::spread({3});
  const auto left = matmul(rows, x).array(), right = matmul(x, columns).array();
  REQUIRE(left.shape() == Shape{4, 3});
  REQUIRE(right.shape() == Shape{4, 2});
  for (std::int64_t i = 0; i < 4; ++i) {
    for (std::int64_t j = 0; j < 3; ++j) {
      CHECK(std::abs(left(i, j) - (rows[0] * x(i, 0, j) + rows[1] * x(i, 1, j))) < 1e-14);
    }
    for (std::int64_t j = 0; j < 2; ++j) {
      const double expected =
          x(i, j, 0) * columns[0] + x(i, j, 1) * columns[1] + x(i, j, 2) * columns[2];
      CHECK(std::abs(right(i, j) - expected) < 1e-14);
    }
  }
}

TEST_CASE("linear takes x with any leading axes") {
  const auto w = op::spread({4, 3}), b = op::spread({4}), x = op::spread({2, 5, 3});
  const auto rows = linear(x.reshape({10, 3}), w, b).array();
  CHECK(equal(linear(x, w, b).array(), rows.reshape({2, 5, 4})));
  CHECK(equal(linear(x.reshape({5, 1, 2, 3}), w, b).array(), rows.reshape({5, 1, 2, 4})));
  const auto row = slice(x.reshape({10, 3}), 0, {0, 1}).array();
  CHECK(equal(linear(row.reshape({3}), w, b).array(), linear(row, w, b).array().reshape({4})));
  CHECK(linear(Array<double>::zeros({2, 0, 3}), w, b).shape() == Shape({2, 0, 4}));
}

}  // TEST_SUITE("products")
