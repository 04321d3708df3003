// SPDX-License-Identifier: BSD-3-Clause
// Where lower triangles have their packed elements, and products with them in batches.
#include <cstdint>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

TEST_SUITE("triangles") {

TEST_CASE_TEMPLATE("packed elements go down the columns, or along the rows", T, float, double) {
  const auto packed = Array<T>::of({1, 2, 3, 4, 5, 6});
  CHECK(equal(lower_triangle(packed).array(), Array<T>::of({{1, 0, 0}, {2, 4, 0}, {3, 5, 6}})));
  CHECK(equal(lower_triangle(packed, {.by_rows = true}).array(),
              Array<T>::of({{1, 0, 0}, {2, 3, 0}, {4, 5, 6}})));
  const auto diagonal = Array<T>::of({7, 8, 9, 10});
  CHECK(equal(lower_triangle(packed, diagonal).array(),
              Array<T>::of({{7, 0, 0, 0}, {1, 8, 0, 0}, {2, 4, 9, 0}, {3, 5, 6, 10}})));
  CHECK(equal(lower_triangle(packed, diagonal, {.by_rows = true}).array(),
              Array<T>::of({{7, 0, 0, 0}, {1, 8, 0, 0}, {2, 3, 9, 0}, {4, 5, 6, 10}})));
}

TEST_CASE("each matrix of a batch has the elements of its row") {
  const Tensor<double> packed(op::spread({2, 3, 6})), diagonal(op::spread({2, 3, 4}));
  const auto all = lower_triangle(packed, diagonal), whole = lower_triangle(packed);
  REQUIRE(all.shape() == Shape{2, 3, 4, 4});
  REQUIRE(whole.shape() == Shape{2, 3, 3, 3});
  for (std::int64_t i = 0; i < 2; ++i) {
    for (std::int64_t j = 0; j < 3; ++j) {
      CHECK_AGREES(
          same_bits(all[i][j].array(), lower_triangle(packed[i][j], diagonal[i][j]).array()));
      CHECK_AGREES(same_bits(whole[i][j].array(), lower_triangle(packed[i][j]).array()));
    }
  }
}

TEST_CASE("triangles may have one element, or none") {
  const auto none = Array<double>::zeros({2, 0}), one = Array<double>::of({{3}, {4}});
  CHECK(lower_triangle(none).shape() == Shape{2, 0, 0});
  CHECK(lower_triangle(none, none).shape() == Shape{2, 0, 0});
  CHECK(equal(lower_triangle(one).array(), Array<double>({2, 1, 1}, {3, 4})));
  CHECK(equal(lower_triangle(none, one).array(), Array<double>({2, 1, 1}, {3, 4})));
  CHECK(lower_triangle(Array<double>::zeros({0, 3})).shape() == Shape{0, 2, 2});
}

TEST_CASE("the gradient has the elements of the lower triangle") {
  const auto g = op::spread({3, 3});
  const auto f = [&](const auto& x) { return sum(g * lower_triangle(x)); };
  CHECK(equal(gradient(f, op::spread({6})).array(),
              Array<double>::of({g(0, 0), g(1, 0), g(2, 0), g(1, 1), g(2, 1), g(2, 2)})));
}

}  // TEST_SUITE("triangles")
