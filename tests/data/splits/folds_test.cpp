// SPDX-License-Identifier: BSD-3-Clause
// Folds for cross-validation: of rows, classes, groups and times.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>

#include "ebb/autodiff/values/random.hpp"
#include "ebb/data/splits/split.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Fold, data::Rows;
using ebb::test::message_of;
using Folds = std::vector<Fold>;

namespace {

bool same(const Folds& a, const Folds& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Fold& x, const Fold& y) {
    return x.train == y.train && x.test == y.test;
  });
}

Rows range(std::int64_t begin, std::int64_t end) {
  Rows rows;
  for (std::int64_t i = begin; i < end; ++i) rows.push_back(i);
  return rows;
}

/// Both lists ascend and hold each of 0 ... n - 1 once.
bool complete(const Fold& fold, std::int64_t n) {
  Rows all;
  std::merge(fold.train.begin(), fold.train.end(), fold.test.begin(), fold.test.end(),
             std::back_inserter(all));
  return all == range(0, n) && std::is_sorted(fold.train.begin(), fold.train.end()) &&
         std::is_sorted(fold.test.begin(), fold.test.end());
}

/// Each fold is complete, and each row is tested by one of these folds.
void check_cover(const Fold* first, std::int64_t folds, std::int64_t n) {
  std::vector<int> tested(std::size_t(n), 0);
  for (const Fold* fold = first; fold != first + folds; ++fold) {
    CHECK(complete(*fold, n));
    for (const std::int64_t row : fold->test) ++tested[std::size_t(row)];
  }
  CHECK(std::count(tested.begin(), tested.end(), 1) == n);
}

/// The difference between the largest and the smallest test part.
std::int64_t spread(const Fold* first, std::int64_t folds) {
  const auto [least, most] = std::minmax_element(
      first, first + folds,
      [](const Fold& a, const Fold& b) { return a.test.size() < b.test.size(); });
  return std::int64_t(most->test.size() - least->test.size());
}

std::int64_t count_in(const Rows& rows, const Rows& values, std::int64_t value) {
  return std::count_if(rows.begin(), rows.end(),
                       [&](std::int64_t row) { return values[std::size_t(row)] == value; });
}

}  // namespace

TEST_SUITE("folds") {

TEST_CASE("each row is tested once in every repeat, and the folds are of one size") {
  for (const std::int64_t n : {10, 11, 14, 103}) {
    for (const std::int64_t k : {2, 3, 5, 10}) {
      CAPTURE(n);
      CAPTURE(k);
      const Folds folds = data::k_fold(n, {.folds = k, .repeats = 3, .seed = 2});
      REQUIRE(folds.size() == std::size_t(3 * k));
      for (std::int64_t repeat = 0; repeat < 3; ++repeat) {
        check_cover(folds.data() + repeat * k, k, n);
        CHECK(spread(folds.data() + repeat * k, k) == (n % k ? 1 : 0));
      }
    }
  }
  CHECK(data::k_fold(20).size() == 5);
  // As many folds as rows leave out one each.
  CHECK(spread(data::k_fold(7, {.folds = 7}).data(), 7) == 0);
}

TEST_CASE("seeds and repeats give different folds, and equal seeds equal ones") {
  const Folds folds = data::k_fold(40, {.folds = 4, .repeats = 2, .seed = 3});
  CHECK(same(folds, data::k_fold(40, {.folds = 4, .repeats = 2, .seed = 3})));
  CHECK_FALSE(same(folds, data::k_fold(40, {.folds = 4, .repeats = 2, .seed = 4})));
  const Folds first(folds.begin(), folds.begin() + 4), second(folds.begin() + 4, folds.end());
  CHECK_FALSE(same(first, second));
  CHECK(same(first, data::k_fold(40, {.folds = 4, .seed = 3})));
  // A split of the same seed is another draw.
  auto held_out = data::split_rows(40, {.test = 0.25, .seed = 3}).test;
  std::sort(held_out.begin(), held_out.end());
  CHECK(held_out != first[0].test);
}

TEST_CASE("the folds of a seed never change") {
  const Folds folds = data::k_fold(7, {.folds = 3, .seed = 1});
  CHECK(folds[0].test == Rows{1, 3, 4});
  CHECK(folds[1].test == Rows{0, 6});
  CHECK(folds[2].test == Rows{2, 5});
}

TEST_CASE("without a shuffle the folds follow each other, the first ones larger") {
  const Folds folds = data::k_fold(11, {.folds = 3, .shuffle = false});
  CHECK(folds[0].test == range(0, 4));
  CHECK(folds[1].test == range(4, 8));
  CHECK(folds[2].test == range(8, 11));
  CHECK(folds[2].train == range(0, 8));
  CHECK_FALSE(same(folds, data::k_fold(11, {.folds = 3})));
}

TEST_CASE("each pair of rows is as often tested together as any other") {
  int together[6][6] = {};
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    for (const Fold& fold : data::k_fold(6, {.folds = 3, .seed = seed})) {
      ++together[fold.test[0]][fold.test[1]];
    }
  }
  // 1000 on average; six standard deviations are 170.
  for (int i = 0; i < 6; ++i) {
    for (int j = i + 1; j < 6; ++j) CHECK(std::abs(together[i][j] - 1000) <= 170);
  }
}

TEST_CASE("classes are shared out evenly, and the folds are still of one size") {
  Stream stream(1);
  for (int trial = 0; trial < 100; ++trial) {
    CAPTURE(trial);
    const std::int64_t k = 2 + std::int64_t(stream.below(5));
    Rows classes;
    for (std::int64_t c = 0; c < 5; ++c) {
      classes.insert(classes.end(), std::size_t(k) + stream.below(20), 10 * c - 20);
    }
    shuffle(classes, stream);
    const auto n = std::int64_t(classes.size());
    const bool shuffles = trial % 2;
    const Folds folds = data::stratified_k_fold(
        classes, {.folds = k, .shuffle = shuffles, .seed = std::uint64_t(trial)});
    REQUIRE(folds.size() == std::size_t(k));
    check_cover(folds.data(), k, n);
    CHECK(spread(folds.data(), k) <= 1);
    for (std::int64_t name = -20; name <= 20; name += 10) {
      std::int64_t least = n, most = 0;
      for (const Fold& fold : folds) {
        const std::int64_t count = count_in(fold.test, classes, name);
        least = std::min(least, count), most = std::max(most, count);
      }
      CHECK(most - least <= 1);
    }
  }
}

TEST_CASE("folds of classes depend on the seed, or are neighbours without a shuffle") {
  const Rows classes{0, 0, 0, 0, 0, 1, 1, 0, 1, 1};
  const Folds unshuffled = data::stratified_k_fold(classes, {.folds = 2, .shuffle = false});
  CHECK(unshuffled[0].test == Rows{0, 1, 2, 5, 6});
  CHECK(unshuffled[1].test == Rows{3, 4, 7, 8, 9});
  Rows alternating(100);
  for (std::size_t i = 0; i < 100; ++i) alternating[i] = std::int64_t(i % 2);
  const auto folds = [&](std::int64_t repeats, std::uint64_t seed) {
    return data::stratified_k_fold(alternating, {.repeats = repeats, .seed = seed});
  };
  CHECK(same(folds(2, 1), folds(2, 1)));
  CHECK_FALSE(same(folds(1, 1), folds(1, 2)));
  CHECK(folds(2, 1)[0].test != folds(2, 1)[5].test);
  CHECK(same(data::stratified_k_fold(Rows(23, 1), {.seed = 6}), data::k_fold(23, {.seed = 6})));
}

TEST_CASE("no group is divided, and the folds differ by at most the largest group") {
  Stream stream(4);
  for (int trial = 0; trial < 100; ++trial) {
    CAPTURE(trial);
    const std::int64_t k = 2 + std::int64_t(stream.below(4));
    Rows groups;
    std::int64_t largest = 0;
    for (std::int64_t g = 0; g < 8; ++g) {
      const std::uint64_t size = 1 + stream.below(12);
      largest = std::max(largest, std::int64_t(size));
      groups.insert(groups.end(), size, 3 - g);
    }
    shuffle(groups, stream);
    const auto n = std::int64_t(groups.size());
    const Folds folds = data::group_k_fold(
        groups, {.folds = k, .shuffle = trial % 2 == 0, .seed = std::uint64_t(trial)});
    REQUIRE(folds.size() == std::size_t(k));
    check_cover(folds.data(), k, n);
    CHECK(spread(folds.data(), k) <= largest);
    for (const Fold& fold : folds) {
      CHECK_FALSE(fold.test.empty());
      std::set<std::int64_t> tested;
      for (const std::int64_t row : fold.test) tested.insert(groups[std::size_t(row)]);
      for (const std::int64_t group : tested) CHECK(count_in(fold.train, groups, group) == 0);
    }
  }
}

TEST_CASE("folds of groups depend on the seed, or take the largest group first without a shuffle") {
  // Sizes 1, 2, 3, 4 of groups 0 ... 3: 4 and 1 against 3 and 2.
  const Rows groups{0, 1, 1, 2, 2, 2, 3, 3, 3, 3};
  const Folds unshuffled = data::group_k_fold(groups, {.folds = 2, .shuffle = false});
  CHECK(unshuffled[0].test == Rows{0, 6, 7, 8, 9});
  CHECK(unshuffled[1].test == Rows{1, 2, 3, 4, 5});
  Rows many;
  for (std::int64_t i = 0; i < 90; ++i) many.push_back(i / 3);
  const auto folds = [&](std::int64_t repeats, std::uint64_t seed) {
    return data::group_k_fold(many, {.repeats = repeats, .seed = seed});
  };
  CHECK(same(folds(2, 1), folds(2, 1)));
  CHECK_FALSE(same(folds(1, 1), folds(1, 2)));
  CHECK(folds(2, 1)[0].test != folds(2, 1)[5].test);
  // Shuffled, groups of unequal size go together in more than one way.
  std::set<Rows> tests;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (const Fold& fold : data::group_k_fold(groups, {.folds = 2, .seed = seed})) {
      tests.insert(fold.test);
    }
  }
  CHECK(tests.size() > 2);
}

TEST_CASE("sizes that make no folds are refused") {
  const auto plain = [](std::int64_t n, data::FoldOptions options) {
    return message_of<ArgumentError>([&] { data::k_fold(n, options); });
  };
  CHECK(plain(10, {.folds = 1}) ==
        "k_fold: 1 fold of 10 rows; there must be at least 2, and a row for each");
  CHECK(plain(4, {.folds = 5}) ==
        "k_fold: 5 folds of 4 rows; there must be at least 2, and a row for each");
  CHECK(plain(-4, {.folds = -5}) ==
        "k_fold: -5 folds of -4 rows; there must be at least 2, and a row for each");
  CHECK(plain(10, {.repeats = 0}) == "k_fold: 0 repeats; there must be at least one");
  CHECK(plain(10, {.repeats = 3, .shuffle = false}) ==
        "k_fold: 3 repeats that do not shuffle are all the same; ask for one");
  CHECK(message_of<ArgumentError>([] { data::stratified_k_fold(Rows{}); }) ==
        "stratified_k_fold: 5 folds of 0 rows; there must be at least 2, and a row for each");
  CHECK(message_of<ArgumentError>([] {
          data::stratified_k_fold(Rows{4, 4, 4, 7, 7}, {.folds = 3});
        }) ==
        "stratified_k_fold: class 7 has too few rows, 2, for 3 folds; merge it with another class, "
        "or ask for fewer folds");
  CHECK(message_of<ArgumentError>([] { data::group_k_fold(Rows{1}, {.folds = 2}); }) ==
        "group_k_fold: 2 folds of 1 row; there must be at least 2, and a row for each");
  CHECK(message_of<ArgumentError>([] {
          data::group_k_fold(Rows{1, 1, 2, 2}, {.folds = 3});
        }) == "group_k_fold: 2 groups are too few for 3 folds");
}

TEST_CASE("expanding windows train on all rows before the test part") {
  const Folds folds = data::expanding_window(10, {.folds = 3, .test_size = 2, .gap = 1});
  REQUIRE(folds.size() == 3);
  CHECK(folds[0].train == range(0, 3));
  CHECK(folds[0].test == range(4, 6));
  CHECK(folds[1].train == range(0, 5));
  CHECK(folds[1].test == range(6, 8));
  CHECK(folds[2].train == range(0, 7));
  CHECK(folds[2].test == range(8, 10));
  // 23 / (5 + 1) = 3 rows a test.
  const Folds standard = data::expanding_window(23);
  REQUIRE(standard.size() == 5);
  CHECK(standard[0].train == range(0, 8));
  CHECK(standard[0].test == range(8, 11));
  CHECK(standard[4].test == range(20, 23));
}

TEST_CASE("sliding windows train on the same number of rows each") {
  const Folds folds =
      data::sliding_window(20, {.folds = 3, .train_size = 5, .test_size = 4, .gap = 2});
  REQUIRE(folds.size() == 3);
  CHECK(folds[0].train == range(1, 6));
  CHECK(folds[0].test == range(8, 12));
  CHECK(folds[1].train == range(5, 10));
  CHECK(folds[1].test == range(12, 16));
  CHECK(folds[2].train == range(9, 14));
  CHECK(folds[2].test == range(16, 20));
  // Without a size, the window is as large as the first fold allows.
  const Folds widest = data::sliding_window(20, {.folds = 3, .test_size = 4, .gap = 2});
  CHECK(widest[0].train == range(0, 6));
  CHECK(widest[2].train == range(8, 14));
  CHECK(data::sliding_window(12, {.folds = 3})[1].train == range(3, 6));
}

TEST_CASE("windows never look ahead, and a row is tested at most once") {
  for (std::int64_t n = 8; n < 40; ++n) {
    for (std::int64_t k = 1; k <= 3; ++k) {
      for (std::int64_t gap = 0; gap < 3; ++gap) {
        for (const Folds& folds :
             {data::expanding_window(n, {.folds = k, .gap = gap / 2}),
              data::sliding_window(n, {.folds = k, .train_size = 2, .test_size = 1, .gap = gap})}) {
          CHECK(folds.size() == std::size_t(k));
          std::int64_t last = -1;
          for (const Fold& fold : folds) {
            CHECK(fold.train.back() < fold.test.front());
            CHECK(last < fold.test.front());
            last = fold.test.back();
          }
          CHECK(last == n - 1);
        }
      }
    }
  }
}

namespace {

template <class Options>
concept CanShuffle = requires(Options options) {
  options.shuffle;
};
static_assert(CanShuffle<data::FoldOptions>);
static_assert(!CanShuffle<data::ExpandingWindowOptions>);
static_assert(!CanShuffle<data::SlidingWindowOptions>);

}  // namespace

TEST_CASE("windows without rows to train on or to test are refused") {
  const auto expanding = [](std::int64_t n, data::ExpandingWindowOptions options) {
    return message_of<ArgumentError>([&] { data::expanding_window(n, options); });
  };
  const auto sliding = [](std::int64_t n, data::SlidingWindowOptions options) {
    return message_of<ArgumentError>([&] { data::sliding_window(n, options); });
  };
  CHECK(expanding(10, {.folds = 0}) == "expanding_window: 0 folds; there must be at least one");
  CHECK(expanding(10, {.gap = -1}) == "expanding_window: a gap of -1 rows; it must be at least 0");
  CHECK(expanding(10, {.test_size = 0}) ==
        "expanding_window: a test_size of 0; it must be at least 1");
  CHECK(sliding(10, {.train_size = 0}) ==
        "sliding_window: a train_size of 0; it must be at least 1");
  CHECK(expanding(10, {.folds = 5, .test_size = 2}) ==
        "expanding_window: 10 rows are too few for 5 folds that test 2 rows each, and before them "
        "a gap of 0 and 1 to train on");
  CHECK(data::expanding_window(11, {.folds = 5, .test_size = 2})[0].train == Rows{0});
  CHECK(sliding(20, {.folds = 3, .train_size = 7, .test_size = 4, .gap = 2}) ==
        "sliding_window: 20 rows are too few for 3 folds that test 4 rows each, and before them a "
        "gap of 2 and 7 to train on");
  CHECK(data::sliding_window(20, {.folds = 3, .train_size = 6, .test_size = 4, .gap = 2}).size() ==
        3);
  CHECK(expanding(3, {}) ==
        "expanding_window: 3 rows are too few for 5 folds that test 1 row each, and before them a "
        "gap of 0 and 1 to train on");
  // Sizes at the ends of their type.
  const auto huge = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t n : {std::int64_t(0), std::int64_t(-5), std::int64_t(100)}) {
    CHECK_THROWS_AS(data::expanding_window(n, {.folds = huge}), ArgumentError);
    CHECK_THROWS_AS(data::expanding_window(n, {.test_size = huge}), ArgumentError);
    CHECK_THROWS_AS(data::expanding_window(n, {.gap = huge}), ArgumentError);
    CHECK_THROWS_AS(data::sliding_window(n, {.train_size = huge}), ArgumentError);
  }
  CHECK_THROWS_AS(data::expanding_window(huge), ShapeError);
  CHECK_THROWS_AS(data::sliding_window(huge), ShapeError);
}

}  // TEST_SUITE("folds")
