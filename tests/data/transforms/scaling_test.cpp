// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/scaling.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Kind;
using data::Table;
using ebb::test::close, ebb::test::message_of, ebb::test::same_bits;
using Names = std::vector<std::string>;
using Numbers = std::vector<double>;

namespace {

template <class T>
constexpr T gone = std::numeric_limits<T>::quiet_NaN();

/// Two numeric columns around a categorical one.
template <class T>
Table<T> houses() {
  return {{{"area"}, {"zone", Kind::categorical, {"north", "south"}}, {"age"}},
          Array<T>::of({{1, 0, 10}, {3, 1, 30}, {2, 1, gone<T>}, {gone<T>, 0, 20}}),
          "h.csv"};
}

template <class T>
Table<T> column_of(std::initializer_list<T> values) {
  return {{{"x"}}, Array<T>({std::int64_t(values.size()), 1}, values), "x.csv"};
}

}  // namespace

TEST_SUITE("standardize") {

TEST_CASE_TEMPLATE("named columns are scaled by their present values", T, float, double) {
  data::Standardize step({.columns = {"age", "area"}});
  const auto seen = step.fit_transform(houses<T>());
  CHECK(step.used() == Names{"age", "area"});
  CHECK(step.center() == Numbers{20, 2});
  // Deviations of 10, 10, 0 and of 1, 1, 0, squared and divided by 3.
  CHECK(std::abs(step.scale()[0] - std::sqrt(200. / 3)) < 1e-14);
  CHECK(std::abs(step.scale()[1] - std::sqrt(2. / 3)) < 1e-15);
  CHECK(seen.names() == Names{"area", "zone", "age"});
  CHECK(seen.columns()[1].levels == Names{"north", "south"});
  const auto z = T(std::sqrt(1.5));  // 1.22..., rounded in double and to T
  CHECK_AGREES(close(seen.values(),
                     Array<T>::of({{-z, 0, -z}, {z, 1, z}, {0, 1, gone<T>}, {gone<T>, 0, 0}}),
                     sizeof(T) == 4 ? 1e-7 : 1e-15));
  // The way back, but for the last bit.
  CHECK_AGREES(
      close(step.inverse(seen).values(), houses<T>().values(), sizeof(T) == 4 ? 1e-6 : 1e-15));
}

TEST_CASE_TEMPLATE("every value is computed in double and rounded once", T, float, double) {
  auto x = Array<T>::uninitialized({50, 3});
  for (std::int64_t i = 0; i < x.size(); ++i) x.mutate()[i] = T(std::sin(double(i)) * 1e3);
  const Table<T> table({{"a"}, {"b"}, {"c"}}, x);
  data::Standardize step;
  const auto z = step.fit_transform(table);
  CHECK(step.used() == Names{"a", "b", "c"});
  auto expected = x, back = x;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const double center = step.center()[std::size_t(i % 3)];
    const double scale = step.scale()[std::size_t(i % 3)];
    expected.mutate()[i] = T((double(x[i]) - center) / scale);
    back.mutate()[i] = T(double(expected[i]) * scale + center);
  }
  CHECK_AGREES(same_bits(z.values(), expected));
  CHECK_AGREES(same_bits(step.transform(table).values(), z.values()));
  CHECK_AGREES(same_bits(step.inverse(z).values(), back));
}

TEST_CASE_TEMPLATE("held-out rows are scaled by the training rows", T, float, double) {
  const auto rows = [](Array<T> values) { return Table<T>({{"a"}, {"b"}, {"c"}}, values); };
  data::Standardize step;
  const auto train = rows(Array<T>::of({{1, 10, 5}, {3, 30, 5}}));
  CHECK_AGREES(
      same_bits(step.fit_transform(train).values(), Array<T>::of({{-1, -1, 0}, {1, 1, 0}})));
  CHECK(step.center() == Numbers{2, 20, 5});
  // The population formula: deviations of 1 and 10. The constant column keeps its unit.
  CHECK(step.scale() == Numbers{1, 10, 1});
  const auto held_out = rows(Array<T>::of({{5, 0, 6}}));
  const auto z = step.transform(held_out);
  CHECK_AGREES(same_bits(z.values(), Array<T>::of({{3, -2, 1}})));
  CHECK_AGREES(same_bits(step.inverse(z).values(), held_out.values()));
}

TEST_CASE("far from 0, very small and very large columns") {
  auto x = Array<double>::uninitialized({1000, 3});
  for (std::int64_t i = 0; i < 1000; ++i) {
    const double wave = std::sin(double(i));
    double* row = x.mutate() + 3 * i;
    row[0] = 1e8 + wave, row[1] = 1e-200 * wave, row[2] = 1e200 * wave;
  }
  data::Standardize step;
  const auto z = step.fit_transform(Table<double>({{"a"}, {"b"}, {"c"}}, x)).values();
  for (std::int64_t j = 0; j < 3; ++j) {
    CAPTURE(j);
    double sum = 0, squares = 0;
    for (std::int64_t i = 0; i < 1000; ++i) sum += z(i, j), squares += z(i, j) * z(i, j);
    // Column 0 keeps 8 of its 16 digits; the sum is of 1000 values.
    CHECK(std::abs(sum / 1000) < 1e-7);
    CHECK(std::abs(squares / 1000 - 1) < 1e-7);
  }
}

TEST_CASE("a constant column has scale 1") {
  data::Standardize step;
  const auto seen = step.fit_transform(column_of<double>({0.1, 0.1, 0.1}));
  CHECK(step.scale() == Numbers{1});
  CHECK_AGREES(same_bits(seen.values(), Array<double>({3, 1}, {0, 0, 0})));
  CHECK_AGREES(same_bits(step.transform(column_of<double>({1.1})).values(),
                         Array<double>({1, 1}, {1.1 - 0.1})));
}

}  // TEST_SUITE("standardize")

TEST_SUITE("min-max") {

TEST_CASE_TEMPLATE("the range of the training rows becomes the given range", T, float, double) {
  data::MinMax unit;
  CHECK_AGREES(same_bits(unit.fit_transform(column_of<T>({2, 6, gone<T>, 3})).values(),
                         Array<T>({4, 1}, {0, 1, gone<T>, 0.25})));
  CHECK(unit.center() == Numbers{2});
  CHECK(unit.scale() == Numbers{4});
  // Values outside of the range stay outside.
  CHECK_AGREES(
      same_bits(unit.transform(column_of<T>({0, 8})).values(), Array<T>({2, 1}, {-0.5, 1.5})));
  CHECK_AGREES(
      same_bits(unit.inverse(column_of<T>({-0.5, 0.25, 1})).values(), Array<T>({3, 1}, {0, 3, 6})));
  data::MinMax wide({.low = -2, .high = 2});
  CHECK_AGREES(same_bits(wide.fit_transform(column_of<T>({2, 6, 3})).values(),
                         Array<T>({3, 1}, {-2, 2, -1})));
  CHECK_AGREES(
      same_bits(wide.inverse(column_of<T>({-2, 2, -1})).values(), Array<T>({3, 1}, {2, 6, 3})));
  CHECK_AGREES(
      same_bits(wide.fit_transform(column_of<T>({5, 5})).values(), Array<T>({2, 1}, {-2, -2})));
}

}  // TEST_SUITE("min-max")

TEST_SUITE("robust") {

TEST_CASE_TEMPLATE("median and quartiles are not changed by outliers", T, float, double) {
  data::Robust step;
  const auto seen = step.fit_transform(column_of<T>({3, 1, gone<T>, 2, 5, 1000}));
  // Of 1, 2, 3, 5, 1000: median 3, quartiles 2 and 5.
  CHECK(step.center() == Numbers{3});
  CHECK(step.scale() == Numbers{3});
  CHECK_AGREES(close(seen.values(),
                     Array<T>({6, 1}, {0, T(-2. / 3), gone<T>, T(-1. / 3), T(2. / 3), T(997. / 3)}),
                     1e-7));
  CHECK_AGREES(
      same_bits(step.inverse(column_of<T>({0, 1, -1})).values(), Array<T>({3, 1}, {3, 6, 0})));
  data::Robust range({.lower = 0, .upper = 1});
  range.fit(column_of<T>({3, 1, 2, 5, 1000}));
  CHECK(range.scale() == Numbers{999});
  // Equal quartiles, though the column is not constant.
  step.fit(column_of<T>({7, 7, 7, 7, 7, 7, 9}));
  CHECK(step.scale() == Numbers{1});
}

}  // TEST_SUITE("robust")

TEST_SUITE("scaling") {

TEST_CASE("invalid options are refused") {
  CHECK(message_of<ArgumentError>([] { data::MinMax({.low = 1, .high = 1}); }) ==
        "MinMax: a range of 1 to 1; it must be finite, and low below high");
  CHECK_THROWS_AS(data::MinMax({.low = gone<double>}), ArgumentError);
  CHECK_THROWS_AS(data::MinMax({.low = -1.7e308, .high = 1.7e308}), ArgumentError);
  CHECK(message_of<ArgumentError>([] { data::Robust({.lower = 0.5, .upper = 0.5}); }) ==
        "Robust: quantiles of 0.5 and 0.5; they must be in [0, 1], and lower below "
        "upper");
  CHECK_THROWS_AS(data::Robust({.lower = -0.1}), ArgumentError);
  CHECK_THROWS_AS(data::Robust({.upper = 1.1}), ArgumentError);
  CHECK_THROWS_AS(data::Robust({.upper = gone<double>}), ArgumentError);
}

TEST_CASE("columns without values are refused") {
  const auto why = [](auto step, const Table<double>& table) {
    return message_of<ArgumentError>([&] { step.fit(table); });
  };
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double x : {infinity, -infinity}) {
    CHECK(why(data::Standardize(), column_of<double>({1, 2, x})) ==
          "Standardize: column \"x\", row 2: infinity has no scale");
  }
  CHECK(why(data::Robust(), column_of<double>({gone<double>, gone<double>})) ==
        "Robust: column \"x\" of x.csv has no value to learn from");
  CHECK(why(data::MinMax(), column_of<double>({-1.7e308, 1.7e308})) ==
        "MinMax: the range of column \"x\" is too large for double");
  CHECK(why(data::MinMax(), column_of<double>({})) == "MinMax: a fit on no rows of x.csv");
  CHECK(why(data::MinMax(), houses<double>().select({"zone"})) ==
        "MinMax: h.csv has no numeric column");
}

}  // TEST_SUITE("scaling")
