// SPDX-License-Identifier: BSD-3-Clause
// Diagonals, triangles and products of vectors, against loops.
#include <cstdint>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

TEST_SUITE("matrices") {

TEST_CASE("dot is the sum of products, and outer all products") {
  const auto a = op::spread({3}), b = op::spread({3}, 5), c = op::spread({4}, 9);
  CHECK(std::abs(dot(a, b).item() - (a[0] * b[0] + a[1] * b[1] + a[2] * b[2])) < 1e-14);
  const auto m = outer(a, c).array();
  REQUIRE(m.shape() == Shape{3, 4});
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 4; ++j) CHECK(m(i, j) == a[i] * c[j]);
  }
}

TEST_CASE_TEMPLATE("cross is perpendicular to both, along every axis", T, float, double) {
  const auto a = Array<T>::of({{1, 0, 0}, {1, 2, 3}}), b = Array<T>::of({{0, 1, 0}, {4, 5, 6}});
  const auto expected = Array<T>::of({{0, 0, 1}, {-3, 6, -3}});
  CHECK(equal(cross(a, b).array(), expected));
  CHECK(equal(cross(transpose(a), transpose(b), 0).array(), transpose(expected).array()));
}

TEST_CASE("cross broadcasts all axes but its own") {
  const auto a = op::spread({3}), b = op::spread({4, 2, 3}), c = reshape(a, {3, 1}).array();
  const auto ab = cross(a, b).array(), ba = cross(b, a).array();
  REQUIRE(ab.shape() == b.shape());
  for (std::int64_t i = 0; i < 4; ++i) {
    for (std::int64_t j = 0; j < 2; ++j) {
      const Tensor<double> row = Tensor<double>(b)[i][j];
      CHECK_AGREES(same_bits(Tensor<double>(ab)[i][j].array(), cross(a, row).array()));
      CHECK_AGREES(same_bits(Tensor<double>(ba)[i][j].array(), cross(row, a).array()));
    }
  }
  // Axis 1 of the result is axis 0 of the operand that has one axis less.
  const auto d = transpose(b, {0, 2, 1}).array();
  CHECK_AGREES(same_bits(cross(c, d, 1).array(), transpose(ab, {0, 2, 1}).array()));
  CHECK(cross(a, Array<double>::zeros({0, 3})).shape() == Shape{0, 3});
}

TEST_CASE_TEMPLATE("kron puts all of b in the place of each element of a", T, float, double) {
  const auto a = Array<T>::of({{1, 2}, {3, 4}}), b = Array<T>::of({{0, 5}, {6, 7}});
  CHECK(equal(kron(a, b).array(),
              Array<T>::of({{0, 5, 0, 10}, {6, 7, 12, 14}, {0, 15, 0, 20}, {18, 21, 24, 28}})));
  CHECK(equal(kron(Array<T>::of({1, 10}), Array<T>::of({1, 2, 3})).array(),
              Array<T>::of({1, 2, 3, 10, 20, 30})));
  CHECK(
      equal(kron(Array<T>::of({1, 10}), b).array(), Array<T>::of({{0, 5, 0, 50}, {6, 7, 60, 70}})));
}

TEST_CASE_TEMPLATE("vander has the powers of each element in its row", T, float, double) {
  const auto x = Array<T>::of({0, -2, 3});
  CHECK(equal(vander(x, 4).array(), Array<T>::of({{1, 0, 0, 0}, {1, -2, 4, -8}, {1, 3, 9, 27}})));
  CHECK(equal(vander(x, 3, true).array(), Array<T>::of({{0, 0, 1}, {4, -2, 1}, {9, 3, 1}})));
  CHECK(equal(vander(Array<T>::full({}, 2), 3).array(), Array<T>::of({1, 2, 4})));
  CHECK(vander(Array<T>::zeros({2, 3}), 5).shape() == Shape{2, 3, 5});
  CHECK(vander(x, 0).shape() == Shape{3, 0});
  CHECK(vander(Array<T>::zeros({0}), 4).shape() == Shape{0, 4});
}

TEST_CASE("the derivatives of a polynomial at 0 are its coefficients, times factorials") {
  const Variable<double> x(Array<double>::of({0, 0}));
  const auto c = Array<double>::of({5, 7, 11, 13, 17});
  Tape tape;
  Tensor<double> y = matmul(vander(x, 5), c);
  double factorial = 1;
  for (int k = 0; k < 5; ++k) {
    CAPTURE(k);
    CHECK(equal(y.array(), Array<double>::full({2}, factorial * c[k])));
    factorial *= k + 1;
    if (k < 4) y = grad(sum(y), x, {.create_graph = true});
  }
}

TEST_CASE_TEMPLATE("block puts matrices beside and below each other", T, float, double) {
  const auto a = Array<T>::of({{1, 2}, {3, 4}}), b = Array<T>::of({{5}, {6}});
  const Variable<T> c(Array<T>::of({{7}})), d(Array<T>::of({{8, 9}}));
  CHECK(equal(block({{a, b}, {c, d}}).array(), Array<T>::of({{1, 2, 5}, {3, 4, 6}, {7, 8, 9}})));
  CHECK(equal(block({{a}, {c, c}, {d}}).array(), Array<T>::of({{1, 2}, {3, 4}, {7, 7}, {8, 9}})));
  CHECK(equal(block({{a, a}}).array(), Array<T>::of({{1, 2, 1, 2}, {3, 4, 3, 4}})));
  CHECK(equal(block({{a}}).array(), a));
  const auto none = Array<T>::zeros({0, 2}), batch = Array<T>::zeros({4, 5, 2});
  CHECK(equal(block({{none}, {a}}).array(), a));
  CHECK(block({{batch, batch}, {batch, batch}}).shape() == Shape{4, 10, 4});
}

TEST_CASE("each matrix of a block gets its part of the gradient") {
  const Variable<double> a(op::spread({2, 2})), b(op::spread({2, 1})), c(op::spread({1, 3}));
  const auto g = Array<double>::of({{1, 2, 3}, {4, 5, 6}, {7, 8, 9}});
  Tape tape;
  backward(sum(g * block({{a, b}, {c}})));
  CHECK(equal(a.gradient(), Array<double>::of({{1, 2}, {4, 5}})));
  CHECK(equal(b.gradient(), Array<double>::of({{3}, {6}})));
  CHECK(equal(c.gradient(), Array<double>::of({{7, 8, 9}})));
}

TEST_CASE("diagonals are taken and made at every offset") {
  for (const Shape& shape : {Shape{3, 5}, Shape{4, 2}, Shape{3, 3}, Shape{0, 2}}) {
    const auto x = op::spread(shape);
    for (std::int64_t offset = -6; offset <= 6; ++offset) {
      std::vector<double> expected;
      for (std::int64_t i = 0; i < shape[0]; ++i) {
        const std::int64_t j = i + offset;
        if (j >= 0 && j < shape[1]) expected.push_back(x(i, j));
      }
      const Array<double> values({std::int64_t(expected.size())}, expected);
      CHECK_AGREES(same_bits(diag(x, offset).array(), values));
    }
  }
  const auto v = op::spread({2});
  CHECK(equal(diag(v).array(), Array<double>::of({{v[0], 0}, {0, v[1]}})));
  CHECK(equal(diag(v, 1).array(), Array<double>({3, 3}, {0, v[0], 0, 0, 0, v[1], 0, 0, 0})));
  CHECK(equal(diag(v, -1).array(), Array<double>({3, 3}, {0, 0, 0, v[0], 0, 0, 0, v[1], 0})));
  CHECK(trace(Array<double>::of({{1, 2, 3}, {4, 5, 6}})).item() == 6);
  CHECK(diag(op::spread({2, 2}), INT64_MAX).size() == 0);
}

TEST_CASE("triangles of every matrix leave NaN out") {
  auto x = op::spread({2, 3, 4});
  x.mutate()[3] = std::nan("");  // (0, 0, 3)
  for (std::int64_t offset = -5; offset <= 5; ++offset) {
    const auto lower = tril(x, offset).array(), upper = triu(x, offset).array();
    for (std::int64_t n = 0, at = 0; n < 2; ++n) {
      for (std::int64_t i = 0; i < 3; ++i) {
        for (std::int64_t j = 0; j < 4; ++j, ++at) {
          const auto is = [&](double given, bool there) {
            const double expected = there ? x[at] : 0;
            return given == expected || (std::isnan(given) && std::isnan(expected));
          };
          CHECK(is(lower[at], j <= i + offset));
          CHECK(is(upper[at], j >= i + offset));
        }
      }
    }
  }
  CHECK(equal(tril(op::spread({2, 2}), INT64_MIN).array(), Array<double>::zeros({2, 2})));
  CHECK(equal(triu(op::spread({2, 2}), INT64_MIN).array(), op::spread({2, 2})));
}

}  // TEST_SUITE("matrices")
