// SPDX-License-Identifier: BSD-3-Clause
// Every transform of the library through a file and back, and data files read as a fit had them.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/formats/csv.hpp"
#include "ebb/data/transforms/encoding.hpp"
#include "ebb/data/transforms/features.hpp"
#include "ebb/data/transforms/imputation.hpp"
#include "ebb/data/transforms/pipeline.hpp"
#include "ebb/data/transforms/scaling.hpp"
#include "ebb/data/transforms/target_encoding.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Kind;
using data::Strategy;
using data::Table;
using data::Unknown;
using ebb::test::message_of, ebb::test::same_bits;
using Names = std::vector<std::string>;

namespace {

constexpr double gone = std::numeric_limits<double>::quiet_NaN();

/// Two columns of numbers, one of them with gaps, two of categories, and a target.
Table<double> houses(std::int64_t rows, bool has_gaps) {
  auto values = Array<double>::uninitialized({rows, 5});
  double* out = values.mutate();
  for (std::int64_t i = 0; i < rows; ++i) {
    *out++ = has_gaps && i % 9 == 8 ? gone : 50 + 30 * std::sin(double(i));
    *out++ = has_gaps && i % 5 == 0 ? gone : 1 / double(1 + i);
    *out++ = double(i % 3);
    *out++ = has_gaps && i % 4 == 0 ? gone : double(i * i % 7);
    *out++ = double(i % 11);
  }
  const std::vector<std::string> streets{"a", "b", "\xC3\xA9", "d", "\"", "f", "g"};
  return {{{"area"},
           {"age"},
           {"zone", Kind::categorical, {"north", "south", "west"}},
           {"street", Kind::categorical, streets},
           {"price"}},
          values,
          "h.csv"};
}

/// Fits, saves and loads: the copy must do the same, and save as the same text.
data::Pipeline through_a_file(data::Pipeline pipeline, const Table<double>& train) {
  const test::Folder folder;
  const auto seen = pipeline.fit_transform(train);
  pipeline.save(folder.path("p.json"));
  auto again = data::Pipeline::load(folder.path("p.json"));
  again.save(folder.path("q.json"));
  CHECK(test::content_of(folder.path("q.json")) == test::content_of(folder.path("p.json")));
  CHECK(again.describe() == pipeline.describe());
  const auto other = houses(17, false);
  CHECK(again.transform(other).names() == seen.names());
  CHECK_AGREES(same_bits(again.transform(other).values(), pipeline.transform(other).values()));
  // The options, too: another fit gives the same.
  auto refitted = again;
  CHECK_AGREES(same_bits(refitted.fit_transform(train).values(), seen.values()));
  return again;
}

}  // namespace

TEST_SUITE("pipeline") {

TEST_CASE("every transform of the library is saved and loaded to the bit") {
  const auto train = houses(60, true);
  through_a_file(
      {data::Impute({.columns = {"age"}, .strategy = Strategy::median, .mark = true}),
       data::Impute({.columns = {"street"}, .strategy = Strategy::constant, .level = "none"}),
       data::Impute({.columns = {"area"}, .strategy = Strategy::constant, .constant = -1. / 7}),
       data::Log({.columns = {"area"}, .offset = 0.5}),
       data::Polynomial({.columns = {"area", "age"}, .degree = 3, .interactions_only = true}),
       data::TargetEncode({.columns = {"street"},
                           .target = "price",
                           .smoothing = 1. / 3,
                           .folds = 7,
                           .seed = std::numeric_limits<std::uint64_t>::max()}),
       data::OneHot({.unknown = Unknown::level,
                     .missing = Unknown::level,
                     .drop_first = true,
                     .levels = {{"zone", {"west", "up", "south", "north"}}}}),
       data::Robust({.columns = {"area"}, .lower = 0.1, .upper = 0.7}),
       data::MinMax({.columns = {"age"}, .low = -1, .high = 1. / 3}),
       data::Standardize({.columns = {"area", "age"}})},
      train);
}

TEST_CASE("a loaded pipeline has the inverse of the saved one") {
  const auto train = houses(60, true);
  const auto pipeline = through_a_file(
      {data::Impute({.columns = {"street"}, .strategy = Strategy::most_frequent, .mark = true}),
       data::Impute({.columns = {"age", "area"}, .strategy = Strategy::mean, .mark = true}),
       data::Log({.columns = {"area"}}), data::Polynomial({.columns = {"area", "age"}}),
       data::Ordinal({.columns = {"street"}, .unknown = Unknown::ignore}),
       data::OneHot({.columns = {"zone"}, .missing = Unknown::ignore}),
       data::Standardize({.columns = {"area", "age", "street", "zone=north", "zone=west"}})},
      train);
  const auto back = pipeline.inverse(pipeline.transform(train));
  CHECK(back.names() == train.names());
  CHECK(back.columns()[3].levels == train.columns()[3].levels);
  // A logarithm, a scale and the ways back: a few roundings.
  CHECK_AGREES(test::close(back.values(), train.values(), 1e-13, 1e-15));
}

namespace {

/// The error of loading a file of this pipeline in which `to` replaces the last `from`.
std::string changed(data::Pipeline pipeline, const std::string& from, const std::string& to) {
  const test::Folder folder;
  const std::string path = folder.path("p.json");
  pipeline.fit(houses(12, false).select({"area", "zone", "price"}));
  pipeline.save(path);
  std::string text = test::content_of(path);
  const auto at = text.rfind(from);
  REQUIRE(at != text.npos);
  folder.add("p.json", text.replace(at, from.size(), to));
  const auto message = message_of<FileError>([&] { data::Pipeline::load(path); });
  const std::string where = path + ": step 0 ";
  return message.starts_with(where) ? message.substr(where.size()) : message;
}

}  // namespace

TEST_CASE("files with contradictory encoders are refused") {
  const data::Pipeline one_hot{data::OneHot()}, ordinal{data::Ordinal()};
  const data::Pipeline target{data::TargetEncode({.target = "price"})};
  CHECK(changed(one_hot, "\"unknown\":\"error\"", "\"unknown\":\"perhaps\"") ==
        "(OneHot): \"unknown\" is \"perhaps\"; it may be error, ignore, level");
  CHECK(changed(one_hot, "\"unknown\":\"error\"", "\"unknown\":0") ==
        "(OneHot): \"unknown\" must be a text");
  CHECK(changed(one_hot, "\"levels\":[[\"north\"", "\"levels\":[[],[\"north\"") ==
        "(OneHot): \"levels\" needs a list for each column of \"used\"");
  CHECK(changed(ordinal, "\"levels\":[[\"north\"", "\"levels\":[[\"south\"") ==
        "(Ordinal): \"levels\" has a level twice");
  CHECK(changed(one_hot, "\"drop_first\":false", "\"drop_first\":1") ==
        "(OneHot): \"drop_first\" must be true or false");
  CHECK(changed({data::OneHot({.missing = Unknown::ignore})}, "\"drop_first\":false",
                "\"drop_first\":true") == "(OneHot): with \"drop_first\" nothing can be ignored");
  CHECK(changed(one_hot, "\"used\":[\"zone\"]", "\"used\":[\"area\"]") ==
        "(OneHot): \"used\" has the numeric column \"area\", which it cannot take");
  CHECK(changed(target, "\"codes\":[[", "\"codes\":[[0,") ==
        "(TargetEncode): \"mean\" must be finite, and \"codes\" needs a finite number for each of "
        "\"levels\"");
  CHECK(changed(target, "\"codes\":[[", "\"codes\":[[\"NaN\",")
            .starts_with("(TargetEncode): \"mean\" must be finite"));
  CHECK(changed(target, "\"codes\":[[", "\"codes\":[[],[") ==
        "(TargetEncode): \"mean\" must be finite, and \"codes\" needs a finite number for each of "
        "\"levels\"");
  for (const auto& [from, to] : {std::pair("\"smoothing\":10.0", "\"smoothing\":-1"),
                                 {"\"folds\":5", "\"folds\":1"},
                                 {"\"unknown\":\"ignore\"", "\"unknown\":\"level\""}}) {
    CHECK(changed(target, from, to) ==
          "(TargetEncode): \"smoothing\" must be 0 or more, \"folds\" 2 or more, and \"unknown\" "
          "no level");
  }
  CHECK(changed(target, "\"seed\":0", "\"seed\":-1") ==
        "(TargetEncode): \"seed\" must be a whole number from 0 on");
}

TEST_CASE("files with other contradictory steps are refused") {
  const data::Pipeline impute{data::Impute()}, polynomial{data::Polynomial()};
  CHECK(changed(impute, "\"strategy\":\"mean\"", "\"strategy\":\"mode\"") ==
        "(Impute): \"strategy\" is \"mode\"; it may be mean, median, most_frequent, constant");
  CHECK(changed(impute, "\"numbers\":[", "\"numbers\":[1,") ==
        "(Impute): \"numbers\" and \"levels\" need one for each column of \"used\"");
  CHECK(changed(impute, "\"levels\":[\"\",", "\"levels\":[") ==
        "(Impute): \"numbers\" and \"levels\" need one for each column of \"used\"");
  CHECK(changed(impute, "\"constant\":0.0", "\"constant\":\"Infinity\"") ==
        "(Impute): \"constant\" and \"numbers\" must be finite");
  CHECK(changed(polynomial, "\"degree\":2", "\"degree\":1") ==
        "(Polynomial): \"degree\" must be 2 to 32");
  CHECK(changed(polynomial, "\"degree\":2", "\"degree\":1000000000000") ==
        "(Polynomial): \"degree\" must be 2 to 32");
  CHECK(changed({data::Log()}, "\"offset\":1.0", "\"offset\":\"NaN\"") ==
        "(Log): \"offset\" must be finite");
}

TEST_CASE("a file is read with the kinds and levels of the fit") {
  const test::Folder folder;
  const auto train = data::read_csv<double>(
      folder.add("train.csv", "code,zone,age,y\n1,b,5,no\n2,a,6,yes\n1,c,7,no\n"),
      {.kinds = {{"code", Kind::categorical}}});
  data::Pipeline pipeline{data::Standardize({.columns = {"age"}}),
                          data::OneHot({.columns = {"code", "zone"},
                                        .unknown = data::Unknown::level,
                                        .missing = data::Unknown::level})};
  pipeline.fit(train);
  const std::string path = folder.add("new.csv", "age,zone,code\n6,,2\n");
  const data::CsvOptions as_nan{.missing = data::Missing::nan};
  CHECK(message_of<ArgumentError>([&] {
          pipeline.transform(data::read_csv<double>(path, as_nan));
        }).ends_with("read_csv(path, inputs()) reads a file with the columns of the fit"));
  const auto table = data::read_csv<double>(path, pipeline.inputs(), as_nan);
  CHECK(table.levels("zone") == Names{"a", "b", "c"});
  CHECK(table.levels("code") == Names{"1", "2"});
  const auto seen = pipeline.transform(table);
  CHECK(seen.column("zone=(missing)")[0] == 1);
  CHECK(seen.column("code=2")[0] == 1);
  // New levels come after those of the fit, sorted.
  const auto more = data::read_csv<float>(
      folder.add("more.csv", "age,zone,code,y\n6,z,0,yes\n7,0,2,yes\n"), pipeline.inputs());
  CHECK(more.levels("zone") == Names{"a", "b", "c", "0", "z"});
  CHECK(more.levels("code") == Names{"1", "2", "0"});
  CHECK(more.drop({"zone", "code"}).split_target("y").y[0] == 1);
  CHECK_AGREES(same_bits(more.column("zone"), Array<float>({2, 1}, {4, 3})));
}

}  // TEST_SUITE("pipeline")
