// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/encoding.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/transforms/pipeline.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Kind;
using data::OneHot, data::Ordinal, data::Unknown;
using data::Table;
using ebb::test::message_of, ebb::test::same_bits;
using Names = std::vector<std::string>;

namespace {

template <class T>
constexpr T gone = std::numeric_limits<T>::quiet_NaN();

const Names zones{"east", "north", "south", "west"};

/// Rows of a number, a zone by its code, and a number.
template <class T>
Table<T> of_zones(std::initializer_list<T> codes, const Names& levels = zones) {
  auto values = Array<T>::uninitialized({std::int64_t(codes.size()), 3});
  T* out = values.mutate();
  for (const T code : codes) {
    *out++ = 5;
    *out++ = code;
    *out++ = 6;
  }
  return {{{"a"}, {"zone", Kind::categorical, levels}, {"b"}}, values, "h.csv"};
}

/// Rows of north, south, west, north.
template <class T>
Table<T> training() {
  return of_zones<T>({1, 2, 3, 1});
}

std::string why(const auto& f) { return message_of<ArgumentError>(f); }

}  // namespace

TEST_SUITE("one-hot") {

TEST_CASE_TEMPLATE("each level of the training rows gets a column", T, float, double) {
  OneHot step;
  const auto seen = step.fit_transform(training<T>());
  CHECK(step.levels() == std::vector<Names>{{"north", "south", "west"}});
  CHECK(seen.names() == Names{"a", "zone=north", "zone=south", "zone=west", "b"});
  for (const auto& column : seen.columns()) CHECK(column.kind == Kind::numeric);
  CHECK_AGREES(same_bits(
      seen.values(),
      Array<T>::of({{5, 1, 0, 0, 6}, {5, 0, 1, 0, 6}, {5, 0, 0, 1, 6}, {5, 1, 0, 0, 6}})));
  const auto back = step.inverse(seen);
  CHECK(back.names() == Names{"a", "zone", "b"});
  CHECK(back.columns()[1].levels == zones);
  CHECK_AGREES(same_bits(back.values(), training<T>().values()));
  // By name: another file may have other codes.
  CHECK_AGREES(same_bits(step.transform(of_zones<T>({1, 0}, {"south", "north"})).values(),
                         Array<T>::of({{5, 1, 0, 0, 6}, {5, 0, 1, 0, 6}})));
}

TEST_CASE("several columns are encoded, each in its place") {
  const Table<double> table({{"c", Kind::categorical, {"x", "y"}},
                             {"n"},
                             {"d", Kind::categorical, {"x", "z"}},
                             {"e", Kind::categorical, {"k"}}},
                            Array<double>::of({{0, 7, 1, 0}, {1, 8, 0, 0}}));
  OneHot step({.columns = {"d", "c"}});
  const auto seen = step.fit_transform(table);
  CHECK(seen.names() == Names{"c=x", "c=y", "n", "d=x", "d=z", "e"});
  CHECK(seen.columns()[5].kind == Kind::categorical);
  CHECK_AGREES(
      same_bits(seen.values(), Array<double>::of({{1, 0, 7, 0, 1, 0}, {0, 1, 8, 1, 0, 0}})));
  CHECK_AGREES(same_bits(step.inverse(seen).values(), table.values()));
  // Some of them go back as well, but all columns of each.
  const auto some = step.inverse(seen.select({"d=z", "n", "d=x"}));
  CHECK(some.names() == Names{"n", "d"});
  CHECK_AGREES(same_bits(some.values(), Array<double>::of({{7, 1}, {8, 0}})));
  CHECK(why([&] { step.inverse(seen.drop({"d=z"})); }) ==
        "OneHot: inverse needs all columns of \"d\": d=x, d=z");
}

TEST_CASE("an unknown or missing value is refused, ignored, or a level") {
  const auto odd = of_zones<double>({0, gone<double>, 2});  // east, nothing, south
  OneHot strict;
  strict.fit(training<double>());
  CHECK(why([&] { strict.transform(odd); }) ==
        "OneHot: column \"zone\", row 0: the level \"east\" was not there at the fit, but north, "
        "south, west; let `unknown` be Unknown::ignore or level to take it");
  CHECK(why([&] {
          strict.transform(odd.rows(std::vector<std::int64_t>{2, 1}));
        }) ==
        "OneHot: column \"zone\", row 1: the value is missing; impute it, or let `missing` be "
        "Unknown::ignore or level");
  CHECK(
      why([&] { OneHot().fit(odd); }).starts_with("OneHot: column \"zone\", row 1: the value is"));

  OneHot lenient({.unknown = Unknown::ignore, .missing = Unknown::ignore});
  lenient.fit(training<double>());
  const auto zeros = lenient.transform(odd);
  CHECK(zeros.names() == Names{"a", "zone=north", "zone=south", "zone=west", "b"});
  CHECK_AGREES(same_bits(zeros.drop({"a", "b"}).values(),
                         Array<double>({3, 3}, {0, 0, 0, 0, 0, 0, 0, 1, 0})));
  CHECK_AGREES(same_bits(lenient.inverse(zeros).column("zone"),
                         Array<double>({3, 1}, {gone<double>, gone<double>, 2})));

  OneHot open({.unknown = Unknown::level, .missing = Unknown::level});
  open.fit(training<double>());
  const auto levels = open.transform(odd);
  CHECK(levels.names() == Names{"a", "zone=north", "zone=south", "zone=west", "zone=(unknown)",
                                "zone=(missing)", "b"});
  CHECK_AGREES(same_bits(levels.drop({"a", "b"}).values(),
                         Array<double>({3, 5}, {0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0})));
  CHECK_AGREES(same_bits(open.inverse(levels).column("zone"),
                         Array<double>({3, 1}, {gone<double>, gone<double>, 2})));
  // One of the two alone.
  OneHot some({.unknown = Unknown::ignore, .missing = Unknown::level});
  some.fit(training<double>());
  CHECK_AGREES(
      same_bits(some.transform(odd).column("zone=(missing)"), Array<double>({3, 1}, {0, 1, 0})));
}

TEST_CASE("the first level can be left out") {
  OneHot step({.drop_first = true});
  const auto seen = step.fit_transform(training<double>());
  CHECK(seen.names() == Names{"a", "zone=south", "zone=west", "b"});
  CHECK_AGREES(
      same_bits(seen.drop({"a", "b"}).values(), Array<double>({4, 2}, {0, 0, 1, 0, 0, 1, 0, 0})));
  CHECK_AGREES(same_bits(step.inverse(seen).values(), training<double>().values()));
  CHECK(why([] { OneHot({.unknown = Unknown::ignore, .drop_first = true}); }) ==
        "OneHot: with drop_first the first level is all zeros, as ignored values are; set unknown "
        "and missing to error or level");
  CHECK_THROWS_AS(OneHot({.missing = Unknown::ignore, .drop_first = true}), ArgumentError);
}

TEST_CASE("a column without encoded columns is restored with all the others") {
  const Table<double> table(
      {{"a"}, {"zone", Kind::categorical, {"north"}}, {"none", Kind::categorical}, {"b"}},
      Array<double>::of({{1, 0, gone<double>, 2}, {3, 0, gone<double>, 4}}));
  OneHot step({.columns = {"zone"}, .drop_first = true});
  const auto seen = step.fit_transform(table.drop({"none"}));
  CHECK(seen.names() == Names{"a", "b"});
  const auto back = step.inverse(seen);
  CHECK(back.names() == Names{"a", "zone", "b"});
  CHECK(back.level(1, "zone") == "north");
  CHECK_AGREES(same_bits(back.values(), table.drop({"none"}).values()));
  // If only some columns are there, only these come back.
  CHECK(step.inverse(seen.select({"b"})).names() == Names{"b"});
  OneHot empty({.columns = {"none"}, .missing = Unknown::ignore});
  const auto all = empty.inverse(empty.fit_transform(table));
  CHECK(all.names() == table.names());
  CHECK_AGREES(same_bits(all.values(), table.values()));
}

TEST_CASE("a file may have drop_first for a column without levels") {
  const Table<double> table({{"zone", Kind::categorical, {"north"}}, {"area"}},
                            Array<double>::of({{0, 1}, {0, 2}}));
  data::Pipeline pipeline{OneHot({.drop_first = true})};
  pipeline.fit(table);
  const ebb::test::Folder folder;
  pipeline.save(folder.path("p.json"));
  std::string text = ebb::test::content_of(folder.path("p.json"));
  const std::string levels = "\"levels\":[[\"north\"]]}";
  text.replace(text.find(levels), levels.size(), "\"levels\":[[]]}");
  const auto loaded = data::Pipeline::load(folder.add("p.json", text));
  const auto back = loaded.inverse(table.drop({"zone"}));
  CHECK(back.names() == Names{"zone", "area"});
  CHECK(back.level(1, "zone").empty());
}

TEST_CASE("the inverse accepts numbers that are nearly right") {
  OneHot step;
  step.fit(training<double>());
  const Table<double> scores(
      {{"zone=north"}, {"zone=south"}, {"zone=west"}},
      Array<double>::of({{0.1, 0.7, 0.6}, {1, 1e-17, -1e-17}, {0.3, 0.3, 0.4}, {0.5, 0.5, 0}}));
  CHECK_AGREES(same_bits(step.inverse(scores).values(),
                         Array<double>({4, 1}, {2, 1, gone<double>, gone<double>})));
}

TEST_CASE("levels may be given in any order") {
  OneHot step({.levels = {{"zone", {"west", "up", "north", "south"}}}});
  const auto seen = step.fit_transform(training<double>());
  CHECK(seen.names() == Names{"a", "zone=west", "zone=up", "zone=north", "zone=south", "b"});
  CHECK_AGREES(same_bits(seen.column("zone=west"), Array<double>({4, 1}, {0, 0, 1, 0})));
  const auto back = step.inverse(seen);
  CHECK(back.columns()[1].levels == Names{"east", "north", "south", "west", "up"});
  CHECK_AGREES(same_bits(back.values(), training<double>().values()));
  CHECK(why([] {
          OneHot({.levels = {{"zone", {"north"}}}}).fit(training<double>());
        }).starts_with("OneHot: column \"zone\", row 1: the level \"south\" was not there"));
  CHECK(why([] {
          OneHot({.levels = {{"size", {"s"}}}}).fit(training<double>());
        }) == "OneHot: levels are given for \"size\", which it does not encode");
  CHECK(why([] {
          OneHot({.levels = {{"zone", {"s", "s"}}}}).fit(training<double>());
        }) == "OneHot: a level that is given for \"zone\" occurs twice");
}

TEST_CASE("numbers are not encoded, and names that clash are refused") {
  CHECK(why([] { OneHot({.columns = {"a"}}).fit(training<double>()); }) ==
        "OneHot: column \"a\" of h.csv is numeric; it takes categorical columns");
  CHECK(why([] { OneHot().fit(training<double>().select({"a"})); }) ==
        "OneHot: h.csv has no categorical column");
  const auto taken = training<double>().with("zone=north", Array<double>::zeros({4, 1}));
  CHECK(why([&] { OneHot().fit(taken); }) ==
        "OneHot: the name \"zone=north\" occurs twice in its result; rename or drop a column");
}

TEST_CASE("names that would take hundreds of times the table are refused") {
  data::Column column{std::string(1 << 20, 'x'), Kind::categorical};
  for (int i = 0; i < 70; ++i) column.levels.push_back(std::to_string(i));
  const OneHot step({.levels = {{column.name, column.levels}}});
  CHECK(why([&] {
          OneHot(step).fit(Table<double>({column}, Array<double>::zeros({1, 1})));
        }).ends_with(" would take more than 64 MB"));
}

}  // TEST_SUITE("one-hot")

TEST_SUITE("ordinal") {

TEST_CASE_TEMPLATE("a level becomes its position", T, float, double) {
  Ordinal step;
  const auto seen = step.fit_transform(training<T>());
  CHECK(seen.names() == Names{"a", "zone", "b"});
  CHECK(seen.columns()[1].kind == Kind::numeric);
  CHECK_AGREES(
      same_bits(seen.values(), Array<T>::of({{5, 0, 6}, {5, 1, 6}, {5, 2, 6}, {5, 0, 6}})));
  const auto back = step.inverse(seen);
  CHECK(back.columns()[1].levels == zones);
  CHECK_AGREES(same_bits(back.values(), training<T>().values()));
  Ordinal sized({.levels = {{"zone", {"west", "south", "north"}}}});
  CHECK_AGREES(
      same_bits(sized.fit_transform(training<T>()).column("zone"), Array<T>({4, 1}, {2, 1, 0, 2})));
}

TEST_CASE("an unknown or missing value is refused, ignored, or a level") {
  const auto odd = of_zones<double>({0, gone<double>, 2});
  const auto codes = [&](data::OrdinalOptions options) {
    Ordinal step(std::move(options));
    step.fit(training<double>());
    const auto result = step.transform(odd);
    CHECK_AGREES(same_bits(step.inverse(result).column("zone"),
                           Array<double>({3, 1}, {gone<double>, gone<double>, 2})));
    return result.column("zone");
  };
  CHECK_AGREES(same_bits(codes({.unknown = Unknown::ignore, .missing = Unknown::ignore}),
                         Array<double>({3, 1}, {gone<double>, gone<double>, 1})));
  CHECK_AGREES(same_bits(codes({.unknown = Unknown::level, .missing = Unknown::level}),
                         Array<double>({3, 1}, {3, 4, 1})));
  CHECK_AGREES(same_bits(codes({.unknown = Unknown::ignore, .missing = Unknown::level}),
                         Array<double>({3, 1}, {gone<double>, 3, 1})));
  CHECK(why([&] {
          codes({.missing = Unknown::level});
        }).starts_with("Ordinal: column \"zone\", row 0: the level \"east\" was not there"));
  CHECK(why([&] {
          codes({.unknown = Unknown::level});
        }).starts_with("Ordinal: column \"zone\", row 1: the value is missing"));
}

TEST_CASE("the inverse rounds, and refuses numbers that are not codes") {
  Ordinal step;
  step.fit(training<double>());
  const auto inverse = [&](double code) {
    return step.inverse(Table<double>({{"zone"}}, Array<double>({1, 1}, {code})));
  };
  CHECK(inverse(0.9999).level(0, "zone") == "south");
  CHECK(inverse(2.4).level(0, "zone") == "west");
  CHECK(why([&] { inverse(2.6); }) ==
        "Ordinal: column \"zone\", row 0: 2.6 is the code of no level; there are 3");
  for (const double code : {-1., 1e300, std::numeric_limits<double>::infinity()}) {
    CHECK(why([&] { inverse(code); }).ends_with(" is the code of no level; there are 3"));
  }
}

TEST_CASE("one-hot encoding refuses a column of names unless an option says so") {
  std::vector<std::string> names;
  std::vector<double> codes;
  for (int i = 0; i < 40; ++i) {
    names.push_back(std::to_string(10 + i / 2));
    codes.push_back(double(i));
  }
  for (int i = 0; i < 40; ++i) names[std::size_t(i)] += i == 30 ? ",5" : i % 2 ? ".0" : "";
  const data::Table<double> table({{"name", Kind::categorical, names}},
                                  Array<double>({40, 1}, std::span<const double>(codes)), "t.csv");
  CHECK(test::message_of<ArgumentError>([&] { OneHot().fit(table); }) ==
        "OneHot: column \"name\" of t.csv has 40 levels, as \"25,5\", in 40 rows; drop it, read it "
        "as Kind::numeric, or set OneHotOptions::many_levels");
  CHECK(OneHot({.many_levels = true}).fit_transform(table).columns().size() == 40);
  CHECK(OneHot({.levels = {{"name", names}}}).fit_transform(table).columns().size() == 40);
}

}  // TEST_SUITE("ordinal")
