// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/target_encoding.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/data/splits/table_split.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::Column;
using data::Kind;
using data::Role;
using data::Table;
using data::TargetEncode;
using data::Unknown;
using ebb::test::close, ebb::test::message_of, ebb::test::same_bits;
using Names = std::vector<std::string>;

namespace {

constexpr double gone = std::numeric_limits<double>::quiet_NaN();

Table<double> zones(const Array<double>& values) {
  return {{{"zone", Kind::categorical, {"e", "n", "s"}}, {"price"}}, values, "h.csv"};
}

/// Prices of n: 1, 2, 6; of s: 4; one of no zone: 7. Their mean is 4.
Table<double> training() {
  return zones(Array<double>::of({{1, 1}, {2, 4}, {1, 2}, {1, 6}, {gone, 7}}));
}

std::string why(const auto& f) { return message_of<ArgumentError>(f); }

/// To the rounding of a few operations.
bool near(double a, double b) { return std::abs(a - b) <= 1e-15 * std::max(1., std::abs(b)); }

}  // namespace

TEST_SUITE("target encoding") {

TEST_CASE("a code is the mean of a level, drawn towards the mean of all rows") {
  TargetEncode step({.target = "price", .smoothing = 2});
  step.fit(training());
  CHECK(step.mean() == 4);
  CHECK(step.levels() == std::vector<Names>{{"n", "s"}});
  // (3 * 3 + 2 * 4) / 5 and (1 * 4 + 2 * 4) / 3
  CHECK(step.codes() == std::vector<std::vector<double>>{{3.4, 4}});
  const auto other = step.transform(zones(Array<double>::of({{1, 0}, {2, 0}, {0, 0}, {gone, 0}})));
  CHECK(other.columns()[0].kind == Kind::numeric);
  CHECK_AGREES(same_bits(other.column("zone"), Array<double>({4, 1}, {3.4, 4, 4, 4})));
  CHECK(step.describe() == "TargetEncode zone by price");
  // Without smoothing, and without the target, which only the fit needs.
  TargetEncode plain({.target = "price", .smoothing = 0, .missing = Unknown::level});
  plain.fit(training());
  CHECK(plain.codes() == std::vector<std::vector<double>>{{3, 4, 7}});
  const auto alone = training().drop({"price"});
  CHECK_AGREES(same_bits(plain.transform(alone).values(), Array<double>({5, 1}, {3, 4, 3, 3, 7})));
}

TEST_CASE("a training row has the code of the other folds") {
  for (const double smoothing : {0., 1.5}) {
    for (const std::uint64_t seed : {0u, 7u}) {
      auto values = Array<double>::uninitialized({40, 2});
      for (std::int64_t i = 0; i < 40; ++i) {
        values.mutate()[2 * i] = i % 7 == 0 ? gone : double(i % 3);
        values.mutate()[2 * i + 1] = double(i * i % 11);
      }
      const auto table = zones(values);
      TargetEncode step({.target = "price", .smoothing = smoothing, .folds = 4, .seed = seed});
      const auto seen = step.fit_transform(table);
      CHECK(seen.columns()[0].kind == Kind::numeric);
      CHECK_AGREES(same_bits(seen.column("price"), table.column("price")));
      // The folds are the shuffled rows, dealt out; each code by hand from the rows of the others.
      Stream stream = Stream(seed).split(0x7461726765745f31);
      const auto order = permutation(40, stream);
      std::vector<std::int64_t> fold(40);
      for (std::size_t i = 0; i < 40; ++i) fold[std::size_t(order[i])] = std::int64_t(i % 4);
      auto expected = Array<double>::uninitialized({40, 1});
      for (std::int64_t i = 0; i < 40; ++i) {
        double total = 0, count = 0, level_total = 0, level_count = 0;
        for (std::int64_t j = 0; j < 40; ++j) {
          if (fold[std::size_t(j)] == fold[std::size_t(i)]) continue;
          total += values(j, 1), ++count;
          if (values(j, 0) == values(i, 0)) level_total += values(j, 1), ++level_count;
        }
        const double mean = total / count;
        expected.mutate()[i] =
            level_count == 0 ? mean : (level_total + smoothing * mean) / (level_count + smoothing);
      }
      // Sums of whole numbers are exact in any order.
      CHECK_AGREES(same_bits(seen.column("zone"), expected));
      // Other rows have the codes of all, as after `fit`.
      TargetEncode other({.target = "price", .smoothing = smoothing});
      other.fit(table);
      CHECK(step.codes() == other.codes());
      CHECK(step.mean() == other.mean());
      const auto more = table.with_role(Role::unspecified);
      CHECK_AGREES(same_bits(step.transform(more).values(), other.transform(more).values()));
    }
  }
}

TEST_CASE("no row's code depends on its own target") {
  // A level of one row: its code is the mean of the other folds.
  const auto code_of = [](double price, double smoothing) {
    TargetEncode step({.target = "price", .smoothing = smoothing, .folds = 5});
    return step
        .fit_transform(zones(Array<double>::of({{0, price}, {1, 1}, {1, 2}, {1, 3}, {1, 4}})))
        .values()(0, 0);
  };
  for (const double smoothing : {0., 10.}) {
    CHECK(code_of(0, smoothing) == 2.5);
    CHECK(code_of(1e6, smoothing) == 2.5);
  }
}

TEST_CASE("as many folds as rows leave each row out of its own code") {
  // Of each of 2000 levels two rows: the code of one is the price of the other.
  constexpr std::int64_t n = 4000;
  Column zone{"zone", Kind::categorical};
  for (std::int64_t i = 0; i < n / 2; ++i) zone.levels.push_back(std::to_string(i));
  auto values = Array<double>::uninitialized({n, 2});
  for (std::int64_t i = 0; i < n; ++i) {
    values.mutate()[2 * i] = double(i % (n / 2));
    values.mutate()[2 * i + 1] = double(i);
  }
  TargetEncode step({.target = "price", .smoothing = 0, .folds = n});
  const auto seen = step.fit_transform(Table<double>({zone, {"price"}}, values));
  bool are_right = true;
  for (std::int64_t i = 0; i < n; ++i) {
    are_right = are_right && seen.values()(i, 0) == double((i + n / 2) % n);
  }
  CHECK(are_right);
}

TEST_CASE("sums of targets may exceed the range of double") {
  const double huge = 1.5e308;
  const auto table =
      zones(Array<double>::of({{0, huge}, {0, huge}, {1, -huge}, {1, -huge}, {0, huge}}));
  for (const double smoothing : {0., 10., 1e308}) {
    CAPTURE(smoothing);
    TargetEncode step({.target = "price", .smoothing = smoothing, .folds = 5});
    const auto seen = step.fit_transform(table);
    CHECK(near(step.mean() / huge, 0.2));
    const double m = std::min(smoothing, 1e300);
    CHECK(near(step.codes()[0][0] / huge, (3 + m * 0.2) / (3 + m)));
    CHECK(near(step.codes()[0][1] / huge, (-2 + m * 0.2) / (2 + m)));
    // Without its own row, each level has two rows.
    CHECK(near(seen.values()(0, 0) / huge, 2 / (2 + m)));
  }
  // A mean of the largest number is not rounded beyond it.
  auto largest = Array<double>::uninitialized({1000, 2});
  for (std::int64_t i = 0; i < 1000; ++i) {
    largest.mutate()[2 * i] = i < 4 ? 0 : 1;
    largest.mutate()[2 * i + 1] = std::numeric_limits<double>::max();
  }
  TargetEncode step({.target = "price", .smoothing = 0.1});
  const auto codes = step.fit_transform(zones(largest)).column("zone");
  CHECK(std::all_of(codes.begin(), codes.end(), [](double code) { return std::isfinite(code); }));
  CHECK(step.codes()[0][0] == std::numeric_limits<double>::max());
  // The mean of all counts as more rows than the sum of it could.
  TargetEncode sure({.target = "price", .smoothing = 1e308});
  sure.fit(training());
  CHECK(near(sure.codes()[0][0], 4.));
}

TEST_CASE("the folds depend on the seed") {
  const auto codes = [](std::uint64_t seed) {
    TargetEncode step({.target = "price", .folds = 2, .seed = seed});
    return step.fit_transform(training()).values();
  };
  CHECK(equal(codes(3), codes(3)));
  bool differs = false;
  for (const std::uint64_t seed : {4u, 5u, 6u, 7u})
    differs = differs || !equal(codes(3), codes(seed));
  CHECK(differs);
}

TEST_CASE("transform refuses the rows of the fit") {
  const auto train = training().with_role(Role::training);
  TargetEncode step({.target = "price", .folds = 2});
  CHECK(step.fit_transform(train).rows() == 5);
  CHECK(why([&] { step.transform(train); }) ==
        "TargetEncode: transform of training rows after a fit on them would give them codes with "
        "their own targets; fit_transform gives them codes from the other rows");
  CHECK(why([&] {
          step.transform(train.head(2));
        }).starts_with("TargetEncode: transform of training rows after a fit on them"));
  CHECK(step.transform(training().with_role(Role::training)).rows() == 5);  // other rows
  const auto whole = training();
  step.fit(whole);
  CHECK(why([&] {
          step.transform(data::split(whole, data::Fold{{0, 1, 2}, {3, 4}}).test);
        }).starts_with("TargetEncode: held-out rows of h.csv: these held-out rows were among"));
  // Rows without a role are refused, too.
  const auto table = training();
  step.fit(table);
  for (const auto& rows : {table, table.head(2), table.select({"zone"})}) {
    CHECK(why([&] { step.transform(rows); }).starts_with("TargetEncode: transform of training"));
  }
  const std::vector<std::int64_t> some{0, 1, 2}, others{3, 4};
  step.fit(table.rows(some));
  CHECK_THROWS_AS(step.transform(table.rows(some)), ArgumentError);
  CHECK(step.transform(table.rows(others)).rows() == 2);
  CHECK(step.transform(training().with_role(Role::held_out)).rows() == 5);
}

TEST_CASE("unknown and missing values follow their policies") {
  const auto odd = zones(Array<double>::of({{0, 0}}));
  TargetEncode strict({.target = "price", .unknown = Unknown::error});
  strict.fit(training());
  CHECK(why([&] {
          strict.transform(odd);
        }).starts_with("TargetEncode: column \"zone\", row 0: the level \"e\" was not there"));
  CHECK(why([&] {
          TargetEncode({.target = "price", .missing = Unknown::error}).fit(training());
        }).starts_with("TargetEncode: column \"zone\", row 4: the value is missing"));
}

TEST_CASE("there is no inverse") {
  TargetEncode step({.target = "price"});
  step.fit(training());
  CHECK(why([&] { step.inverse(step.transform(training())); }) ==
        "TargetEncode: it has no inverse, since several levels may have the same mean target");
  // The other columns do not change.
  CHECK_AGREES(
      same_bits(step.inverse(training().select({"price"})).values(), training().column("price")));
}

TEST_CASE("invalid options and targets are refused") {
  CHECK(why([] { TargetEncode({.columns = {"zone"}}); }) ==
        "TargetEncode: no target; it is the name of the column that is to be predicted");
  CHECK(why([] { TargetEncode({.target = "y", .smoothing = -1}); }) ==
        "TargetEncode: a smoothing of -1 rows; it must be 0 or more");
  CHECK_THROWS_AS(TargetEncode({.target = "y", .smoothing = gone}), ArgumentError);
  CHECK_THROWS_AS(TargetEncode({.target = "y", .smoothing = HUGE_VAL}), ArgumentError);
  CHECK(why([] { TargetEncode({.target = "y", .folds = 1}); }) ==
        "TargetEncode: 1 fold; there must be at least 2");
  CHECK(why([] { TargetEncode({.target = "y", .unknown = Unknown::level}); }) ==
        "TargetEncode: an unknown level has no target; let `unknown` be "
        "Unknown::ignore or error");
  CHECK(why([] { TargetEncode({.target = "cost"}).fit(training()); }) ==
        "TargetEncode: there is no target \"cost\" in h.csv; there are zone, price");
  CHECK(why([] { TargetEncode({.target = "zone"}).fit(training()); }) ==
        "TargetEncode: h.csv has no categorical column except the target");
  CHECK(why([] {
          TargetEncode({.columns = {"zone"}, .target = "zone"}).fit(training());
        }).starts_with("TargetEncode: the target \"zone\" has "));
  CHECK(why([] { TargetEncode({.target = "price", .folds = 6}).fit_transform(training()); }) ==
        "TargetEncode: 6 folds of 5 rows; each needs at least one");
  for (const double price : {gone, HUGE_VAL}) {
    CHECK(why([&] {
            TargetEncode({.target = "price"}).fit(zones(Array<double>::of({{0, 1}, {0, price}})));
          }) ==
          "TargetEncode: column \"price\", row 1: the target is missing or not finite; remove the "
          "row");
  }
}

}  // TEST_SUITE("target encoding")
