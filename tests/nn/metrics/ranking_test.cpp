// SPDX-License-Identifier: BSD-3-Clause
// Curves of scores, and the areas under them.
#include "ebb/nn/metrics/ranking.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using ebb::test::close, ebb::test::message_of;
using nn::RankingMetrics;
using Numbers = Array<double>;
using List = std::vector<double>;

namespace {

RankingMetrics of(const Numbers& scores, const Numbers& labels) {
  RankingMetrics m;
  m.update(scores, labels);
  return m;
}

/// How probably a positive has a higher score than a negative, by all pairs.
double by_pairs(const Numbers& scores, const Numbers& labels) {
  double wins = 0, pairs = 0;
  for (std::int64_t i = 0; i < scores.size(); ++i) {
    for (std::int64_t j = 0; j < scores.size(); ++j) {
      if (labels[i] != 1 || labels[j] != 0) continue;
      pairs += 1;
      wins += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
  }
  return wins / pairs;
}

}  // namespace

TEST_SUITE("ranking metrics") {

TEST_CASE("four rows, by hand") {
  const RankingMetrics m = of(Numbers::of({0.1, 0.4, 0.35, 0.8}), Numbers::of({0, 0, 1, 1}));
  const nn::RocCurve roc = m.roc_curve();
  CHECK(roc.false_positive_rate == List{0, 0, 0.5, 0.5, 1});
  CHECK(roc.true_positive_rate == List{0, 0.5, 0.5, 1, 1});
  CHECK(roc.thresholds == List{std::numeric_limits<double>::infinity(), 0.8, 0.4, 0.35, 0.1});
  CHECK(m.auc() == 0.75);
  const nn::PrecisionRecallCurve curve = m.precision_recall_curve();
  CHECK(curve.precision == List{1, 1, 0.5, 2.0 / 3, 0.5});
  CHECK(curve.recall == List{0, 0.5, 0.5, 1, 1});
  CHECK(curve.thresholds == roc.thresholds);
  CHECK(m.average_precision() == 0.5 * 1 + 0.5 * (2.0 / 3));
  CHECK(m.count() == 4);
  CHECK(m.positives() == 2);
}

TEST_CASE("a weight of 3 counts as a row that is there three times, and 0 as none") {
  const Numbers scores = Numbers::of({0.1, 0.4, 0.35, 0.8, 0.4, 0.9}),
                labels = Numbers::of({0, 0, 1, 1, 1, 0}), weights = Numbers::of({2, 1, 3, 1, 2, 0});
  const RankingMetrics repeated = of(Numbers::of({0.1, 0.1, 0.4, 0.35, 0.35, 0.35, 0.8, 0.4, 0.4}),
                                     Numbers::of({0, 0, 0, 1, 1, 1, 1, 1, 1}));
  const auto agree = [&](const RankingMetrics& m) {
    CHECK(m.auc() == repeated.auc());
    CHECK(m.average_precision() == repeated.average_precision());
    CHECK(m.roc_curve().false_positive_rate == repeated.roc_curve().false_positive_rate);
    CHECK(m.roc_curve().true_positive_rate == repeated.roc_curve().true_positive_rate);
    CHECK(m.precision_recall_curve().precision == repeated.precision_recall_curve().precision);
    CHECK(m.precision_recall_curve().thresholds == repeated.precision_recall_curve().thresholds);
  };
  RankingMetrics weighted;
  weighted.update(scores, labels, weights);
  CHECK(weighted.count() == 5);
  agree(weighted);
  RankingMetrics columns;
  columns.update(scores.reshape({6, 1}), labels.reshape({6, 1}), weights);
  agree(columns);
  // Rows with and without weights, in either order, and merged.
  const Numbers one_score = Numbers::of({0.4}), one_label = Numbers::of({0});
  const Numbers others = Numbers::of({2, 0, 3, 1, 2, 0});
  RankingMetrics after = of(one_score, one_label), before;
  after.update(scores, labels, others);
  agree(after);
  before.update(scores, labels, others);
  RankingMetrics merged = before, empty;
  before.update(one_score, one_label);
  agree(before);
  merged.merge(of(one_score, one_label));
  agree(merged);
  empty.merge(merged);
  agree(empty);
  RankingMetrics plain = of(one_score, one_label);
  RankingMetrics rest;
  rest.update(scores, labels, others);
  plain.merge(rest);
  agree(plain);
  CHECK(message_of([&] {
          weighted.update(scores, labels, Numbers::of({1, 1}));
        }) == "RankingMetrics: weights must have the shape of the rows, (6,), not (2,)");
  CHECK(message_of([&] { weighted.update(one_score, one_label, Numbers::of({-1})); }) ==
        "RankingMetrics: weights must be at least 0 and finite; that at position 0 is -1");
  agree(weighted);
}

TEST_CASE("equal scores are one point") {
  const RankingMetrics all = of(Numbers::of({7, 7, 7}), Numbers::of({1, 0, 1}));
  CHECK(all.roc_curve().thresholds.size() == 2);
  CHECK(all.auc() == 0.5);
  CHECK_AGREES(close(all.average_precision(), 2.0 / 3, 1e-15));
  const Numbers scores = Numbers::of({3, 1, 3, 2, 2, 2}), labels = Numbers::of({1, 0, 0, 1, 1, 0});
  CHECK_AGREES(close(of(scores, labels).auc(), by_pairs(scores, labels), 1e-15));
}

TEST_CASE("the area is the chance of a right order, in batches and merged") {
  constexpr std::int64_t n = 400;
  Stream stream(5);
  auto scores = Numbers::uninitialized({n}), labels = Numbers::uninitialized({n});
  for (std::int64_t i = 0; i < n; ++i) {
    labels.mutate()[i] = stream.uniform() < 0.3 ? 1 : 0;
    scores.mutate()[i] = std::round(8 * (stream.normal() + labels[i])) / 8;  // with ties
  }
  const double expected = by_pairs(scores, labels);
  CHECK_AGREES(close(of(scores, labels).auc(), expected, 1e-13));
  RankingMetrics first, second;
  const auto add = [&](RankingMetrics& m, std::int64_t from, std::int64_t to) {
    m.update(Numbers(Shape{to - from}, std::span(scores.data() + from, std::size_t(to - from))),
             Numbers(Shape{to - from}, std::span(labels.data() + from, std::size_t(to - from))));
  };
  add(first, 0, 10);
  add(second, 10, 333);
  add(second, 333, n);
  first.merge(second);
  CHECK(first.auc() == of(scores, labels).auc());
  CHECK(first.average_precision() == of(scores, labels).average_precision());
}

TEST_CASE("one class alone has no area") {
  const RankingMetrics positives = of(Numbers::of({1, 2}), Numbers::of({1, 1}));
  CHECK(std::isnan(positives.auc()));
  CHECK(std::isnan(positives.roc_curve().false_positive_rate[1]));
  CHECK(positives.average_precision() == 1);
  const RankingMetrics negatives = of(Numbers::of({1, 2}), Numbers::of({0, 0}));
  CHECK(std::isnan(negatives.auc()));
  CHECK(std::isnan(negatives.average_precision()));
  CHECK(std::isnan(RankingMetrics().auc()));
}

TEST_CASE("several classes, each against the rest") {
  const auto scores = Array<float>::of({{3, 1, 0}, {2, 2, 0}, {0, 3, 0}, {1, 0, 0}});
  const auto labels = Array<std::int64_t>::of({0, 0, 1, 1});
  // Class 0: 3, 2 against 0, 1. Class 1: 3, 0 against 1, 2. Class 2 does not occur.
  CHECK(nn::one_vs_rest_auc(scores, labels) == (1 + 0.5) / 2);
  // With weights 1, 1, 3, 1 class 1 has 3 of weight 3 and 0 of weight 1: it wins 3 of 4.
  const auto weights = Array<float>::of({1, 1, 3, 1});
  CHECK(nn::one_vs_rest_auc(scores, labels, weights) == (1 + 0.75) / 2);
  CHECK(nn::one_vs_rest_auc(scores, labels, weights.reshape({4, 1})) == (1 + 0.75) / 2);
  CHECK(std::isnan(nn::one_vs_rest_auc(scores, labels, Array<float>::of({1, 1, 0, 0}))));
  CHECK_THROWS_AS(nn::one_vs_rest_auc(scores, labels, Array<float>::of({1, 1, -1, 0})),
                  ArgumentError);
  CHECK(std::isnan(nn::one_vs_rest_auc(scores, Array<std::int64_t>::of({0, 0, 0, 0}))));
  CHECK_THROWS_WITH_AS(nn::one_vs_rest_auc(scores, Array<std::int64_t>::of({0, 3, 0, 0})),
                       "one_vs_rest_auc: there is no class 3 of 3, at row 1", ArgumentError);
  CHECK_THROWS_AS(nn::one_vs_rest_auc(scores, Array<std::int64_t>::of({0})), ShapeError);
}

TEST_CASE("wrong scores and labels are refused, and nothing is added") {
  RankingMetrics m;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(m.update(Numbers::of({1, nan}), Numbers::of({0, 1})),
                       "RankingMetrics: the score at position 1 is NaN", ArgumentError);
  CHECK_THROWS_WITH_AS(m.update(Numbers::of({1, 2}), Numbers::of({0, 2})),
                       "RankingMetrics: labels must be 0 or 1; that at position 1 is 2",
                       ArgumentError);
  CHECK_THROWS_AS(m.update(Numbers::of({1, 2}), Numbers::of({{0}, {1}})), ShapeError);
  CHECK(m.count() == 0);
}

}  // TEST_SUITE("ranking metrics")
