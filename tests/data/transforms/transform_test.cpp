// SPDX-License-Identifier: BSD-3-Clause
// What all transforms have in common, shown by the simplest.
#include "ebb/data/transforms/transform.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/transforms/encoding.hpp"
#include "ebb/data/transforms/pipeline.hpp"
#include "ebb/data/transforms/scaling.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Column;
using data::Kind;
using data::Table;
using ebb::test::message_of, ebb::test::same_bits;
using Names = std::vector<std::string>;

namespace {

Table<double> houses() {
  return {{{"area"}, {"zone", Kind::categorical, {"north", "south"}}, {"age"}, {"price"}},
          Array<double>::of({{0, 0, 10, 7}, {4, 1, 30, 8}}),
          "h.csv"};
}

/// Becomes (x - 0) / 4 and (x - 10) / 20.
data::MinMax fitted() {
  data::MinMax step({.columns = {"area", "age"}});
  step.fit(houses());
  return step;
}

std::string why(const Table<double>& table) {
  return message_of<ArgumentError>([&] { fitted().transform(table); });
}

/// Gives one row fewer.
class Loses : public data::Transform {
 public:
  std::string type() const override { return "Loses"; }

 private:
  void learn(const Table<double>&) override {}
  Table<double> apply(const Table<double>& table) const override {
    return table.head(std::max<std::int64_t>(table.rows() - 1, 0));
  }
  void each(data::Fields&) override {}
};

}  // namespace

TEST_SUITE("transform") {

TEST_CASE("a transform stores the columns of the fit") {
  const auto step = fitted();
  CHECK(step.is_fitted());
  CHECK(step.training_rows() == 2);
  REQUIRE(step.inputs().size() == 4);
  CHECK(step.inputs()[1].name == "zone");
  CHECK(step.inputs()[1].kind == Kind::categorical);
  CHECK(step.inputs()[1].levels == Names{"north", "south"});
  CHECK(step.outputs().size() == 4);
  CHECK(step.outputs()[3].name == "price");
  CHECK(step.describe() == "MinMax area, age");
  CHECK(data::MinMax().describe() == "MinMax all numeric columns");
  CHECK(data::MinMax({.columns = {"a"}}).describe() == "MinMax a");
}

TEST_CASE("a table with columns in another order is put into the order of the fit") {
  const Table<double> other(
      {{"price"}, {"age"}, {"zone", Kind::categorical, {"north", "south"}}, {"area"}},
      Array<double>::of({{1, 20, 1, 2}}));
  const auto result = fitted().transform(other);
  CHECK(result.names() == Names{"area", "zone", "age", "price"});
  CHECK_AGREES(same_bits(result.values(), Array<double>::of({{0.5, 1, 0.5, 1}})));
  const auto back = fitted().inverse(result.select({"price", "age", "zone", "area"}));
  CHECK(back.names() == Names{"area", "zone", "age", "price"});
  CHECK_AGREES(same_bits(back.values(), Array<double>::of({{2, 1, 20, 1}})));
}

TEST_CASE("levels are matched by name, and new ones follow") {
  const double gone = std::numeric_limits<double>::quiet_NaN();
  const Table<double> other(
      {{"area"}, {"zone", Kind::categorical, {"east", "south", "west", "north"}}, {"age"}},
      Array<double>({5, 3}, {0, 0, 10, 0, 1, 10, 0, 2, 10, 0, 3, 10, 0, gone, 10}));
  const auto result = fitted().transform(other);
  CHECK(result.columns()[1].levels == Names{"north", "south", "east", "west"});
  CHECK_AGREES(same_bits(result.column("zone"), Array<double>({5, 1}, {2, 1, 3, 0, gone})));
  for (const std::int64_t i : {0, 1, 2, 3, 4})
    CHECK(result.level(i, "zone") == other.level(i, "zone"));
}

TEST_CASE("an unused column may be missing") {
  const auto result = fitted().transform(houses().drop({"price", "zone"}));
  CHECK(result.names() == Names{"area", "age"});
  CHECK_AGREES(same_bits(result.values(), Array<double>::of({{0, 0}, {1, 1}})));
  CHECK(fitted().transform(houses().head(0)).rows() == 0);
}

TEST_CASE("other columns are refused") {
  CHECK(why(houses().drop({"age"})) ==
        "MinMax: column \"age\" is missing in h.csv; there are area, zone, price");
  CHECK(why(houses().with("rooms", Array<double>::zeros({2, 1}))) ==
        "MinMax: column \"rooms\" of h.csv was not there at the fit, but area, zone, age, price; "
        "drop it");
  CHECK(why(houses().with("zone", Array<double>::zeros({2, 1}))) ==
        "MinMax: column \"zone\" of h.csv is numeric; at the fit it was categorical; "
        "read_csv(path, inputs()) reads a file with the columns of the fit");
  CHECK(message_of<ArgumentError>([] {
          fitted().inverse(houses().with("rooms", Array<double>::zeros({2, 1})));
        }).starts_with("MinMax: column \"rooms\" of h.csv was not there"));
  // Without names it takes all: the target, too, where it is not dropped.
  data::MinMax all;
  all.fit(houses());
  CHECK(message_of<ArgumentError>([&] { all.transform(houses().drop({"price"})); }) ==
        "MinMax: column \"price\" is missing in h.csv; there are area, zone, age");
}

TEST_CASE("the error for a table without columns says so") {
  CHECK(why(Table<double>({}, Array<double>::zeros({2, 0}), "e.csv")) ==
        "MinMax: column \"area\" is missing in e.csv; there are none");
}

TEST_CASE("messages name forty columns at most") {
  std::vector<Column> columns;
  for (int j = 0; j < 50; ++j) columns.push_back({std::to_string(j)});
  const Table<double> wide(columns, Array<double>::zeros({1, 50}));
  CHECK(message_of<ArgumentError>([&] {
          data::MinMax({.columns = {"x"}}).fit(wide);
        }).ends_with(", 38, 39 and 10 more"));
}

TEST_CASE("two thousand columns are fitted, saved and restored") {
  constexpr std::int64_t n = 2000;
  std::vector<Column> columns, zones;
  Names names;
  for (std::int64_t j = 0; j < n; ++j) {
    names.push_back("column" + std::to_string(j));
    columns.push_back({names.back()});
    zones.push_back({names.back(), Kind::categorical, {"north", "south"}});
  }
  const Table<double> numbers(columns, Array<double>::zeros({2, n})),
      categories(zones, Array<double>::zeros({2, n}));
  const test::Folder folder;
  const auto there_and_back = [&](data::Pipeline pipeline, const Table<double>& table) {
    CHECK(pipeline.inverse(pipeline.fit_transform(table)).columns().size() == n);
    pipeline.save(folder.path("p.json"));
    CHECK(data::Pipeline::load(folder.path("p.json")).outputs().size() ==
          pipeline.outputs().size());
  };
  there_and_back({data::Standardize({.columns = names})}, numbers);
  there_and_back({data::OneHot({.missing = data::Unknown::level})}, categories);
  there_and_back({data::Ordinal()}, categories);
}

TEST_CASE("named columns must exist and be of the right kind") {
  const auto fit = [](Names columns) {
    return message_of<ArgumentError>([&] { data::MinMax({.columns = columns}).fit(houses()); });
  };
  CHECK(fit({"area", "rooms"}) ==
        "MinMax: there is no column \"rooms\" in h.csv; there are area, zone, age, price");
  CHECK(fit({"zone"}) ==
        "MinMax: column \"zone\" of h.csv is categorical; it takes numeric columns");
  CHECK(fit({"area", "area"}) == "MinMax: column \"area\" is named twice");
}

TEST_CASE("a transform does nothing before a fit") {
  data::MinMax step;
  CHECK_FALSE(step.is_fitted());
  const auto why = [](const auto& f) { return message_of<ArgumentError>(f); };
  CHECK(why([&] { step.transform(houses()); }) ==
        "MinMax: transform before a fit; fit it on the training rows");
  CHECK(why([&] { step.inverse(houses()); }) ==
        "MinMax: inverse before a fit; fit it on the training rows");
  CHECK(why([&] { step.inputs(); }).starts_with("MinMax: inputs before a fit"));
  CHECK(why([&] { step.outputs(); }).starts_with("MinMax: outputs before a fit"));
  CHECK(why([&] { step.training_rows(); }).starts_with("MinMax: training_rows before a fit"));
  CHECK(why([&] { step.used(); }).starts_with("MinMax: used before a fit"));
}

TEST_CASE("another fit replaces the first, and after a failed one there is no fit") {
  auto step = fitted();
  const Table<double> other({{"age"}, {"area"}}, Array<double>::of({{0, 1}, {1, 3}}), "o.csv");
  step.fit(other);
  CHECK(step.inputs().size() == 2);
  CHECK_AGREES(same_bits(step.transform(other).values(), Array<double>::of({{0, 0}, {1, 1}})));
  CHECK_THROWS_AS(step.fit(other.drop({"age"})), ArgumentError);
  CHECK_FALSE(step.is_fitted());
  CHECK_THROWS_AS(step.transform(other), ArgumentError);
}

TEST_CASE("copies are values") {
  auto step = fitted();
  const auto copy = step;
  step.fit(houses().head(1));
  CHECK_AGREES(same_bits(copy.transform(houses()).column("area"), Array<double>({2, 1}, {0, 1})));
}

TEST_CASE("float and double are computed in double, and rounded once") {
  const Table<float> table({{"x"}}, Array<float>({3, 1}, {0.1F, 0.2F, 0.7F}));
  data::MinMax step;
  const auto z = step.fit_transform(table);
  const double expected = (double(0.2F) - double(0.1F)) / (double(0.7F) - double(0.1F));
  CHECK(z.values()[1] == float(expected));
  const Table<double> wide({{"x"}}, Array<double>({1, 1}, {double(0.2F)}));
  CHECK(step.transform(wide).values()[0] == expected);
}

TEST_CASE("the inverse takes a table with some of the columns, such as predictions") {
  const Table<double> half({{"age"}}, Array<double>({1, 1}, {0.5}));
  const auto back = fitted().inverse(half);
  CHECK(back.names() == Names{"age"});
  CHECK(back.values()[0] == 20);
}

TEST_CASE("your own transform may lose rows and have no inverse") {
  Loses step;
  CHECK(message_of<ArgumentError>([&] { step.fit_transform(houses()); }) ==
        "Loses: 1 row came of 2 rows");
  step.fit(houses());
  CHECK(message_of<ArgumentError>([&] { step.transform(houses()); }) ==
        "Loses: 1 row came of 2 rows");
  CHECK(message_of<ArgumentError>([&] { step.inverse(houses()); }) == "Loses: it has no inverse");
  // It names no columns, and so needs all.
  CHECK(message_of<ArgumentError>([&] {
          step.transform(houses().drop({"age"}));
        }).starts_with("Loses: column \"age\" is missing"));
}

}  // TEST_SUITE("transform")
