// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/pipeline.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <sstream>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/formats/csv.hpp"
#include "ebb/data/transforms/encoding.hpp"
#include "ebb/data/transforms/scaling.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Kind;
using data::Table;
using ebb::test::close, ebb::test::message_of, ebb::test::same_bits;
using Names = std::vector<std::string>;

namespace {

Table<double> houses() {
  return {{{"area"}, {"zone", Kind::categorical, {"north", "s\"ud\n"}}, {"age"}},
          Array<double>::of({{1, 0, 10}, {0.1, 1, 1. / 3}, {2, 1, 1e-300}}),
          "h.csv"};
}

/// Cuts off what is larger than the largest training value, or than a given one.
class Clip : public data::Transform {
 public:
  explicit Clip(double most = std::numeric_limits<double>::infinity()) : most_(most) {}
  std::string type() const override { return "Clip"; }

 private:
  void learn(const Table<double>& training) override {
    for (const double x : training.values()) seen_ = std::fmax(seen_, x);
  }
  Table<double> apply(const Table<double>& table) const override {
    auto values = table.values();
    double* x = values.mutate();
    for (std::int64_t i = 0; i < values.size(); ++i) {
      x[i] = std::min(x[i], std::min(most_, seen_));
    }
    return {table.columns(), values, table.source()};
  }
  void each(data::Fields& fields) override {
    fields("most", most_);
    fields("seen", seen_);
    fields("is_used", is_used_);
    fields("lists", lists_);
    fields("count", count_);
    fields("seed", seed_);
  }

  double most_, seen_ = -std::numeric_limits<double>::infinity();
  bool is_used_ = true;
  std::vector<std::vector<double>> lists_{{}, {1, std::nan(""), -HUGE_VAL}};
  std::int64_t count_ = std::numeric_limits<std::int64_t>::min();
  std::uint64_t seed_ = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace

TEST_SUITE("pipeline") {

TEST_CASE("each step is fitted on the output of the steps before it") {
  data::Pipeline pipeline;
  pipeline.add(data::MinMax({.columns = {"age"}, .high = 10}))
      .add(data::MinMax({.columns = {"age", "area"}, .low = -1}));
  const Table<double> train({{"area"}, {"age"}}, Array<double>::of({{0, 5}, {1, 6}, {2, 7}}));
  const auto seen = pipeline.fit_transform(train);
  CHECK_AGREES(same_bits(seen.values(), Array<double>::of({{-1, -1}, {0, 0}, {1, 1}})));
  CHECK_AGREES(same_bits(pipeline.transform(train).values(), seen.values()));
  CHECK(pipeline.size() == 2);
  CHECK(pipeline.at<data::MinMax>(0).center() == std::vector<double>{5});
  CHECK(pipeline.at<data::MinMax>(1).scale() == std::vector<double>{10, 2});
  // The inverse runs backwards.
  const Table<double> next({{"area"}, {"age"}}, Array<double>::of({{3, -1}}));
  CHECK_AGREES(same_bits(pipeline.inverse(next).values(), Array<double>::of({{4, 5}})));
  // `fit` learns the same.
  data::Pipeline other{data::MinMax({.columns = {"age"}, .high = 10}),
                       data::MinMax({.columns = {"age", "area"}, .low = -1})};
  other.fit(train);
  CHECK_AGREES(same_bits(other.transform(next).values(), pipeline.transform(next).values()));
}

TEST_CASE("a pipeline is a transform") {
  data::Pipeline pipeline{data::MinMax({.columns = {"age"}}), data::Standardize()};
  CHECK(pipeline.describe() == "0  MinMax age\n1  Standardize all numeric columns");
  pipeline.fit(houses());
  std::ostringstream text;
  text << pipeline;
  CHECK(text.str() == "0  MinMax age\n1  Standardize area, age\n");
  CHECK(pipeline.inputs().size() == 3);
  CHECK(pipeline.outputs()[1].levels == houses().columns()[1].levels);
  CHECK(message_of<ArgumentError>([&] { pipeline.transform(houses().drop({"area"})); }) ==
        "Standardize: column \"area\" is missing in h.csv; there are zone, age");
  CHECK(message_of<ArgumentError>([&] {
          pipeline.transform(houses().with("rooms", Array<double>::zeros({3, 1})));
        }).starts_with("Pipeline: column \"rooms\" of h.csv was not there at the fit"));
  CHECK(message_of<ArgumentError>([&] { pipeline[2]; }) == "Pipeline: step 2 of 2 steps");
  CHECK_THROWS_AS(pipeline[-1], ArgumentError);
  CHECK(message_of<ArgumentError>([&] { pipeline.at<data::MinMax>(1); }) ==
        "Pipeline: step 1 is Standardize area, age");
  // Without steps nothing changes.
  data::Pipeline none;
  CHECK_AGREES(same_bits(none.fit_transform(houses()).values(), houses().values()));
}

TEST_CASE("copies are values, and adding a step removes the fit") {
  data::Pipeline pipeline{data::MinMax({.columns = {"age"}})};
  pipeline.fit(houses());
  data::Pipeline copy = pipeline;
  copy.add(pipeline).add(copy);
  CHECK(copy.size() == 4);
  CHECK(pipeline.size() == 1);
  CHECK_FALSE(copy.is_fitted());
  CHECK(message_of<ArgumentError>([&] { copy.transform(houses()); }) ==
        "Pipeline: transform before a fit; fit it on the training rows");
  copy.fit(houses().head(1));
  auto longer = copy;
  longer.add(data::Standardize());
  CHECK_FALSE(longer.is_fitted());
  CHECK(pipeline.at<data::MinMax>(0).center() == std::vector<double>{1e-300});
  CHECK(copy.at<data::MinMax>(0).center() == std::vector<double>{10});
}

TEST_CASE_TEMPLATE("a saved and loaded pipeline gives the same bits", T, float, double) {
  const test::Folder folder;
  auto values = Array<T>::uninitialized({100, 3});
  for (std::int64_t i = 0; i < values.size(); ++i) {
    values.mutate()[i] = T(std::sin(double(i)) * std::pow(10, double(i % 31) - 15));
  }
  const Table<T> table({{"a b"}, {"\xC3\xA4\"\\"}, {"c"}}, values);
  data::Pipeline pipeline{data::Robust({.columns = {"c", "a b"}}), data::Standardize(),
                          data::MinMax({.low = -0.1, .high = 1e-300})};
  const auto seen = pipeline.fit_transform(table);
  pipeline.save(folder.path("p.json"));
  const auto again = data::Pipeline::load(folder.path("p.json"));
  CHECK_AGREES(same_bits(again.transform(table).values(), seen.values()));
  CHECK_AGREES(same_bits(again.inverse(seen).values(), pipeline.inverse(seen).values()));
  CHECK(again.describe() == pipeline.describe());
  CHECK(again.training_rows() == 100);
  // To the byte.
  again.save(folder.path("q.json"));
  CHECK(test::content_of(folder.path("q.json")) == test::content_of(folder.path("p.json")));
  // The options, too: another fit gives the same.
  auto refitted = again;
  CHECK_AGREES(same_bits(refitted.fit_transform(table).values(), seen.values()));
}

TEST_CASE("the file is readable by people") {
  const test::Folder folder;
  data::Pipeline pipeline{data::MinMax({.columns = {"age"}})};
  pipeline.fit(houses());
  pipeline.save(folder.path("p.json"));
  CHECK(test::content_of(folder.path("p.json")) ==
        "{\"format\":\"ebb.pipeline\",\"version\":1,\"inputs\":[{\"name\":\"area\"},"
        "{\"name\":\"zone\",\"levels\":[\"north\",\"s\\\"ud\\n\"]},{\"name\":\"age\"}],"
        "\"rows\":3,\n"
        "\"steps\":[\n"
        "{\"type\":\"MinMax\",\"inputs\":[{\"name\":\"area\"},"
        "{\"name\":\"zone\",\"levels\":[\"north\",\"s\\\"ud\\n\"]},{\"name\":\"age\"}],"
        "\"rows\":3,\"low\":0.0,\"high\":1.0,\"columns\":[\"age\"],\"used\":[\"age\"],"
        "\"center\":[1e-300],\"scale\":[10.0]}]}\n");
}

TEST_CASE("your own transforms can be steps, in files too") {
  const test::Folder folder;
  data::Pipeline pipeline{data::MinMax({.columns = {"area"}, .high = 8}), Clip()};
  const auto seen = pipeline.fit_transform(houses());
  CHECK(pipeline.describe() == "0  MinMax area\n1  Clip");
  Table<double> large = houses();
  large = large.with("age", Array<double>({3, 1}, {100, 200, 3}));
  CHECK_AGREES(
      same_bits(pipeline.transform(large).column("age"), Array<double>({3, 1}, {10, 10, 3})));
  pipeline.save(folder.path("p.json"));
  const auto text = test::content_of(folder.path("p.json"));
  CHECK(text.find("\"most\":\"Infinity\",\"seen\":10.0,\"is_used\":true,\"lists\":[[],[1.0,\"NaN\","
                  "\"-Infinity\"]],"
                  "\"count\":-9223372036854775808,\"seed\":18446744073709551615}") != text.npos);
  const auto again = data::Pipeline::load(folder.path("p.json"), {Clip(3), data::Standardize()});
  CHECK_AGREES(same_bits(again.transform(large).values(), pipeline.transform(large).values()));
  again.save(folder.path("q.json"));
  CHECK(test::content_of(folder.path("q.json")) == text);
  CHECK(message_of<FileError>([&] { data::Pipeline::load(folder.path("p.json")); }) ==
        folder.path("p.json") +
            ": step 1: there is no transform \"Clip\"; give one of your own to Pipeline::load");
}

TEST_CASE("your own transform goes before one of the library that has the same type") {
  struct Mine : Clip {
    std::string type() const override { return "MinMax"; }
  };
  const test::Folder folder;
  const std::string path = folder.path("p.json");
  data::Pipeline pipeline{Mine()};
  const auto seen = pipeline.fit_transform(houses());
  pipeline.save(path);
  const auto again = data::Pipeline::load(path, {Mine()});
  CHECK_AGREES(same_bits(again.transform(houses()).values(), seen.values()));
  CHECK(message_of<FileError>([&] { data::Pipeline::load(path); }) ==
        path + ": step 0 (MinMax): \"low\" is missing");
}

namespace {

/// Passes on what it is given, and asks for one column.
class Needs : public data::Transform {
 public:
  explicit Needs(std::string name = {}) : name_(std::move(name)) {}
  std::string type() const override { return "Needs"; }

 private:
  void learn(const Table<double>&) override {}
  Table<double> apply(const Table<double>& table) const override { return table; }
  std::vector<std::string> uses() const override { return {name_}; }
  void each(data::Fields& fields) override { fields("name", name_); }

  std::string name_;
};

}  // namespace

TEST_CASE("the columns that your own transform uses must be there") {
  const test::Folder folder;
  data::Pipeline pipeline{Needs("age")};
  pipeline.fit(houses());
  CHECK(message_of<ArgumentError>([&] { pipeline.transform(houses().drop({"age"})); }) ==
        "Needs: column \"age\" is missing in h.csv; there are area, zone");
  CHECK(pipeline.transform(houses().drop({"zone"})).rows() == 3);
  pipeline.save(folder.path("p.json"));
  std::string text = test::content_of(folder.path("p.json"));
  text.replace(text.rfind("\"age\""), 5, "\"eon\"");
  folder.add("p.json", text);
  CHECK(message_of<FileError>([&] {
          data::Pipeline::load(folder.path("p.json"), {Needs()});
        }).ends_with("step 0 (Needs): it needs a column \"eon\", which \"inputs\" has not"));
  CHECK(message_of<ArgumentError>([&] { Needs("eon").fit(houses()); }) ==
        "Needs: it needs a column \"eon\", which is not in h.csv");
}

TEST_CASE("a pipeline that is not fitted, or has names that are not UTF-8, is not saved") {
  const test::Folder folder;
  data::Pipeline pipeline{data::Standardize()};
  CHECK(message_of<ArgumentError>([&] { pipeline.save(folder.path("p.json")); }) ==
        "Pipeline: save before a fit; fit it on the training rows");
  pipeline.fit(Table<double>({{"\xff"}}, Array<double>({2, 1}, {1, 2})));
  CHECK(message_of<ArgumentError>([&] { pipeline.save(folder.path("p.json")); }) ==
        "Pipeline: save: the name of a column, or a level, is not UTF-8, as JSON must be");
  CHECK(folder.names().empty());
  CHECK_THROWS_AS(data::Pipeline::load(folder.path("p.json")), FileError);
}

namespace {

/// The error of loading a file with this text, after the name of the file.
std::string refusal(const std::string& text) {
  const test::Folder folder;
  const std::string path = folder.add("p.json", text);
  const std::string message = message_of<FileError>([&] { data::Pipeline::load(path); });
  return message.starts_with(path + ":") ? message.substr(path.size() + 1) : message;
}

const std::string head = R"({"format":"ebb.pipeline","version":1,"inputs":[{"name":"x"},
{"name":"c","levels":["p","q"]}],"rows":3,"steps":[)";
const std::string step = R"({"type":"MinMax","inputs":[{"name":"x"},{"name":"c",
"levels":["p","q"]}],"rows":3,"low":0,"high":1,"columns":[],"used":["x"],"center":[5],"scale":[2]})";

/// The file with one part of its step replaced, and the error for it.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = step;
  const auto at = text.find(from);
  REQUIRE(at != text.npos);
  return refusal(head + text.replace(at, from.size(), to) + "]}");
}

}  // namespace

TEST_CASE("errors of broken files have the place") {
  REQUIRE(refusal(head + step + "]}") == "nothing was thrown");
  REQUIRE(refusal(head + "]}") == "nothing was thrown");
  const std::string no_json = " this is not JSON; a pipeline file is one that Pipeline::save wrote";
  CHECK(refusal("") == "1:1:" + no_json);
  CHECK(refusal("pipeline") == "1:1:" + no_json);
  CHECK(refusal("{\n \"format\": nil}") == "2:13:" + no_json);
  CHECK(refusal(head + step + "]}\n\n ]") == "5:2:" + no_json);
  CHECK(refusal("{\"\xff\":1}") == "1:3:" + no_json);
  CHECK(refusal(head + step) == "3:99:" + no_json);
  CHECK(refusal(std::string("{\n\0}", 4)) == "2:1: a zero byte, which JSON cannot have");
  CHECK(refusal("[1]") == " a pipeline is a JSON object");
  CHECK(refusal("3") == " a pipeline is a JSON object");
  CHECK(refusal("{}") == " \"format\" is missing");
  CHECK(refusal("{\"format\":7}") == " \"format\" must be a text");
  CHECK(refusal("{\"format\":\"x\",\"version\":1}") ==
        " \"format\" is \"x\", not \"ebb.pipeline\"; a pipeline file is one that Pipeline::save "
        "wrote");
  CHECK(refusal("{\"format\":\"ebb.pipeline\"}") == " \"version\" is missing");
  CHECK(refusal("{\"format\":\"ebb.pipeline\",\"version\":2}") ==
        " version 2 of the format; this library reads version 1");
  CHECK(refusal("{\"format\":\"ebb.pipeline\",\"version\":0}") ==
        " version 0 of the format; this library reads version 1");
  CHECK(refusal("{\"format\":\"ebb.pipeline\",\"version\":1.5}") ==
        " \"version\" must be a whole number");
  CHECK(refusal("{\"format\":\"ebb.pipeline\",\"version\":1}") == " \"steps\" is missing");
  CHECK(refusal("{\"format\":\"ebb.pipeline\",\"version\":1,\"steps\":{}}") ==
        " \"steps\" must be a list");
  CHECK(refusal("{\"format\":\"ebb.pipeline\",\"version\":1,\"steps\":[]}") ==
        " \"inputs\" is missing");
  CHECK(refusal(head + "4]}") == " step 0: must be an object");
  CHECK(refusal(head + "{}]}") == " step 0: \"type\" is missing");
  CHECK(refusal(head + step + ",{\"type\":\"Magic\"}]}") ==
        " step 1: there is no transform \"Magic\"; give one of your own to Pipeline::load");
  CHECK(refusal(head + "],\"extra\":1}") == " the key \"extra\" is not known");
  CHECK(refusal(head + "],\"rows\":3}") == " the key \"rows\" occurs twice in one object");
  CHECK(refusal(head + "[[[[[[[[[[") == " lists within lists, deeper than a pipeline");
  CHECK(refusal(std::string(1000000, '[')) == " lists within lists, deeper than a pipeline");
  CHECK(refusal(head + "1e999]}") == " a number that double cannot hold");
  // Each of these would take minutes if a check compared all pairs.
  std::string objects = "{}", keys = "\"k\":0";
  for (int i = 0; i < 300000; ++i) objects += ",{}";
  for (int i = 0; i < 300000; ++i) keys += ",\"k" + std::to_string(i) + "\":0";
  CHECK(refusal(head + objects + "]}") == " step 0: \"type\" is missing");
  CHECK(refusal(head + "{" + keys + "}]}") == " more keys than a pipeline has");
}

TEST_CASE("a member that has the name of another is refused when it is saved") {
  struct Twice : data::Transform {
    std::string type() const override { return "Twice"; }
    void learn(const Table<double>&) override {}
    Table<double> apply(const Table<double>& table) const override { return table; }
    void each(data::Fields& fields) override { fields("rows", window); }
    std::int64_t window = 3;
  };
  const test::Folder folder;
  data::Pipeline pipeline{Twice()};
  pipeline.fit(Table<double>({{"x"}}, Array<double>({1, 1}, {1})));
  CHECK(message_of<ArgumentError>([&] { pipeline.save(folder.path("p.json")); }) ==
        "Pipeline::save: \"rows\" is the name of two members");
  CHECK(folder.names().empty());
}

TEST_CASE("a pipeline has at most 256 MB, in a file and before it is written") {
  const test::Folder folder;
  const std::string path = folder.path("p.json");
  folder.add("p.json", "");
  std::filesystem::resize_file(path, (std::uintmax_t(1) << 28) + 1);
  CHECK(message_of<FileError>([&] { data::Pipeline::load(path); }) ==
        path + ": a file of more than 256 MB is not a pipeline");
  struct Long : data::Transform {
    std::string type() const override { return "Long"; }
    void learn(const Table<double>&) override {}
    Table<double> apply(const Table<double>& table) const override { return table; }
    void each(data::Fields& fields) override { fields("text", text); }
    // Each of its characters takes six in the file.
    std::string text = std::string((1 << 28) / 6, '\1');
  };
  data::Pipeline pipeline{Long()};
  pipeline.fit(houses());
  CHECK(message_of<ArgumentError>([&] { pipeline.save(folder.path("q.json")); }) ==
        "Pipeline: save: it takes more than 256 MB, which load refuses; drop columns with many or "
        "long levels");
  CHECK(folder.names() == Names{"p.json"});
}

TEST_CASE("contradictory files are refused") {
  const std::string where = " step 0 (MinMax): ";
  CHECK(changed("\"rows\":3", "\"rows\":0") == where + "\"rows\" must be above 0");
  CHECK(changed("\"rows\":3", "\"rows\":9223372036854775808") ==
        where + "\"rows\" must be a whole number below 2^63");
  CHECK(changed("\"low\":0", "\"low\":\"zero\"") == where + "\"low\" must be a number");
  CHECK(changed("\"low\":0", "\"low\":1") == where + "\"low\" must be below \"high\"");
  CHECK(changed("\"low\":0", "\"low\":\"NaN\"") == where + "\"low\" must be below \"high\"");
  CHECK(changed("\"low\":0,", "") == where + "\"low\" is missing");
  CHECK(changed("\"low\":0", "\"low\":0,\"mid\":0") == where + "the key \"mid\" is not known");
  CHECK(changed("\"columns\":[]", "\"columns\":{}") == where + "\"columns\" must be a list");
  CHECK(changed("\"columns\":[]", "\"columns\":[1]") == where + "\"columns\" must be a text");
  CHECK(changed("\"used\":[\"x\"]", "\"used\":[\"y\"]") ==
        where + "\"used\" has \"y\", which is not a column of \"inputs\"");
  CHECK(changed("\"used\":[\"x\"]", "\"used\":[\"x\",\"x\"]") ==
        where + "\"used\" has \"x\" twice");
  CHECK(changed("\"used\":[\"x\"]", "\"used\":[\"c\"]") ==
        where + "\"used\" has the categorical column \"c\", which it cannot take");
  CHECK(changed("\"center\":[5]", "\"center\":[]") ==
        where + "\"center\" and \"scale\" need a number for each column of \"used\"");
  CHECK(changed("\"scale\":[2]", "\"scale\":[2,2]") ==
        where + "\"center\" and \"scale\" need a number for each column of \"used\"");
  for (const char* scale : {"0", "-1", "\"NaN\"", "\"Infinity\""}) {
    CHECK(changed("\"scale\":[2]", "\"scale\":[" + std::string(scale) + "]") ==
          where + "\"center\" must be finite, and \"scale\" above 0");
  }
  CHECK(changed("\"center\":[5]", "\"center\":[\"-Infinity\"]") ==
        where + "\"center\" must be finite, and \"scale\" above 0");
  const std::string columns = where +
                              "\"inputs\" must be columns: each a \"name\", and "
                              "\"levels\" where it has them";
  for (const char* column : {"\"x\"", "{}", "{\"name\":1}", "{\"name\":\"x\",\"levels\":1}",
                             "{\"name\":\"x\",\"levels\":[1]}", "{\"name\":\"x\",\"kind\":1}"}) {
    CHECK(changed("{\"name\":\"x\"}", column) == columns);
  }
  CHECK(changed("{\"name\":\"x\"}", "{\"name\":\"x\"},{\"name\":\"x\"}") ==
        where + "Table: the name \"x\" occurs twice");
  CHECK(changed("[\"p\",\"q\"]", "[\"p\",\"p\"]") ==
        where + "Table: column \"c\" has the level \"p\" twice");
  // The columns of the steps are compared with those of the pipeline.
  const test::Folder folder;
  CHECK(
      refusal(R"({"format":"ebb.pipeline","version":1,"inputs":[{"name":"z"}],"rows":3,"steps":[)" +
              step + "]}") ==
      " MinMax: column \"z\" of no rows was not there at the fit, but x, c; drop it");
}

TEST_CASE("every file cut short is refused") {
  const std::string whole = head + step + "]}";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CHECK(refusal(whole.substr(0, length)) != "nothing was thrown");
  }
}

}  // TEST_SUITE("pipeline")
