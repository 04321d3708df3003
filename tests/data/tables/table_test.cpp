// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/tables/table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Column;
using data::Kind;
using data::Table;
using ebb::test::message_of;
using ebb::test::same_bits;
using Names = std::vector<std::string>;

namespace {

template <class T>
constexpr T gone = std::numeric_limits<T>::quiet_NaN();

/// Three rows of two numbers and a colour; one number and one colour are missing.
template <class T>
Table<T> colours() {
  return {{{"a"}, {"colour", Kind::categorical, {"blue", "green", "red"}}, {"b"}},
          Array<T>::of({{1, 2, 3}, {4, gone<T>, 6}, {7, 0, gone<T>}}),
          "t.csv"};
}

template <class T>
Table<T> numbers() {
  return {{{"a"}, {"b"}, {"c"}}, Array<T>::of({{1, 2, 3}, {4, 5, 6}}), "t.csv"};
}

std::string printed(const auto& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

}  // namespace

TEST_SUITE("table") {

TEST_CASE_TEMPLATE("columns are found by name, and have types and levels", T, float, double) {
  const auto table = colours<T>();
  CHECK(table.rows() == 3);
  CHECK(table.names() == Names{"a", "colour", "b"});
  CHECK(table.columns()[0].kind == Kind::numeric);
  CHECK(table.columns()[1].kind == Kind::categorical);
  CHECK_AGREES(same_bits(table.column("a"), Array<T>({3, 1}, {1, 4, 7})));
  CHECK_AGREES(same_bits(table.column("b"), Array<T>({3, 1}, {3, 6, gone<T>})));
  CHECK(table.level(0, "colour") == "red");
  CHECK(table.level(1, "colour") == "");
  CHECK(table.level(2, "colour") == "blue");
}

TEST_CASE_TEMPLATE("select, drop, head and rows keep types, values and order", T, float, double) {
  const auto table = colours<T>();
  const auto chosen = table.select({"b", "colour"});
  CHECK(chosen.names() == Names{"b", "colour"});
  CHECK(chosen.columns()[1].levels == Names{"blue", "green", "red"});
  CHECK_AGREES(same_bits(chosen.values(), Array<T>::of({{3, 2}, {6, gone<T>}, {gone<T>, 0}})));
  CHECK(table.drop({"a"}).names() == Names{"colour", "b"});
  CHECK(table.drop({"b", "colour"}).names() == Names{"a"});
  CHECK_AGREES(
      same_bits(table.drop({"colour"}).values(), Array<T>::of({{1, 3}, {4, 6}, {7, gone<T>}})));
  CHECK(table.head(2).rows() == 2);
  CHECK_AGREES(same_bits(table.head(2).values(), Array<T>::of({{1, 2, 3}, {4, gone<T>, 6}})));
  CHECK(table.head().rows() == 3);
  CHECK(table.head(0).rows() == 0);
  const std::int64_t indices[] = {2, 0, 2};
  CHECK_AGREES(same_bits(table.rows(indices).values(),
                         Array<T>::of({{7, 0, gone<T>}, {1, 2, 3}, {7, 0, gone<T>}})));
  CHECK(table.rows(indices).level(1, "colour") == "red");
}

TEST_CASE_TEMPLATE("a column is added, or takes the place of another", T, float, double) {
  const auto more = numbers<T>().with("d", Array<T>({2, 1}, {8, 9}));
  CHECK(more.names() == Names{"a", "b", "c", "d"});
  CHECK_AGREES(same_bits(more.values(), Array<T>::of({{1, 2, 3, 8}, {4, 5, 6, 9}})));
  const auto other = colours<T>().with("colour", Array<T>({3, 1}, {7, 8, 9}));
  CHECK(other.names() == Names{"a", "colour", "b"});
  CHECK(other.columns()[1].kind == Kind::numeric);
  CHECK_AGREES(same_bits(other.column("colour"), Array<T>({3, 1}, {7, 8, 9})));
  CHECK_THROWS_AS(numbers<T>().with("d", Array<T>({2}, {8, 9})), ShapeError);
  CHECK_THROWS_AS(numbers<T>().with("d", Array<T>({1, 1}, {8})), ShapeError);
}

TEST_CASE_TEMPLATE("the target is separated by name", T, float, double) {
  const auto table = numbers<T>();
  {
    const auto [x, y, features] = table.split_target("b");
    CHECK_AGREES(same_bits(x, Array<T>::of({{1, 3}, {4, 6}})));
    CHECK_AGREES(same_bits(y, Array<T>({2, 1}, {2, 5})));
    CHECK(features == Names{"a", "c"});
  }
  CHECK_AGREES(same_bits(table.split_target("a").x, Array<T>::of({{2, 3}, {5, 6}})));
  CHECK_AGREES(same_bits(table.split_target("c").x, Array<T>::of({{1, 2}, {4, 5}})));
}

TEST_CASE("a model gets neither categories nor missing values") {
  CHECK(message_of<ArgumentError>([] { colours<float>().split_target("a"); }) ==
        "t.csv: column \"colour\" is categorical (3 levels, as \"blue\"); encode it, one-hot or "
        "ordinal, or drop it. If it should be numbers, read it as Kind::numeric to see where it is "
        "not");
  CHECK(message_of<ArgumentError>([] { colours<float>().drop({"colour"}).split_target("a"); }) ==
        "t.csv: column \"b\" misses 1 of 3 values; impute them, or read the file with "
        "Missing::drop_row");
}

TEST_CASE_TEMPLATE("a categorical target becomes the positions of its levels", T, float, double) {
  const Table<T> loans({{"income"}, {"approved", Kind::categorical, {"no", "yes"}}},
                       Array<T>::of({{5, 1}, {2, 0}, {7, 1}}), "t.csv");
  const auto [x, y, features] = loans.split_target("approved");
  CHECK_AGREES(same_bits(x, Array<T>({3, 1}, {5, 2, 7})));
  CHECK_AGREES(same_bits(y, Array<T>({3, 1}, {1, 0, 1})));
  CHECK(features == Names{"income"});
  CHECK(loans.levels("approved") == Names{"no", "yes"});
  CHECK(loans.levels("income").empty());
  const Table<T> iris({{"a"}, {"kind", Kind::categorical, {"b", "c", "d"}}},
                      Array<T>::of({{1, 2}, {2, 0}, {3, 1}}));
  CHECK_AGREES(same_bits(iris.split_target("kind").y, Array<T>({3, 1}, {2, 0, 1})));
}

TEST_CASE("a target with missing values, or with numbers and texts, is refused without encoding") {
  const Table<double> typo({{"a"}, {"y", Kind::categorical, {"1", "12x", "2"}}},
                           Array<double>::of({{1, 1}}), "t.csv");
  CHECK(message_of<ArgumentError>([&] { typo.split_target("y"); }) ==
        "t.csv: the target \"y\" has both numbers and texts, as \"12x\"; if it should be numbers, "
        "read it as Kind::numeric to see where it is not, else rename its levels");
  const Table<double> holes({{"a"}, {"y", Kind::categorical, {"no", "yes"}}},
                            Array<double>::of({{1, NAN}}), "t.csv");
  CHECK(message_of<ArgumentError>([&] { holes.split_target("y"); }) ==
        "t.csv: column \"y\" misses 1 of 1 value; leave out these rows: read the file with "
        "Missing::drop_row");
}

TEST_CASE("tables made from a table keep its target as long as they have it") {
  const auto table = numbers<double>().with_target("b");
  CHECK(table.target() == "b");
  CHECK(numbers<double>().target().empty());
  CHECK(table.rows(std::vector<std::int64_t>{1}).target() == "b");
  CHECK(table.select({"b", "a"}).target() == "b");
  CHECK(table.drop({"b"}).target().empty());
  CHECK(table.with_role(data::Role::training).target() == "b");
  CHECK(table.with("d", Array<double>({2, 1}, {8, 9})).target() == "b");
  CHECK(table.split_target().features == Names{"a", "c"});
  CHECK(message_of<ArgumentError>([] { numbers<double>().split_target(); }) ==
        "t.csv: it has no target; name one by Table::with_target, or call split_target with its "
        "name; there are a, b, c");
  CHECK(message_of<ArgumentError>([&] { table.with_target("d"); }) ==
        "t.csv: no column \"d\"; there are a, b, c");
}

TEST_CASE("errors name the columns that there are") {
  const auto table = numbers<double>();
  const std::string unknown = "t.csv: no column \"d\"; there are a, b, c";
  CHECK(message_of<ArgumentError>([&] { table.split_target("d"); }) == unknown);
  CHECK(message_of<ArgumentError>([&] { table.column("d"); }) == unknown);
  CHECK(message_of<ArgumentError>([&] { table.select({"a", "d"}); }) == unknown);
  CHECK(message_of<ArgumentError>([&] { table.drop({"a", "d"}); }) == unknown);
  CHECK(message_of<ArgumentError>([&] { table.level(0, "d"); }) == unknown);
  CHECK(message_of<ArgumentError>([&] { table.level(0, "a"); }) ==
        "Table::level: column \"a\" is numeric; it has no levels");
  for (const std::int64_t row : {-1, 3}) {
    CHECK_THROWS_AS(colours<double>().level(row, "colour"), ArgumentError);
    const std::int64_t indices[] = {0, row};
    CHECK_THROWS_AS(colours<double>().rows(indices), ArgumentError);
  }
  CHECK_THROWS_AS(table.head(-1), ArgumentError);
}

TEST_CASE("columns and values that do not fit each other are refused") {
  const auto make = [](std::vector<Column> columns, Array<double> values) {
    return message_of([&] { Table<double>(std::move(columns), std::move(values)); });
  };
  const auto row = Array<double>::of({{0, 1}});
  CHECK(make({{"a"}, {"b"}}, row) == "nothing was thrown");
  CHECK(make({{"a"}}, row) ==
        "Table: values of shape (1, 2) for 1 column; they must be (rows, columns)");
  CHECK(
      make({{"a"}, {"b"}}, Array<double>({2}, {0, 1})).starts_with("Table: values of shape (2,)"));
  CHECK(make({{"a"}, {"a"}}, row) == "Table: the name \"a\" occurs twice");
  CHECK(make({{"a"}, {""}}, row) == "Table: a column has no name");
  CHECK(make({{"a"}, {"b", Kind::categorical, {"x", "x"}}}, row) ==
        "Table: column \"b\" has the level \"x\" twice");
  CHECK(make({{"a"}, {"b", Kind::numeric, {"x"}}}, row) ==
        "Table: column \"b\" is numeric, but has levels");
  CHECK(make({{"a"}, {"b", Kind::categorical, {"x", "y"}}}, row) == "nothing was thrown");
  CHECK(make({{"a"}, {"b", Kind::categorical, {"x"}}}, row) ==
        "Table: column \"b\", row 0: 1 is not the position of a level; there are 1");
  for (const double code : {-1.0, 0.5, 2.0, std::numeric_limits<double>::infinity()}) {
    CHECK(make({{"b", Kind::categorical, {"x", "y"}}}, Array<double>({2, 1}, {0, code}))
              .starts_with("Table: column \"b\", row 1: "));
  }
}

TEST_CASE("statistics survive sums and differences that overflow, and infinities") {
  const double inf = std::numeric_limits<double>::infinity();
  const auto of = [](std::vector<double> x) {
    return Table<double>({{"x"}}, Array<double>({std::int64_t(x.size()), 1}, x))
        .describe()
        .columns[0];
  };
  CHECK(std::abs(of({0, 1e308, 1e308, 1e308}).mean / 7.5e307 - 1) <= 1e-15);
  CHECK(of({-1e308, 1e308}).median == 0);
  CHECK(of({1, 2, inf}).median == 2);
  CHECK(of({1, 2, inf}).upper_quartile == inf);
  CHECK(of({-inf, -inf, 1, 2, 3}).lower_quartile == -inf);
  CHECK(of({inf, inf}).mean == inf);
  CHECK(of({-inf}).mean == -inf);
  CHECK(std::isnan(of({-inf, inf}).mean));
  CHECK(of({-inf, 1, 2}).mean == -inf);
  CHECK(of({1, 2, inf}).mean == inf);
  for (const auto& values : {std::vector<double>{inf, inf}, {-inf, 1}, {1, 2, inf}}) {
    CHECK(std::isnan(of(values).sd));
  }
}

TEST_CASE("many columns are chosen by their names") {
  constexpr std::int64_t columns = 1000;
  std::vector<Column> all;
  for (std::int64_t j = 0; j < columns; ++j) all.push_back({"column_" + std::to_string(j)});
  const Table<float> table(all, Array<float>::zeros({1, columns}));
  auto names = table.names();
  std::reverse(names.begin(), names.end());
  CHECK(table.select(names).names() == names);
  names.pop_back();
  CHECK(table.drop(names).names() == std::vector<std::string>{"column_0"});
}

TEST_CASE_TEMPLATE("moments and quantiles are NumPy's", T, float, double) {
  // numpy.mean, std(ddof=1) and quantile of 1, 2, 4, 8, 16, 32 and of the columns beside it.
  const Table<T> table({{"x"}, {"y"}, {"one"}, {"none"}},
                       Array<T>::of({{8, -1, gone<T>, gone<T>},
                                     {1, 2.5, gone<T>, gone<T>},
                                     {32, gone<T>, 3, gone<T>},
                                     {2, 0.5, gone<T>, gone<T>},
                                     {16, 1, gone<T>, gone<T>},
                                     {4, gone<T>, gone<T>, gone<T>}}));
  const auto all = table.describe();
  CHECK(all.rows == 6);
  REQUIRE(all.columns.size() == 4);
  const auto& x = all.columns[0];
  CHECK(x.name == "x");
  CHECK(x.count == 6);
  CHECK(x.missing == 0);
  CHECK(x.mean == 10.5);
  // A sum of six squares, a quotient and a root: at most a few roundings of 1.1e-16 each.
  CHECK(std::abs(x.sd - 11.861703081766969) < 1e-14);
  CHECK(x.minimum == 1);
  CHECK(x.lower_quartile == 2.5);
  CHECK(x.median == 6);
  CHECK(x.upper_quartile == 14);
  CHECK(x.maximum == 32);
  const auto& y = all.columns[1];
  CHECK(y.count == 4);
  CHECK(y.missing == 2);
  CHECK(y.mean == 0.75);
  CHECK(y.lower_quartile == 0.125);
  CHECK(y.median == 0.75);
  CHECK(y.upper_quartile == 1.375);
  const auto& one = all.columns[2];
  CHECK(one.count == 1);
  CHECK(one.mean == 3);
  CHECK(std::isnan(one.sd));
  CHECK(one.lower_quartile == 3);
  CHECK(one.maximum == 3);
  const auto& none = all.columns[3];
  CHECK(none.count == 0);
  CHECK(none.missing == 6);
  for (const double value : {none.mean, none.sd, none.minimum, none.lower_quartile, none.median,
                             none.upper_quartile, none.maximum}) {
    CHECK(std::isnan(value));
  }
}

TEST_CASE("quantiles are interpolated from the nearer side, as NumPy's") {
  const Table<double> table({{"x"}}, Array<double>({2, 1}, {0.4, 0.1}));
  CHECK(table.describe().columns[0].upper_quartile == 0.325);  // not 0.32500000000000007
  CHECK(table.describe().columns[0].lower_quartile == 0.1 + (0.4 - 0.1) * 0.25);
}

TEST_CASE("the levels of categories are counted") {
  const Table<double> table({{"c", Kind::categorical, {"p", "q", "r", "s"}}},
                            Array<double>({6, 1}, {2, 1, 2, gone<double>, 1, 3}));
  const auto c = table.describe().columns.front();
  CHECK(c.kind == Kind::categorical);
  CHECK(c.count == 5);
  CHECK(c.missing == 1);
  CHECK(c.levels == 4);
  CHECK(c.most_frequent == "q");
  CHECK(c.frequency == 2);
}

TEST_CASE("a table prints in a readable form") {
  CHECK(printed(colours<double>()) ==
        "   a  colour    b\n"
        "0  1     red    3\n"
        "1  4     NaN    6\n"
        "2  7    blue  NaN\n"
        "3 rows, 3 columns\n");
  CHECK(printed(colours<float>().describe()) ==
        "   count  missing  mean       sd  min   25%  50%   75%  max\n"
        "a      3        0     4        3    1   2.5    4   5.5    7\n"
        "b      2        1   4.5  2.12132    3  3.75  4.5  5.25    6\n"
        "\n"
        "        count  missing  levels  most frequent  times\n"
        "colour      2        1       3           blue      1\n");
  // Long tables, wide ones, long names and characters of several bytes.
  const Table<double> tall({{"gr\xC3\xB6\xC3\x9F"
                             "e"}},
                           Array<double>::zeros({20, 1}));
  CHECK(
      printed(tall).starts_with("   gr\xC3\xB6\xC3\x9F"
                                "e\n0      0\n1      0\n"));
  CHECK(printed(tall).ends_with("7      0\n...\n20 rows, 1 column\n"));
  std::vector<Column> columns;
  for (int j = 0; j < 30; ++j)
    columns.push_back({std::string(j ? 3 : 30, 'n') + std::to_string(j)});
  const std::string wide = printed(Table<double>(columns, Array<double>::zeros({1, 30})));
  CHECK(wide.starts_with("   nnnnnnnnnnnnnnnnnnnnnnnn...  nnn1  "));
  CHECK(wide.find("nnn7  ...\n") != std::string::npos);
  CHECK(wide.find("nnn8") == std::string::npos);
}

}  // TEST_SUITE("table")
