// SPDX-License-Identifier: BSD-3-Clause
// Windows over series, and the split by time that comes before them.
#include "ebb/data/sets/series.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/data/splits/table_split.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Rows, data::SeriesWindows;
using ebb::test::message_of;

namespace {

/// Columns t, a = 10 t, b = 100 t, for these times.
template <class T>
data::Table<T> series(const std::vector<double>& times) {
  const auto n = std::int64_t(times.size());
  auto values = Array<T>::uninitialized({n, 3});
  for (std::int64_t i = 0; i < n; ++i) {
    const double t = times[std::size_t(i)];
    for (std::int64_t j = 0; j < 3; ++j) values.mutate()[3 * i + j] = T(t * std::pow(10, j));
  }
  return {{{"t"}, {"a"}, {"b"}}, values, "made"};
}

}  // namespace

TEST_SUITE("series") {

TEST_CASE_TEMPLATE("a window has the features of some steps and the targets that follow", T, float,
                   double) {
  const SeriesWindows windows(series<T>({1, 2, 3, 4, 5, 6}),
                              {.targets = {"b"}, .length = 3, .horizon = 2, .time = "t"});
  CHECK(windows.size() == 2);
  CHECK(windows.features() == std::vector<std::string>{"a", "b"});
  CHECK(windows.targets() == std::vector<std::string>{"b"});
  const auto [x, y] = windows.rows(Rows{1, 0});
  CHECK(equal(x.array(),
              Array<T>({2, 3, 2}, {20, 200, 30, 300, 40, 400, 10, 100, 20, 200, 30, 300})));
  CHECK(equal(y.array(), Array<T>::of({{500, 600}, {400, 500}})));
  CHECK(windows.rows_of(1) == Rows{1, 2, 3, 4, 5});
  CHECK(windows.rows({}).x.shape() == Shape{0, 3, 2});
}

TEST_CASE("targets of a step stay together, and may be no features") {
  const SeriesWindows windows(
      series<double>({1, 2, 3, 4}),
      {.features = {"t"}, .targets = {"b", "a"}, .length = 2, .horizon = 2});
  const auto [x, y] = windows.rows(Rows{0});
  CHECK(equal(x.array(), Array<double>({1, 2, 1}, {1, 2})));
  CHECK(equal(y.array(), Array<double>::of({{300, 30, 400, 40}})));
}

TEST_CASE("the target of the table is the target of the windows") {
  const auto table = series<double>({1, 2, 3}).with_target("a");
  const auto [x, y] = SeriesWindows(table, {.length = 1, .time = "t"}).rows(Rows{0});
  CHECK(equal(x.array(), Array<double>({1, 1, 2}, {10, 100})));
  CHECK(equal(y.array(), Array<double>::of({{20}})));
}

TEST_CASE("windows without a horizon end with the last row") {
  const SeriesWindows windows(series<double>({1, 2, 3}), {.length = 2, .horizon = 0, .time = "t"});
  CHECK(windows.size() == 2);
  const auto [x, y] = windows.rows(Rows{1});
  CHECK(equal(x.array(), Array<double>({1, 2, 2}, {20, 200, 30, 300})));
  CHECK(y.shape() == Shape{1, 0});
}

TEST_CASE("windows start a stride apart, from the start of each series and after each gap") {
  const auto starts = [](const data::SeriesOptions& options) {
    // Two series, a = 1 and a = 2, row by row; the second has no time 4.
    const data::Table<double> table(
        {{"t"}, {"a"}},
        Array<double>::of(
            {{1, 2}, {1, 1}, {2, 1}, {2, 2}, {3, 2}, {3, 1}, {4, 1}, {5, 2}, {5, 1}, {6, 2}}),
        "made");
    const SeriesWindows windows(table, options);
    Rows first;
    for (std::int64_t i = 0; i < windows.size(); ++i) first.push_back(windows.rows_of(i)[0]);
    return std::pair(first, windows.gaps());
  };
  data::SeriesOptions options{.targets = {"t"}, .length = 1, .group = "a", .time = "t"};
  using Found = std::pair<Rows, std::int64_t>;
  CHECK(starts(options) == Found{{1, 2, 5, 6, 0, 3, 4, 7}, 0});
  options.stride = 2;
  CHECK(starts(options) == Found{{1, 5, 0, 4}, 0});
  options.largest_step = 1;
  CHECK(starts(options) == Found{{1, 5, 0, 7}, 1});
  options.stride = 1;
  CHECK(starts(options) == Found{{1, 2, 5, 6, 0, 3, 7}, 1});
  options.largest_step = 2;
  CHECK(starts(options).second == 0);
}

TEST_CASE("a loader goes over windows") {
  const SeriesWindows windows(series<double>({1, 2, 3, 4, 5, 6, 7}),
                              {.targets = {"b"}, .length = 2, .time = "t"});
  data::Loader loader(windows, {.batch_size = 2, .seed = 3, .workers = 1});
  double total = 0;
  for (const auto& [x, y] : loader) {
    CHECK(x.shape() == Shape{y.shape()[0], 2, 2});
    total += sum(y).item();
  }
  CHECK(total == 300 + 400 + 500 + 600 + 700);
}

TEST_CASE("bad options and bad tables say what to do") {
  const auto table = series<double>({1, 2, 3, 5});
  const auto says = [](const data::Table<double>& given, const data::SeriesOptions& options) {
    return message_of([&] { SeriesWindows<double>(given, options); });
  };
  CHECK(says(table, {.targets = {"a"}, .length = 0}) ==
        "SeriesWindows: length = 0; it is at least 1");
  CHECK(says(table, {.targets = {"a"}, .horizon = -1}) ==
        "SeriesWindows: horizon = -1; it is at least 0");
  CHECK(says(table, {.targets = {"a"}, .stride = 0}) ==
        "SeriesWindows: stride = 0; it is at least 1");
  CHECK(says(table, {.targets = {"a"}, .time = "t", .largest_step = NAN}) ==
        "SeriesWindows: largest_step = nan; it is at least 0");
  CHECK(says(table, {.targets = {"a"}, .largest_step = 1}) ==
        "SeriesWindows: largest_step is a distance of `time`; name that column");
  CHECK(says(table, {}) ==
        "made: it has no target; name some by SeriesOptions::targets, or one by "
        "Table::with_target");
  CHECK(says(table, {.targets = {"a"}, .length = 3, .time = "t", .largest_step = 1}) ==
        "made: a window has 3 + 1 rows, and the longest series without a gap 3");
  CHECK(says(series<double>({1, 3, 3}), {.targets = {"a"}, .time = "t"}) ==
        "made: column \"t\" does not ascend from row 1 to row 2; sort the table by it, name a "
        "`group` if it has several series, or use double if float rounds it");
  CHECK(
      says(series<double>({1, NAN, 3}), {.targets = {"a"}}) ==
      "made: column \"t\" misses the value of row 1; impute it, or leave out the row, which makes "
      "a gap if `time` and `largest_step` are given");
  const auto gap_in_target = table.with("y", Array<double>({4, 1}, {1, 2, 3, NAN}));
  CHECK(says(gap_in_target, {.features = {"t"}, .targets = {"y"}})
            .starts_with("made: column \"y\" misses the value of row 3; impute it"));
  CHECK(says(table.with("zone", {"n", "n", "s", ""}), {.targets = {"a"}}) ==
        "made: column \"zone\" is categorical; encode it, one-hot or ordinal, or leave it out of "
        "SeriesOptions::features");
  CHECK(says(table.with("zone", {"n", "n", "s", ""}), {.targets = {"a"}, .group = "zone"}) ==
        "made: column \"zone\" misses the value of row 3; leave out the row");
  const SeriesWindows windows(table, {.targets = {"a"}});
  CHECK(message_of([&] { windows.rows(Rows{3}); }) ==
        "SeriesWindows: row 3 of windows with 3 rows");
  CHECK(message_of([&] { windows.rows_of(-1); }) == "SeriesWindows: row -1 of windows with 3 rows");
}

TEST_CASE("a split by time trains on what came before the rest") {
  const std::vector<double> times{5, 1, 4, 2, 3, 9, 8, 7, 6, 10};
  const auto [train, validation, test] =
      data::split_by_time(times, {.validation = 0.2, .test = 0.3});
  CHECK(train == Rows{1, 3, 4, 2, 0});
  CHECK(validation == Rows{8, 7});
  CHECK(test == Rows{6, 5, 9});
  const auto [rest, none, last] = data::split_by_time(times);
  CHECK(rest.size() == 8);
  CHECK(none.empty());
  CHECK(last == Rows{5, 9});
}

TEST_CASE("rows of one time stay in one part of a split by time") {
  // The cut after 8 of 10 rows moves to the nearest change of time, the later of two.
  CHECK(data::split_by_time(std::vector<double>{1, 2, 3, 4, 5, 6, 6, 6, 6, 7}).test == Rows{9});
  CHECK(data::split_by_time(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 8, 8}).test ==
        Rows{7, 8, 9});
  CHECK(data::split_by_time(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 8, 9}).test == Rows{9});
  CHECK(message_of([] {
          data::split_by_time(std::vector<double>{2, 2, 2, 2, 2});
        }) ==
        "split_by_time: the 5 rows have too few different times to have some for testing; make "
        "that part larger");
  CHECK(message_of([] {
          data::split_by_time(std::vector<double>{2, NAN, 3});
        }) == "split_by_time: the time of row 1 is NaN; leave out the row");
}

TEST_CASE("windows of the parts of a split by time share no row") {
  std::vector<double> times;
  for (int i = 0; i < 40; ++i) times.push_back(i);
  const auto parts = data::split_by_time(series<double>(times), "t", {.validation = 0.2});
  CHECK(parts.train.role() == data::Role::training);
  CHECK(parts.test.role() == data::Role::held_out);
  double before = -1;
  for (const auto* part : {&parts.train, &parts.validation, &parts.test}) {
    const SeriesWindows windows(
        *part, {.features = {"t"}, .targets = {"t"}, .length = 4, .horizon = 2, .time = "t"});
    const auto first = windows.rows(Rows{0}), last = windows.rows(Rows{windows.size() - 1});
    CHECK(first.x.array()[0] == before + 1);
    before = last.y.array()[1];
    CHECK(windows.size() == part->rows() - 5);
  }
  CHECK(before == 39);
}

}  // TEST_SUITE("series")
