// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/sparse/sparse_rows.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <sstream>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using ebb::test::message_of;
using Indices = Array<std::int64_t>;

namespace {

Array<double> some() { return Array<double>::of({{0, 2, 0}, {0, 0, 0}, {-1, 0, 3}, {4, 5, 6}}); }

/// Rows of three columns.
SparseRows<double> made(std::initializer_list<std::int64_t> offsets,
                        std::initializer_list<std::int64_t> indices, std::int64_t values = -1) {
  if (values < 0) values = std::int64_t(indices.size());
  return {3, Indices::of(offsets), Indices::of(indices), Array<double>::ones({values})};
}

template <class F>
std::string refusal(const F& f) {
  return message_of<ArgumentError>(f);
}

}  // namespace

TEST_SUITE_BEGIN("sparse rows");

TEST_CASE_TEMPLATE("a matrix and its non-zeros are the same", T, float, double) {
  const auto dense = Array<T>::of({{0, 2, 0}, {0, 0, 0}, {-1, 0, 3}});
  const auto x = SparseRows<T>::from_dense(dense);
  CHECK(x.rows() == 3);
  CHECK(x.columns() == 3);
  CHECK(x.nonzeros() == 3);
  CHECK(x.shape() == Shape{3, 3});
  CHECK(equal(x.to_dense(), dense));
  const auto c = x.compressed();
  CHECK(equal(c.offsets, Indices::of({0, 1, 1, 3})));
  CHECK(equal(c.indices, Indices::of({1, 0, 2})));
  CHECK(equal(c.values, Array<T>::of({2, -1, 3})));
  CHECK(equal(SparseRows<T>(3, c.offsets, c.indices, c.values).to_dense(), dense));
  CHECK(x.row(2).columns[1] == 2);
  CHECK(x.row(2).values[0] == -1);
  CHECK(x.row(1).columns.empty());
  std::ostringstream out;
  out << x;
  CHECK(out.str() == "SparseRows (3, 3) with 3 non-zeros");
}

TEST_CASE("NaN is not zero, and a zero may be listed") {
  const auto x = SparseRows<double>::from_dense(Array<double>::of({{0, NAN}, {-0.0, 1}}));
  CHECK(x.nonzeros() == 2);
  const SparseRows<double> zero(2, Indices::of({0, 1}), Indices::of({1}),
                                Array<double>::zeros({1}));
  CHECK(zero.nonzeros() == 1);
  CHECK(equal(zero.to_dense(), Array<double>::zeros({1, 2})));
}

TEST_CASE("rows are taken by their numbers, and share their elements") {
  const auto x = SparseRows<double>::from_dense(some());
  const std::vector<std::int64_t> order{3, 0, 3, 1};
  const auto rows = x.rows(order);
  CHECK(equal(rows.to_dense(), Array<double>::of({{4, 5, 6}, {0, 2, 0}, {4, 5, 6}, {0, 0, 0}})));
  CHECK(rows.nonzeros() == 7);
  CHECK(rows.shared_values().data() == x.shared_values().data());
  const auto c = rows.compressed();
  CHECK(equal(c.offsets, Indices::of({0, 3, 4, 7, 7})));
  CHECK(equal(c.indices, Indices::of({0, 1, 2, 1, 0, 1, 2})));
  CHECK(equal(c.values, Array<double>::of({4, 5, 6, 2, 4, 5, 6})));
  CHECK(rows.rows(std::vector<std::int64_t>{1}).row(0).values[0] == 2);
  const auto slice = x.slice(1, 3);
  CHECK(equal(slice.to_dense(), Array<double>::of({{0, 0, 0}, {-1, 0, 3}})));
  CHECK(slice.nonzeros() == 2);
  CHECK(equal(slice.compressed().values, Array<double>::of({-1, 3})));
  CHECK(x.slice(0, 3).nonzeros() == 3);
  CHECK(x.slice(4, 4).rows() == 0);
  CHECK(x.rows(std::vector<std::int64_t>{}).shape() == Shape{0, 3});
  // As many elements as there are, in another order.
  const auto turned = x.rows(std::vector<std::int64_t>{2, 3, 0, 1}).compressed();
  CHECK(equal(turned.values, Array<double>::of({-1, 3, 4, 5, 6, 2})));
}

TEST_CASE("columns are scaled, and zeros stay") {
  const auto x = SparseRows<double>::from_dense(some().reshape({3, 4}));
  CHECK(equal(x.largest(), Array<double>::of({3, 4, 5, 6})));
  const auto y = x.scaled(Array<double>::of({2, 1, 0.5, -1}));
  CHECK(equal(y.to_dense(), Array<double>::of({{0, 2, 0, 0}, {0, 0, -0.5, 0}, {6, 4, 2.5, -6}})));
  const auto zero = SparseRows<double>::from_dense(Array<double>::of({{0, -2}}));
  CHECK(equal(zero.largest(), Array<double>::of({1, 2})));
  CHECK(equal(zero.scaled(Array<double>::of({7, 3})).to_dense(), Array<double>::of({{0, -6}})));
  CHECK(equal(zero.as<float>().to_dense(), Array<float>::of({{0, -2}})));
  CHECK(message_of<ShapeError>([&] { zero.scaled(Array<double>::of({1})); }) ==
        "SparseRows: factors must be (2,), one for each column, not (1,)");
}

TEST_CASE("rows of nothing") {
  const SparseRows<float> none;
  CHECK(none.shape() == Shape{0, 0});
  CHECK(none.to_dense().shape() == Shape{0, 0});
  const SparseRows<double> empty(5, Indices::of({0, 0}), Indices(), Array<double>());
  CHECK(empty.shape() == Shape{1, 5});
  CHECK(empty.nonzeros() == 0);
  CHECK(equal(empty.largest(), Array<double>::ones({5})));
}

TEST_CASE("what is no list of rows is refused") {
  CHECK(made({0, 2, 2}, {0, 2}).rows() == 2);
  CHECK(refusal([] {
          made({1, 2}, {0, 1});
        }) == "SparseRows: offsets[0] is 1; the first row begins at 0");
  CHECK(refusal([] {
          made({0, 2, 1}, {0, 1});
        }) == "SparseRows: offsets[2] is 1, below 2 before it; a row ends after it begins");
  CHECK(refusal([] {
          made({0, 1}, {0, 1});
        }) == "SparseRows: the last offset is 1, and there are 2 values");
  CHECK(refusal([] {
          made({0, 2}, {0});
        }) == "SparseRows: the last offset is 2, and there is 1 value");
  CHECK(refusal([] {
          made({0, 1, 2}, {0, 3});
        }) == "SparseRows: indices[1] is 3 in row 1; columns are in [0, 3)");
  CHECK(refusal([] {
          made({0, 1}, {-1});
        }) == "SparseRows: indices[0] is -1 in row 0; columns are in [0, 3)");
  CHECK(refusal([] {
          made({0, 2}, {1, 1});
        }) ==
        "SparseRows: indices[1] is 1 in row 0, after 1; the columns of a row ascend, each once");
  CHECK(refusal([] {
          SparseRows<double>(-1, Indices::of({0}), Indices::of({}), Array<double>::of({}));
        }) == "SparseRows: there cannot be -1 columns");
  const auto shape = [](const auto& f) { return message_of<ShapeError>(f); };
  CHECK(shape([] { made({}, {}); }) == "SparseRows: offsets must be (rows + 1,), not (0,)");
  CHECK(shape([] {
          made({0, 2}, {0, 1}, 3);
        }) == "SparseRows: each value needs its column; indices are (2,) and values (3,)");
  CHECK(shape([] { SparseRows<double>::from_dense(Array<double>::of({1})); }) ==
        "SparseRows: x must be (rows, columns), not (1,)");
  const auto x = SparseRows<double>::from_dense(some());
  CHECK(refusal([&] {
          x.rows(std::vector<std::int64_t>{0, 4});
        }) == "SparseRows: there is no row 4 of 4");
  CHECK(refusal([&] { x.row(-1); }) == "SparseRows: there is no row -1 of 4");
  CHECK(refusal([&] { x.slice(2, 5); }) == "SparseRows: no slice [2, 5) of 4 rows");
  CHECK(refusal([&] { x.slice(2, 1); }) == "SparseRows: no slice [2, 1) of 4 rows");
}

TEST_SUITE_END();
