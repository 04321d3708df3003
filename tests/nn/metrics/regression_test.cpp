// SPDX-License-Identifier: BSD-3-Clause
// Errors of regressions, by hand and in batches.
#include "ebb/nn/metrics/regression.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::close;
using nn::RegressionMetrics;
using Numbers = Array<double>;

namespace {

/// All numbers of the metrics.
std::vector<double> all(const RegressionMetrics& m) {
  return {m.mse(), m.rmse(), m.mae(), m.max_error(), m.mape(), m.r2(), m.explained_variance()};
}

}  // namespace

TEST_SUITE("regression metrics") {

TEST_CASE_TEMPLATE("by hand", T, float, double) {
  RegressionMetrics m;
  // Errors 0.5, -0.5, 0, -1; the mean of the targets is 2.875, their deviations squared 29.1875.
  m.update(Array<T>::of({2.5, 0.0, 2.0, 8.0}), Array<T>::of({3.0, -0.5, 2.0, 7.0}));
  CHECK(m.count() == 4);
  CHECK(m.mse() == 0.375);
  CHECK(m.rmse() == std::sqrt(0.375));
  CHECK(m.mae() == 0.5);
  CHECK(m.max_error() == 1);
  CHECK_AGREES(close(m.mape(), (0.5 / 3 + 1 + 0 + 1.0 / 7) / 4, 1e-15));
  CHECK_AGREES(close(m.r2(), 1 - 1.5 / 29.1875, 1e-14));
  // The mean error is -1/4: the squares of errors less 4 / 16.
  CHECK_AGREES(close(m.explained_variance(), 1 - 1.25 / 29.1875, 1e-14));
}

TEST_CASE("batches, and parts that are merged, are as the whole") {
  constexpr std::int64_t n = 1000;
  Stream stream(3);
  auto p = Numbers::uninitialized({n}), y = Numbers::uninitialized({n}),
       w = Numbers::uninitialized({n});
  for (std::int64_t i = 0; i < n; ++i) {
    // Far from 0, where sums of squares would lose the spread.
    y.mutate()[i] = 1e6 + stream.normal();
    p.mutate()[i] = y[i] + 0.3 * stream.normal() + 0.1;
    w.mutate()[i] = i % 7 == 0 ? 0 : stream.uniform();
  }
  const auto part = [&](const Numbers& x, std::int64_t first, std::int64_t last) {
    return Numbers(Shape{last - first}, std::span(x.data() + first, std::size_t(last - first)));
  };
  for (const bool weighted : {false, true}) {
    const auto update = [&](RegressionMetrics& m, std::int64_t first, std::int64_t last) {
      if (weighted) {
        m.update(part(p, first, last), part(y, first, last), part(w, first, last));
      } else {
        m.update(part(p, first, last), part(y, first, last));
      }
    };
    RegressionMetrics whole, first, second, none;
    update(whole, 0, n);
    for (const auto& [a, b] : {std::pair(0, 1), std::pair(1, 300), std::pair(300, 410)})
      update(first, a, b);
    update(second, 410, 411);
    update(second, 411, n);
    first.merge(none);
    first.merge(second);
    none.merge(first);
    CHECK(none.count() == n);
    // Differences of numbers near 1e6 have about ten digits.
    for (const RegressionMetrics& m : {first, none}) {
      for (std::size_t i = 0; i < all(whole).size(); ++i)
        CHECK_AGREES(close(all(m)[i], all(whole)[i], 1e-9));
    }
    // By the definition, in two passes.
    double weights = 0, mean = 0, spread = 0, squares = 0;
    const auto weight = [&](std::int64_t i) { return weighted ? w[i] : 1; };
    for (std::int64_t i = 0; i < n; ++i) weights += weight(i), mean += weight(i) * y[i];
    mean /= weights;
    for (std::int64_t i = 0; i < n; ++i) {
      spread += weight(i) * (y[i] - mean) * (y[i] - mean);
      squares += weight(i) * (y[i] - p[i]) * (y[i] - p[i]);
    }
    CHECK_AGREES(close(whole.mse(), squares / weights, 1e-9));
    CHECK_AGREES(close(whole.r2(), 1 - squares / spread, 1e-9));
  }
}

TEST_CASE("a weight of 2 is a row twice, and one of 0 is none") {
  RegressionMetrics weighted, twice;
  weighted.update(Numbers::of({1, 5, 3}), Numbers::of({2, 3, 100}), Numbers::of({2, 1, 0}));
  twice.update(Numbers::of({1, 1, 5}), Numbers::of({2, 2, 3}));
  for (std::size_t i = 0; i < all(twice).size(); ++i)
    CHECK_AGREES(close(all(weighted)[i], all(twice)[i], 1e-15));
}

TEST_CASE("what comes after a merge is as if it was there from the start") {
  RegressionMetrics whole, merged, part;
  whole.update(Numbers::of({1, 2, 9, 6, 4}), Numbers::of({3, 2, 7, 1, 8}));
  merged.update(Numbers::of({1, 2}), Numbers::of({3, 2}));
  part.update(Numbers::of({9, 6}), Numbers::of({7, 1}));
  merged.merge(part);
  merged.update(Numbers::of({4}), Numbers::of({8}));
  for (std::size_t i = 0; i < all(whole).size(); ++i)
    CHECK_AGREES(close(all(merged)[i], all(whole)[i], 1e-14));
}

TEST_CASE("targets that do not spread: 1 for no error, and 0 otherwise") {
  RegressionMetrics right, wrong, shifted;
  right.update(Numbers::of({2, 2}), Numbers::of({2, 2}));
  CHECK(right.r2() == 1);
  CHECK(right.explained_variance() == 1);
  wrong.update(Numbers::of({2, 3}), Numbers::of({2, 2}));
  CHECK(wrong.r2() == 0);
  CHECK(wrong.explained_variance() == 0);
  shifted.update(Numbers::of({3, 3}), Numbers::of({2, 2}));
  CHECK(shifted.r2() == 0);
  CHECK(shifted.explained_variance() == 1);
}

TEST_CASE("nothing gives NaN, and NaN stays visible") {
  RegressionMetrics none;
  for (const double x : all(none)) CHECK(std::isnan(x));
  RegressionMetrics broken;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  broken.update(Numbers::of({1, nan, 2}), Numbers::of({1, 2, 3}));
  for (const double x : all(broken)) CHECK(std::isnan(x));
  RegressionMetrics fine, equal;
  fine.update(Numbers::of({1, 2}), Numbers::of({1, 3}));
  fine.merge(broken);
  for (const double x : all(fine)) CHECK(std::isnan(x));
  broken.merge(fine);
  CHECK(std::isnan(broken.max_error()));
  equal.update(Numbers::of({nan, 2}), Numbers::of({2, 2}));
  CHECK(std::isnan(equal.r2()));
}

TEST_CASE("shapes and weights that do not fit are refused") {
  RegressionMetrics m;
  CHECK_THROWS_WITH_AS(
      m.update(Numbers::of({{1}, {2}}), Numbers::of({1, 2})),
      "RegressionMetrics: the shapes of predictions and targets must be equal, not "
      "(2, 1) and (2,)",
      ShapeError);
  CHECK_THROWS_AS(m.update(Numbers::of({1}), Numbers::of({1}), Numbers::of({1, 1})), ShapeError);
  CHECK_THROWS_WITH_AS(m.update(Numbers::of({1, 2}), Numbers::of({1, 2}), Numbers::of({1, -1})),
                       "RegressionMetrics: weights must be at least 0 and finite; that at position "
                       "1 is -1",
                       ArgumentError);
  CHECK(m.count() == 0);
}

}  // TEST_SUITE("regression metrics")
