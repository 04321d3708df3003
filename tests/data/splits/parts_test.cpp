// SPDX-License-Identifier: BSD-3-Clause
// Rows in parts: at random, each class in its proportion, no group torn.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "ebb/autodiff/values/random.hpp"
#include "ebb/data/sets/dataset.hpp"
#include "ebb/data/splits/split.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Parts, data::Rows;
using ebb::test::message_of;

namespace {

bool same(const Parts& a, const Parts& b) {
  return a.train == b.train && a.validation == b.validation && a.test == b.test;
}

/// Whether the parts hold each of 0 ... n - 1 once.
bool complete(const Parts& parts, std::int64_t n) {
  Rows all = parts.train;
  all.insert(all.end(), parts.validation.begin(), parts.validation.end());
  all.insert(all.end(), parts.test.begin(), parts.test.end());
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] != std::int64_t(i)) return false;
  }
  return std::int64_t(all.size()) == n;
}

/// How often each value is in these rows.
std::map<std::int64_t, std::int64_t> counts_in(const Rows& rows, const Rows& values) {
  std::map<std::int64_t, std::int64_t> counts;
  for (const std::int64_t row : rows) ++counts[values[std::size_t(row)]];
  return counts;
}

Rows all_rows(std::size_t n) {
  Rows rows(n);
  for (std::size_t i = 0; i < n; ++i) rows[i] = std::int64_t(i);
  return rows;
}

}  // namespace

TEST_SUITE("parts") {

TEST_CASE("every row is in exactly one part, and each part has its share") {
  struct Case {
    std::int64_t n;
    double validation, test;
    std::size_t validation_rows, test_rows;
  };
  for (const auto& [n, validation, test, validation_rows, test_rows] : {Case{442, 0, 0.2, 0, 88},
                                                                        {100, 0.15, 0.07, 15, 7},
                                                                        {10, 0.25, 0.25, 3, 3},
                                                                        {3, 0.3, 0.3, 1, 1},
                                                                        {7, 0.2, 0, 1, 0},
                                                                        {5, 0, 0, 0, 0},
                                                                        {1, 0, 0, 0, 0}}) {
    const Parts parts = data::split_rows(n, {.validation = validation, .test = test, .seed = 3});
    CHECK(complete(parts, n));
    CHECK(parts.validation.size() == validation_rows);
    CHECK(parts.test.size() == test_rows);
  }
}

TEST_CASE("equal seeds give equal parts, other seeds others, and the default is 0.2") {
  const Parts parts = data::split_rows(200, {.validation = 0.1, .test = 0.2, .seed = 7});
  CHECK(same(parts, data::split_rows(200, {.validation = 0.1, .test = 0.2, .seed = 7})));
  CHECK_FALSE(same(parts, data::split_rows(200, {.validation = 0.1, .test = 0.2, .seed = 8})));
  CHECK(same(data::split_rows(200), data::split_rows(200, {.test = 0.2, .seed = 0})));
}

TEST_CASE("the parts of a seed never change, and are those of train_test_split") {
  const Parts parts = data::split_rows(10, {.test = 0.3, .seed = 7});
  CHECK(parts.test == Rows{8, 9, 7});
  CHECK(parts.train == Rows{1, 3, 6, 5, 0, 4, 2});
  // A validation part is taken from the training rows: the test rows stay.
  const Parts three = data::split_rows(10, {.validation = 0.2, .test = 0.3, .seed = 7});
  CHECK(three.test == parts.test);
  CHECK(three.validation == Rows{1, 3});

  auto x = Array<double>::uninitialized({10, 1});
  for (std::int64_t i = 0; i < 10; ++i) x.mutate()[i] = double(i);
  const auto [train, test] = data::train_test_split(x, x, {.test = 0.3, .seed = 7});
  CHECK(Rows(train.x.begin(), train.x.end()) == parts.train);
  CHECK(Rows(test.y.begin(), test.y.end()) == parts.test);
}

TEST_CASE("each row is as often held out as any other") {
  std::vector<int> times(10, 0);
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    for (const std::int64_t row : data::split_rows(10, {.test = 0.3, .seed = seed}).test) {
      ++times[std::size_t(row)];
    }
  }
  // 1800 on average; six standard deviations are 213.
  for (const int count : times) CHECK(std::abs(count - 1800) <= 213);
}

TEST_CASE("each class is in its proportion, to within a row") {
  Stream stream(5);
  for (int trial = 0; trial < 200; ++trial) {
    CAPTURE(trial);
    // Up to six classes of unequal size with any numbers for names, in any order.
    const Rows names{-7, 0, 3, 4, std::int64_t(1) << 40, 12};
    Rows classes;
    const std::uint64_t count = 1 + stream.below(6);
    for (std::size_t c = 0; c < count; ++c) {
      classes.insert(classes.end(), 12 + stream.below(60), names[c]);
    }
    shuffle(classes, stream);
    const double validation = trial % 3 == 0 ? 0 : 0.1 + 0.2 * stream.uniform();
    const double test = 0.1 + 0.4 * stream.uniform();
    const auto n = std::int64_t(classes.size());
    const Parts parts = data::split_stratified(
        classes, {.validation = validation, .test = test, .seed = std::uint64_t(trial)});
    CHECK(complete(parts, n));
    CHECK(parts.test.size() == std::size_t(std::llround(test * double(n))));
    CHECK(parts.validation.size() == std::size_t(std::llround(validation * double(n))));
    for (const auto& [name, rows] : counts_in(all_rows(classes.size()), classes)) {
      for (const Rows* part : {&parts.train, &parts.validation, &parts.test}) {
        auto of_class = counts_in(*part, classes);
        const double share = double(rows) * double(part->size()) / double(n);
        CHECK(std::abs(double(of_class[name]) - share) <= 1);
      }
    }
  }
}

TEST_CASE("shares of classes are rounded by the largest remainder") {
  const auto test_rows = [](std::initializer_list<int> counts, double test) {
    Rows classes;
    std::int64_t name = 0;
    for (const int count : counts) {
      classes.insert(classes.end(), std::size_t(count), name++);
    }
    Rows result;
    for (const auto& [c, k] :
         counts_in(data::split_stratified(classes, {.test = test}).test, classes)) {
      result.push_back(k);
    }
    return result;
  };
  // Shares of 5.2, 3.1, 1.7: the last one is rounded up.
  CHECK(test_rows({52, 31, 17}, 0.1) == Rows{5, 3, 2});
  // 1.4, 2.3, 6.3.
  CHECK(test_rows({14, 23, 63}, 0.1) == Rows{2, 2, 6});
  // Of 1.5 and 1.5 the lowest class is first.
  CHECK(test_rows({15, 15}, 0.1) == Rows{2, 1});
}

TEST_CASE("three parts of small classes come out even") {
  // Shares of 1.75, 1.75 and 1.5 in each class: two of the three are rounded up, 6, 6 and 4 times.
  Rows classes;
  for (std::int64_t c = 0; c < 8; ++c) classes.insert(classes.end(), 5, c);
  const Parts parts = data::split_stratified(classes, {.validation = 0.35, .test = 0.35});
  CHECK(parts.validation.size() == 14);
  CHECK(parts.test.size() == 14);
  for (const Rows* part : {&parts.train, &parts.validation, &parts.test}) {
    for (const auto& [name, count] : counts_in(*part, classes)) {
      CHECK_UNARY(count == 1 || count == 2);
    }
  }
}

TEST_CASE("one class alone is split as rows without a class") {
  const Rows one(50, 9);
  CHECK(same(data::split_stratified(one, {.validation = 0.1, .seed = 4}),
             data::split_rows(50, {.validation = 0.1, .seed = 4})));
}

TEST_CASE("labels in an array are classes") {
  const Array<std::int64_t> labels({6}, {0, 1, 0, 1, 0, 1});
  const Parts parts = data::split_stratified(labels, {.test = 1.0 / 3});
  REQUIRE(parts.test.size() == 2);
  CHECK(labels[parts.test[0]] != labels[parts.test[1]]);
}

TEST_CASE("the order of a part is that of the draw") {
  Rows classes(1000), groups(1000);
  for (std::size_t i = 0; i < 1000; ++i) {
    classes[i] = std::int64_t(i / 500);
    groups[i] = std::int64_t(i / 10);
  }
  for (const Parts& parts :
       {data::split_rows(1000), data::split_stratified(classes), data::split_grouped(groups)}) {
    for (const Rows* part : {&parts.train, &parts.test}) {
      // About half of the neighbours ascend: 100 of 200 with a standard deviation of 4, 400 of 800
      // with one of 8.
      std::size_t ascents = 0;
      for (std::size_t i = 1; i < part->size(); ++i) ascents += (*part)[i] > (*part)[i - 1];
      CHECK(ascents > part->size() * 3 / 8);
      CHECK(ascents < part->size() * 5 / 8);
    }
  }
}

TEST_CASE("no group is in two parts, and each part is within half a group of its share") {
  Stream stream(6);
  std::set<Rows> tests;
  for (int trial = 0; trial < 200; ++trial) {
    CAPTURE(trial);
    Rows groups;
    std::int64_t largest = 0;
    for (std::int64_t g = 0; g < 20; ++g) {
      const std::uint64_t size = 1 + stream.below(trial % 2 ? 5 : 30);
      largest = std::max(largest, std::int64_t(size));
      groups.insert(groups.end(), size, 1000 * g - 5000);
    }
    shuffle(groups, stream);
    const auto n = std::int64_t(groups.size());
    const Parts parts =
        data::split_grouped(groups, {.validation = 0.2, .test = 0.3, .seed = std::uint64_t(trial)});
    CHECK(complete(parts, n));
    std::map<std::int64_t, std::set<int>> parts_of_group;
    int part_number = 0;
    for (const Rows* part : {&parts.train, &parts.validation, &parts.test}) {
      for (const auto& [group, count] : counts_in(*part, groups)) {
        parts_of_group[group].insert(part_number);
      }
      ++part_number;
    }
    for (const auto& [group, where] : parts_of_group) CHECK(where.size() == 1);
    const auto off = [&](const Rows& part, double fraction) {
      return std::abs(std::int64_t(part.size()) - std::llround(fraction * double(n)));
    };
    CHECK(2 * off(parts.test, 0.3) <= largest);
    CHECK(2 * off(parts.validation, 0.2) <= largest);
  }
}

TEST_CASE("groups are chosen by the seed, each as often as any other of its size") {
  Rows groups;
  for (std::int64_t g = 0; g < 10; ++g) groups.insert(groups.end(), 4, g);
  CHECK(same(data::split_grouped(groups, {.seed = 1}), data::split_grouped(groups, {.seed = 1})));
  std::vector<int> times(10, 0);
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const Parts parts = data::split_grouped(groups, {.test = 0.3, .seed = seed});
    for (const auto& [group, count] : counts_in(parts.test, groups)) ++times[std::size_t(group)];
  }
  // 900 on average; six standard deviations are 151.
  for (const int count : times) CHECK(std::abs(count - 900) <= 151);
}

TEST_CASE("a group that would fill a part is left to train on") {
  Rows groups(60, 0);
  for (std::int64_t g = 1; g <= 40; ++g) groups.push_back(g);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Parts parts = data::split_grouped(groups, {.test = 0.2, .seed = seed});
    CHECK(parts.test.size() == 20);
    CHECK(counts_in(parts.train, groups)[0] == 60);
  }
}

TEST_CASE("a part of groups may be above or below its share") {
  Rows threes, twos;
  for (std::int64_t i = 0; i < 32; ++i) {
    if (i < 30) threes.push_back(i / 3);
    twos.push_back(i / 2);
  }
  // 9 of 30 rows are nearer to 8 than 6; neither 4 nor 6 of 32 is nearer to 5.
  CHECK(data::split_grouped(threes, {.test = 0.25}).test.size() == 9);
  CHECK(data::split_grouped(twos, {.test = 0.15}).test.size() == 4);
}

TEST_CASE("sizes that cannot be split are refused") {
  const auto rows = [](std::int64_t n, data::PartsOptions options) {
    return message_of<ArgumentError>([&] { data::split_rows(n, options); });
  };
  CHECK(rows(0, {}) == "split_rows: 0 rows; there must be at least one");
  CHECK(rows(-1, {}) == "split_rows: -1 rows; there must be at least one");
  for (const double bad : {-0.1, 1.0, 1.5, std::nan("")}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(data::split_rows(10, {.test = bad}), ArgumentError);
    CHECK_THROWS_AS(data::split_rows(10, {.validation = bad, .test = 0}), ArgumentError);
  }
  CHECK(rows(10, {.validation = 0.5, .test = 0.5}) ==
        "split_rows: fractions of 0.5 for validation and 0.5 for testing; both must be at least 0, "
        "and their sum below 1");
  CHECK(rows(4, {.validation = 0.1, .test = 0.25}) ==
        "split_rows: fractions of 0.1 for validation and 0.25 for testing make 0 and 1 of 4 rows "
        "and leave 3 to train on; each part needs at least one");
  CHECK_THROWS_AS(data::split_rows(4, {.test = 0.1}), ArgumentError);
  CHECK(rows(2, {.validation = 0.3, .test = 0.3}) ==
        "split_rows: fractions of 0.3 for validation and 0.3 for testing make 1 and 1 of 2 rows "
        "and leave 0 to train on; each part needs at least one");
}

TEST_CASE("more rows than memory can number are refused as such") {
  const auto most = std::numeric_limits<std::int64_t>::max();
  CHECK(message_of<ShapeError>([&] { data::split_rows(most); }) ==
        "split_rows: shape (9223372036854775807,) has more elements than an array can hold");
  CHECK(message_of<ShapeError>([&] { data::k_fold(most); }) ==
        "k_fold: shape (9223372036854775807,) has more elements than an array can hold");
}

TEST_CASE("classes and groups that cannot be split are refused") {
  Rows classes(40, 3);
  classes.insert(classes.end(), 2, -8);
  const auto stratified = [](const Rows& of, data::PartsOptions options) {
    return message_of<ArgumentError>([&] { data::split_stratified(of, options); });
  };
  CHECK(stratified(classes, {.test = 0.2}) ==
        "split_stratified: class -8 has too few rows, 2 of 42, to have one for testing; merge it "
        "with another class, or make that part larger");
  CHECK(stratified({0, 0, 0, 1}, {.test = 0.7}) ==
        "split_stratified: class 1 has too few rows, 1 of 4, to have one for training; merge it "
        "with another class, or make that part larger");
  CHECK(stratified({}, {}) == "split_stratified: 0 rows; there must be at least one");
  CHECK(data::split_stratified(classes, {.test = 0.5}).test.size() == 21);

  const auto grouped = [](const Rows& of, data::PartsOptions options) {
    return message_of<ArgumentError>([&] { data::split_grouped(of, options); });
  };
  CHECK(grouped(Rows(10, 1), {.test = 0.3}) ==
        "split_grouped: the 1 groups of 10 rows are too few or too large to have 3 rows for "
        "testing; make smaller groups, or that part larger");
  CHECK(grouped({0, 1, 1}, {.validation = 0.33, .test = 0.33, .seed = 0}) ==
        "split_grouped: the 2 groups of 3 rows are too few or too large to have 1 row for "
        "validation; make smaller groups, or that part larger");
  CHECK(grouped({}, {}) == "split_grouped: 0 rows; there must be at least one");
}

}  // TEST_SUITE("parts")
