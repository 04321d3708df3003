// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/sets/dataset.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/data/batches/numbers.hpp"

using namespace ebb;
using ebb::test::numbered;

TEST_SUITE("train_test_split") {

TEST_CASE_TEMPLATE("every row is in exactly one part, with its target", T, float, double) {
  struct Case {
    std::int64_t n;
    double fraction;
    std::int64_t expected;
  };
  for (const auto [n, fraction, expected] :
       {Case{442, 0.2, 88}, {10, 0.5, 5}, {2, 0.5, 1}, {7, 0.9, 6}, {100, 0.07, 7}}) {
    const auto all = numbered<T>(n);
    const auto [train, test] = data::train_test_split(all.x, all.y, {.test = fraction, .seed = 3});
    CHECK(test.size() == expected);
    CHECK(train.size() == n - expected);
    std::vector<int> seen(std::size_t(n), 0);
    for (const auto* part : {&train, &test}) {
      for (std::int64_t i = 0; i < part->size(); ++i) {
        ++seen[std::size_t(part->x(i, 0))];
        CHECK(part->x(i, 1) == -part->x(i, 0));
        CHECK(part->y(i, 0) == 10 * part->x(i, 0));
      }
    }
    CHECK(std::all_of(seen.begin(), seen.end(), [](int times) { return times == 1; }));
  }
}

TEST_CASE("the same seed gives the same parts, another seed others") {
  const auto all = numbered<double>(200);
  const auto a = data::train_test_split(all.x, all.y, {.seed = 7});
  const auto b = data::train_test_split(all.x, all.y, {.seed = 7});
  const auto c = data::train_test_split(all.x, all.y, {.seed = 8});
  CHECK(equal(a.train.x, b.train.x));
  CHECK(equal(a.test.y, b.test.y));
  CHECK_FALSE(equal(a.test.x, c.test.x));
}

TEST_CASE("labels and other shapes of rows") {
  const auto x = Array<float>::zeros({5, 2, 3});
  const Array<std::int64_t> y({5}, {0, 1, 2, 3, 4});
  const auto split = data::train_test_split(x, y, {.test = 0.4});
  CHECK(split.train.x.shape() == Shape{3, 2, 3});
  CHECK(split.test.y.shape() == Shape{2});
}

TEST_CASE("refuses what cannot be split") {
  const auto all = numbered<double>(4);
  for (const double fraction : {0.0, 1.0, -0.1, 1.5, std::nan(""), 0.1, 0.9}) {
    CAPTURE(fraction);
    CHECK_THROWS_AS(data::train_test_split(all.x, all.y, {.test = fraction}), ArgumentError);
  }
  CHECK_THROWS_WITH(data::train_test_split(all.x, all.y, {.test = 2}),
                    "train_test_split: a test fraction of 2; it must be inside (0, 1)");
  CHECK_THROWS_WITH(data::train_test_split(all.x, all.y, {.test = 0.1}),
                    "train_test_split: a test fraction of 0.1 leaves 0 of 4 rows to test and 4 to "
                    "train on; both need at least one");
  CHECK_THROWS_WITH(data::train_test_split(all.x, Array<double>::zeros({3, 1})),
                    "train_test_split: inputs of shape (4, 2) and targets of shape (3, 1); both "
                    "must have the same number of rows");
}

}  // TEST_SUITE("train_test_split")
