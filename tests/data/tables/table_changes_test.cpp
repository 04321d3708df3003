// SPDX-License-Identifier: BSD-3-Clause
// Tables with other columns, and with some rows, more rows, or rows in another order.
#include <doctest/doctest.h>

#include <limits>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/splits/split.hpp"
#include "ebb/data/splits/table_split.hpp"
#include "ebb/data/tables/table.hpp"
#include "ebb/data/transforms/scaling.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Kind;
using data::Role;
using data::Table;
using ebb::test::message_of;
using ebb::test::same_bits;
using Names = std::vector<std::string>;

namespace {

template <class T>
constexpr T gone = std::numeric_limits<T>::quiet_NaN();

/// Four rows of a number and a colour; one of each is missing.
template <class T>
Table<T> colours() {
  return {{{"a"}, {"colour", Kind::categorical, {"red", "blue"}}},
          Array<T>::of({{3, 1}, {1, 0}, {gone<T>, 1}, {1, gone<T>}}),
          "t.csv"};
}

}  // namespace

TEST_SUITE("table") {

TEST_CASE_TEMPLATE("a column of categories is added, or takes the place of another", T, float,
                   double) {
  const auto more = colours<T>().with("shape", Names{"round", "", "flat", "round"});
  CHECK(more.names() == Names{"a", "colour", "shape"});
  CHECK(more.levels("shape") == Names{"flat", "round"});
  CHECK_AGREES(same_bits(more.column("shape"), Array<T>({4, 1}, {1, gone<T>, 0, 1})));
  CHECK_AGREES(same_bits(more.column("a"), colours<T>().column("a")));
  const auto sizes = colours<T>().with("a", Names{"s", "l", "", "s"}, Names{"s", "m", "l"});
  CHECK(sizes.names() == Names{"a", "colour"});
  CHECK(sizes.levels("a") == Names{"s", "m", "l"});
  CHECK_AGREES(same_bits(sizes.column("a"), Array<T>({4, 1}, {0, 2, gone<T>, 0})));
  CHECK(message_of<ArgumentError>([] {
          colours<T>().with("a", Names{"s", "xl", "", "s"}, Names{"s", "m"});
        }) == "Table::with: column \"a\", row 1: \"xl\" is not among the levels s, m");
  CHECK(message_of<ShapeError>([] { colours<T>().with("a", Names{"s"}); }) ==
        "Table::with: 1 text for column \"a\" of 4 rows");
}

TEST_CASE_TEMPLATE("a column is renamed, and stays the target", T, float, double) {
  const auto table = colours<T>().with_target("a").rename("a", "b");
  CHECK(table.names() == Names{"b", "colour"});
  CHECK(table.target() == "b");
  CHECK_AGREES(same_bits(table.values(), colours<T>().values()));
  CHECK(colours<T>().with_target("a").rename("colour", "c").target() == "a");
  CHECK(colours<T>().rename("a", "a").names() == Names{"a", "colour"});
  CHECK(message_of<ArgumentError>([] { colours<T>().rename("z", "b"); }) ==
        "t.csv: no column \"z\"; there are a, colour");
  CHECK(message_of<ArgumentError>([] { colours<T>().rename("a", "colour"); }) ==
        "t.csv: column \"a\" cannot be renamed \"colour\", as another column is named so");
  CHECK_THROWS_AS(colours<T>().rename("a", ""), ArgumentError);
}

TEST_CASE_TEMPLATE("rows are filtered by a mask, or by a function of their numbers", T, float,
                   double) {
  const auto table = colours<T>();
  const auto some = table.filter(table.column("a") > T(1));
  CHECK_AGREES(same_bits(some.values(), Array<T>::of({{3, 1}})));
  CHECK(table.filter(Array<bool>({4}, {false, true, true, false})).rows() == 2);
  const auto blue =
      table.filter([&](std::int64_t row) { return table.level(row, "colour") == "blue"; });
  CHECK_AGREES(same_bits(blue.values(), Array<T>::of({{3, 1}, {gone<T>, 1}})));
  CHECK(blue.levels("colour") == Names{"red", "blue"});
  CHECK(table.filter([](std::int64_t) { return false; }).rows() == 0);
  CHECK(message_of<ShapeError>([&] {
          table.filter(Array<bool>({3}, {true, true, true}));
        }) == "Table::filter: a mask of shape (3,) for 4 rows; it is (4,) or (4, 1)");
}

TEST_CASE_TEMPLATE("rows are sorted by a column, missing values last, equal ones as they were", T,
                   float, double) {
  const auto table = colours<T>();
  CHECK_AGREES(same_bits(table.sort("a").values(),
                         Array<T>::of({{1, 0}, {1, gone<T>}, {3, 1}, {gone<T>, 1}})));
  CHECK_AGREES(same_bits(table.sort("a", {.descending = true}).values(),
                         Array<T>::of({{3, 1}, {1, 0}, {1, gone<T>}, {gone<T>, 1}})));
  CHECK_AGREES(same_bits(table.sort("colour").values(),
                         Array<T>::of({{1, 0}, {3, 1}, {gone<T>, 1}, {1, gone<T>}})));
  CHECK(message_of<ArgumentError>([&] { table.sort("z"); }) ==
        "t.csv: no column \"z\"; there are a, colour");
}

TEST_CASE_TEMPLATE("tables are put one after the other, and their levels are matched", T, float,
                   double) {
  const auto first = colours<T>();
  const Table<T> second({{"colour", Kind::categorical, {"blue", "green", "black"}}, {"a"}},
                        Array<T>::of({{0, 7}, {1, 8}, {2, gone<T>}, {gone<T>, 9}}), "u.csv");
  const auto both = data::concat({first, second});
  CHECK(both.names() == Names{"a", "colour"});
  CHECK(both.source() == "t.csv");
  CHECK(both.levels("colour") == Names{"red", "blue", "black", "green"});
  CHECK_AGREES(same_bits(both.values(), Array<T>::of({{3, 1},
                                                      {1, 0},
                                                      {gone<T>, 1},
                                                      {1, gone<T>},
                                                      {7, 1},
                                                      {8, 3},
                                                      {gone<T>, 2},
                                                      {9, gone<T>}})));
  CHECK(data::concat(std::vector<Table<T>>(3, first)).rows() == 12);
  CHECK_AGREES(same_bits(data::concat({first}).values(), first.values()));
  CHECK(data::concat({first.head(0), second}).rows() == 4);
}

TEST_CASE("tables of different columns are not put together") {
  const auto table = colours<double>();
  const auto error = [&](const Table<double>& other) {
    return message_of<ArgumentError>([&] { data::concat({table, table, other}); });
  };
  CHECK(error(table.drop({"a"})) ==
        "concat: table 3 (t.csv) lacks column \"a\" of the first; it has colour");
  CHECK(
      error(table.with("b", table.column("a"))) ==
      "concat: table 3 (t.csv) has column \"b\", which the first lacks; drop it, or add it there");
  CHECK(error(table.with("colour", table.column("a"))) ==
        "concat: table 3 (t.csv) has column \"colour\" as numeric, which in the first is "
        "categorical; read both files with the kind of the column");
  CHECK(message_of<ArgumentError>([] { data::concat(std::vector<Table<double>>()); }) ==
        "concat: there are no tables");
}

TEST_CASE("what is known of rows stays with tables that are put together") {
  const Table<double> all({{"a"}, {"b"}}, Array<double>::of({{1, 2}, {3, 4}, {5, 6}, {7, 9}}));
  const auto [train, validation, test] =
      data::split(all.with_target("b"), data::split_rows(4, {.validation = 0.25, .test = 0.25}));
  const auto both = data::concat({train, validation.with_role(Role::training)});
  CHECK(both.target() == "b");
  CHECK(both.role() == Role::training);
  data::Standardize scale;
  scale.fit(both);
  CHECK(scale.transform(test).rows() == 1);
  // A held-out row among those of a fit is seen.
  const auto with_test = data::concat({train, test.with_role(Role::training)});
  data::Standardize leaky;
  leaky.fit(with_test);
  CHECK_THROWS_AS(leaky.transform(test), ArgumentError);
  CHECK(leaky.transform(validation).rows() == 1);
  CHECK(data::concat({train, test}).role() == Role::held_out);
  CHECK_THROWS_AS(data::Standardize().fit(data::concat({train, test})), ArgumentError);
  CHECK(data::concat({train, all}).role() == Role::unspecified);
}

TEST_CASE_TEMPLATE("a column as labels", T, float, double) {
  const Table<T> table({{"n"}, {"x"}, {"colour", Kind::categorical, {"red", "blue"}}},
                       Array<T>::of({{3, 0.5, 1}, {-1, 1, 0}}), "t.csv");
  CHECK(equal(table.labels("colour"), Array<std::int64_t>::of({1, 0})));
  CHECK(equal(table.labels("n"), Array<std::int64_t>::of({3, -1})));
  CHECK(message_of<ArgumentError>([&] { table.labels("x"); }) ==
        "Table::labels: column \"x\", row 0 is 0.5, which is not an integer; is it a category?");
  CHECK(message_of<ArgumentError>([] { colours<T>().labels("colour"); }) ==
        "Table::labels: column \"colour\", row 3 is missing; drop such rows, or impute them");
  CHECK_THROWS_AS(table.labels("size"), ArgumentError);
}

}  // TEST_SUITE("table")
