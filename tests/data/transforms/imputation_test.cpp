// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/imputation.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Impute, data::Strategy;
using data::Kind;
using data::Table;
using ebb::test::message_of, ebb::test::same_bits;
using Names = std::vector<std::string>;

namespace {

template <class T>
constexpr T gone = std::numeric_limits<T>::quiet_NaN();

template <class T>
Table<T> houses() {
  return {{{"age"}, {"zone", Kind::categorical, {"e", "n", "s"}}, {"area"}},
          Array<T>::of({{5, 2, 1},
                        {gone<T>, 1, 4},
                        {5, gone<T>, gone<T>},
                        {1, 1, 2},
                        {2, 2, 4},
                        {9, gone<T>, 1}}),
          "h.csv"};
}

Table<double> empty_row() {
  return {{{"age"}, {"zone", Kind::categorical, {"e", "n", "s"}}, {"area"}},
          Array<double>::of({{gone<double>, gone<double>, gone<double>}})};
}

std::string why(const auto& f) { return message_of<ArgumentError>(f); }

}  // namespace

TEST_SUITE("imputation") {

TEST_CASE_TEMPLATE("missing numbers become the mean or the median of the present ones", T, float,
                   double) {
  Impute mean({.columns = {"age"}});
  CHECK_AGREES(
      same_bits(mean.fit_transform(houses<T>()).values(), Array<T>::of({{5, 2, 1},
                                                                        {T(4.4), 1, 4},
                                                                        {5, gone<T>, gone<T>},
                                                                        {1, 1, 2},
                                                                        {2, 2, 4},
                                                                        {9, gone<T>, 1}})));
  CHECK(mean.numbers() == std::vector<double>{4.4});
  Impute median({.strategy = Strategy::median});
  median.fit(houses<T>());
  CHECK(median.used() == Names{"age", "area"});
  CHECK(median.numbers() == std::vector<double>{5, 2});
  CHECK(median.describe() == "Impute age, area by median");
  // Of an even number of values: half-way.
  median.fit(houses<T>().rows(std::vector<std::int64_t>{0, 3}));
  CHECK(median.numbers() == std::vector<double>{3, 1.5});
}

TEST_CASE("missing values become the most frequent number or level") {
  Impute step({.strategy = Strategy::most_frequent});
  step.fit(houses<double>());
  CHECK(step.used() == Names{"age", "zone", "area"});
  // 5 twice; of 1 and 4, twice each, the smaller; of n and s, twice each, the first.
  CHECK(step.numbers()[0] == 5);
  CHECK(step.numbers()[2] == 1);
  CHECK(std::isnan(step.numbers()[1]));
  CHECK(step.levels() == Names{"", "n", ""});
  CHECK_AGREES(same_bits(step.transform(empty_row()).values(), Array<double>::of({{5, 1, 1}})));
  // By name in a table of other levels.
  const Table<double> other({{"age"}, {"zone", Kind::categorical, {"n", "x"}}, {"area"}},
                            Array<double>::of({{1, gone<double>, 2}, {1, 1, 2}}));
  CHECK(step.transform(other).level(0, "zone") == "n");
  CHECK(step.transform(other).level(1, "zone") == "x");
}

TEST_CASE("missing values become a constant, which may be a new level") {
  Impute step({.strategy = Strategy::constant, .constant = -1, .level = "none"});
  const auto seen = step.fit_transform(houses<double>());
  CHECK(seen.columns()[1].levels == Names{"e", "n", "s", "none"});
  CHECK(seen.level(2, "zone") == "none");
  CHECK(seen.level(0, "zone") == "s");
  CHECK_AGREES(same_bits(seen.column("age"), Array<double>({6, 1}, {5, -1, 5, 1, 2, 9})));
  CHECK(step.outputs()[1].levels == Names{"e", "n", "s", "none"});
  // Without a level, numbers only; and one that is there already.
  Impute numbers({.strategy = Strategy::constant});
  numbers.fit(houses<double>());
  CHECK(numbers.used() == Names{"age", "area"});
  Impute known({.columns = {"zone"}, .strategy = Strategy::constant, .level = "e"});
  CHECK_AGREES(same_bits(known.fit_transform(houses<double>()).column("zone"),
                         Array<double>({6, 1}, {2, 1, 0, 1, 2, 0})));
}

TEST_CASE_TEMPLATE("marks show the filled values, and make the inverse possible", T, float,
                   double) {
  Impute step({.columns = {"area", "age"}, .mark = true});
  const auto seen = step.fit_transform(houses<T>());
  CHECK(seen.names() == Names{"age", "zone", "area", "area_missing", "age_missing"});
  CHECK_AGREES(same_bits(seen.column("area_missing"), Array<T>({6, 1}, {0, 0, 1, 0, 0, 0})));
  CHECK_AGREES(same_bits(seen.column("age_missing"), Array<T>({6, 1}, {0, 1, 0, 0, 0, 0})));
  const auto back = step.inverse(seen);
  CHECK(back.names() == Names{"age", "zone", "area"});
  CHECK_AGREES(same_bits(back.values(), houses<T>().values()));
  CHECK(step.describe() == "Impute area, age by mean, marked");
  // Some of the columns; a mark alone is dropped.
  const auto some = step.inverse(seen.select({"age", "age_missing", "area_missing"}));
  CHECK(some.names() == Names{"age"});
  CHECK(why([&] { step.inverse(seen.drop({"age_missing"})); }) ==
        "Impute: inverse of \"age\" needs \"age_missing\"");
}

TEST_CASE("without marks there is no inverse") {
  Impute step({.columns = {"age"}});
  const auto seen = step.fit_transform(houses<double>());
  CHECK(why([&] { step.inverse(seen); }) ==
        "Impute: it has no inverse, since nothing shows which values were filled; fit it with "
        ".mark = true");
  CHECK(step.inverse(seen.drop({"age"})).names() == Names{"zone", "area"});
}

TEST_CASE("columns that it cannot learn from are refused") {
  for (const auto strategy : {Strategy::mean, Strategy::median, Strategy::most_frequent}) {
    CHECK(why([&] { Impute({.columns = {"age"}, .strategy = strategy}).fit(empty_row()); }) ==
          "Impute: column \"age\" of table has no value to learn from");
  }
  CHECK(why([&] {
          Impute({.columns = {"zone"}, .strategy = Strategy::most_frequent}).fit(empty_row());
        }) == "Impute: column \"zone\" of table has no value to learn from");
  CHECK(why([&] { Impute({.columns = {"zone"}}).fit(houses<double>()); }) ==
        "Impute: column \"zone\" of h.csv is categorical; it takes numeric columns");
  CHECK(why([&] {
          Impute().fit(houses<double>().with("age", Array<double>::full({6, 1}, HUGE_VAL)));
        }) == "Impute: column \"age\", row 0: infinity is in the way of a fit");
  CHECK(why([] { Impute({.strategy = Strategy::constant, .constant = gone<double>}); }) ==
        "Impute: the constant is not finite");
}

}  // TEST_SUITE("imputation")
