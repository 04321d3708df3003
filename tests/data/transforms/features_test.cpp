// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/features.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Kind;
using data::Log, data::Polynomial;
using data::Table;
using ebb::test::close, ebb::test::message_of, ebb::test::same_bits;
using Names = std::vector<std::string>;

namespace {

constexpr double gone = std::numeric_limits<double>::quiet_NaN();

Table<double> column_of(std::initializer_list<double> values) {
  return {{{"x"}}, Array<double>({std::int64_t(values.size()), 1}, values), "x.csv"};
}

template <class T>
Table<T> abc() {
  return {{{"a"}, {"k", Kind::categorical, {"p"}}, {"b"}, {"c"}},
          Array<T>::of({{2, 0, 3, 5}, {-1, 0, gone, 4}}),
          "abc.csv"};
}

std::string why(const auto& f) { return message_of<ArgumentError>(f); }

}  // namespace

TEST_SUITE("log") {

TEST_CASE("the logarithm is log1p, or has another offset") {
  Log step;
  const auto table = column_of({0, 1e-20, std::exp(2) - 1, gone});
  const auto seen = step.fit_transform(table);
  // log1p and expm1 are right to the last bits.
  CHECK_AGREES(close(seen.values(), Array<double>({4, 1}, {0, 1e-20, 2, gone}), 1e-15));
  CHECK_AGREES(close(step.inverse(seen).values(), table.values(), 1e-15));
  CHECK(step.describe() == "Log x, offset 1");
  Log plain({.offset = 0});
  const auto logs = plain.fit_transform(column_of({1, std::exp(1)}));
  CHECK_AGREES(close(logs.values(), Array<double>({2, 1}, {0, 1}), 1e-15));
  CHECK_AGREES(close(plain.inverse(logs).values(), Array<double>({2, 1}, {1, std::exp(1)}), 1e-15));
  Log shifted({.offset = 3});
  CHECK_AGREES(close(shifted.fit_transform(column_of({-2, 0})).values(),
                     Array<double>({2, 1}, {0, std::log(3)}), 1e-15));
  CHECK_AGREES(close(shifted.inverse(column_of({0})).values(), Array<double>({1, 1}, {-2}), 1e-15));
}

TEST_CASE("values without a logarithm are refused, at the fit and later") {
  Log step;
  CHECK(why([&] {
          step.fit(column_of({1, -1}));
        }) ==
        "Log: column \"x\", row 1: there is no logarithm of -1 + 1; a larger offset, or another "
        "transform");
  step.fit(column_of({1}));
  CHECK(why([&] {
          step.transform(column_of({1, 2, -1.5}));
        }).starts_with("Log: column \"x\", row 2: there is no logarithm of -1.5 + 1;"));
  CHECK_THROWS_AS(Log({.offset = 0}).fit(column_of({0})), ArgumentError);
  CHECK(why([] { Log({.offset = gone}); }) == "Log: the offset is not finite");
}

}  // TEST_SUITE("log")

TEST_SUITE("polynomial") {

TEST_CASE_TEMPLATE("products have scikit-learn's names and order", T, float, double) {
  // PolynomialFeatures(3, include_bias=False).get_feature_names_out(["a", "b"])
  Polynomial step({.columns = {"a", "b"}, .degree = 3});
  const auto seen = step.fit_transform(abc<T>());
  CHECK(seen.names() ==
        Names{"a", "k", "b", "c", "a^2", "a b", "b^2", "a^3", "a^2 b", "a b^2", "b^3"});
  const T nan = T(gone);
  CHECK_AGREES(
      same_bits(seen.values(), Array<T>::of({{2, 0, 3, 5, 4, 6, 9, 8, 12, 18, 27},
                                             {-1, 0, nan, 4, 1, nan, nan, -1, nan, nan, nan}})));
  CHECK_AGREES(same_bits(step.inverse(seen).values(), abc<T>().values()));
  CHECK(step.describe() == "Polynomial a, b, degree 3");
  // Without names, all columns of numbers.
  Polynomial all;
  all.fit(abc<T>());
  CHECK(all.outputs().size() == 4 + 6);
}

TEST_CASE("interactions_only leaves out powers") {
  Polynomial step({.degree = 5, .interactions_only = true});
  const auto seen = step.fit_transform(abc<double>());
  CHECK(seen.names() == Names{"a", "k", "b", "c", "a b", "a c", "b c", "a b c"});
  CHECK_AGREES(same_bits(seen.head(1).values(), Array<double>::of({{2, 0, 3, 5, 6, 10, 15, 30}})));
  CHECK(step.describe() == "Polynomial a, b, c, degree 5, interactions only");
}

TEST_CASE("invalid degrees and too many columns are refused") {
  CHECK(why([] { Polynomial({.degree = 1}); }) == "Polynomial: a degree of 1; it must be 2 to 32");
  CHECK_THROWS_AS(Polynomial({.degree = 33}), ArgumentError);
  std::vector<data::Column> columns;
  for (int j = 0; j < 140; ++j) columns.push_back({std::to_string(j)});
  const auto zeros = Array<double>::zeros({1, 140});
  Polynomial square;
  square.fit(Table<double>(columns, zeros));
  CHECK(square.outputs().size() == 140 + 140 * 141 / 2);
  CHECK(why([&] { Polynomial({.degree = 3}).fit(Table<double>(columns, zeros)); }) ==
        "Polynomial: degree 3 of 140 columns makes more than 10000 columns");
  // 741 squares and products of two, and 9880 of three.
  columns.resize(38);
  const Table<double> fewer(columns, Array<double>::zeros({1, 38}));
  CHECK_THROWS_AS(Polynomial({.degree = 3}).fit(fewer), ArgumentError);
  std::vector<data::Column> long_names;
  for (const char letter : {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'}) {
    long_names.push_back({std::string(1 << 20, letter)});
  }
  const Table<double> long_named(long_names, Array<double>::zeros({1, 8}));
  CHECK(why([&] { Polynomial().fit(long_named); }) ==
        "Polynomial: the names of the products would take more than 64 MB");
  const auto taken = abc<double>().with("a^2", Array<double>::zeros({2, 1}));
  CHECK(why([&] { Polynomial({.columns = {"a"}}).fit(taken); }) ==
        "Polynomial: the name \"a^2\" occurs twice in its result; rename or drop a column");
  CHECK(why([&] {
          Polynomial({.columns = {"a"}}).fit_transform(taken);
        }).starts_with("Polynomial: the name \"a^2\" occurs twice"));
}

}  // TEST_SUITE("polynomial")
