// SPDX-License-Identifier: BSD-3-Clause
// Predicted probabilities beside what happened.
#include "ebb/nn/metrics/probabilities.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using ebb::test::close, ebb::test::message_of;
using nn::ProbabilityMetrics;
using Numbers = Array<double>;
using Labels = Array<std::int64_t>;

TEST_SUITE("probability metrics") {

TEST_CASE("two classes, by hand") {
  ProbabilityMetrics m(2);
  m.update(Numbers::of({0.9, 0.2, 0.6, 0.5}), Numbers::of({1, 0, 0, 1}));
  const double logs[] = {std::log(0.9), std::log(0.8), std::log(0.4), std::log(0.5)};
  const double mean = (logs[0] + logs[1] + logs[2] + logs[3]) / 4;
  CHECK_AGREES(close(m.log_loss(), -mean, 1e-15));
  double spread = 0;
  for (const double x : logs) spread += (x - mean) * (x - mean);
  CHECK_AGREES(close(m.log_likelihood_error(), std::sqrt(spread / 3 / 4), 1e-14));
  CHECK_AGREES(close(m.brier_score(), (0.01 + 0.04 + 0.36 + 0.25) / 4, 1e-14));
  const auto curve = m.calibration_curve();
  CHECK(curve.size() == 2);
  CHECK(curve[0].count == 1);
  CHECK(curve[0].predicted == 0.2);
  CHECK(curve[0].happened == 0);
  CHECK(curve[1].count == 3);
  CHECK_AGREES(close(curve[1].predicted, 2.0 / 3, 1e-15));
  CHECK_AGREES(close(curve[1].happened, 2.0 / 3, 1e-15));
  CHECK_AGREES(close(m.calibration_error(), (1 * 0.2 + 3 * 0.0) / 4, 1e-14));
}

TEST_CASE("a weight of 3 counts as a row that is there three times, and 0 as none") {
  const auto agree = [](const ProbabilityMetrics& a, const ProbabilityMetrics& b) {
    CHECK_AGREES(close(a.log_loss(), b.log_loss(), 1e-15));
    CHECK_AGREES(close(a.brier_score(), b.brier_score(), 1e-15));
    CHECK_AGREES(close(a.calibration_error(), b.calibration_error(), 1e-15));
    const auto first = a.calibration_curve(), second = b.calibration_curve();
    for (std::size_t i = 0; i < first.size(); ++i) {
      if (second[i].count == 0) continue;
      CHECK_AGREES(close(first[i].predicted, second[i].predicted, 1e-15));
      CHECK_AGREES(close(first[i].happened, second[i].happened, 1e-15));
    }
  };
  ProbabilityMetrics weighted(2), repeated(2), merged(2), rest(2);
  weighted.update(Numbers::of({0.6, 0.9, 0.2}), Numbers::of({0, 1, 0}), Numbers::of({0, 3, 2}));
  rest.update(Numbers::of({0.6, 0.7}), Numbers::of({0, 1}), Numbers::of({1, 2}));
  merged.merge(weighted);
  merged.merge(rest);
  weighted.update(Numbers::of({0.6}), Numbers::of({0}));
  weighted.update(Numbers::of({0.7}), Numbers::of({1}), Numbers::of({2}));
  repeated.update(Numbers::of({0.9, 0.9, 0.9, 0.2, 0.2, 0.6, 0.7, 0.7}),
                  Numbers::of({1, 1, 1, 0, 0, 0, 1, 1}));
  agree(weighted, repeated);
  agree(merged, repeated);
  CHECK_AGREES(close(merged.log_likelihood_error(), weighted.log_likelihood_error(), 1e-14));

  ProbabilityMetrics several, rows;
  const auto p = Numbers::of({{0.7, 0.2, 0.1}, {0.1, 0.3, 0.6}});
  several.update(p, Labels::of({0, 1}), Numbers::of({1, 2}));
  rows.update(gather_rows(p, Labels::of({0, 1, 1})), Labels::of({0, 1, 1}));
  agree(several, rows);
  const Labels labels = Labels::of({0, 1});
  CHECK_AGREES(close(nn::top_k_accuracy(p, labels, 1, Numbers::of({1, 2})), 1.0 / 3, 1e-15));
  CHECK(message_of([&] { several.update(p, labels, Numbers::of({1})); }) ==
        "ProbabilityMetrics: weights must have the shape of the rows, (2,), not (1,)");
  CHECK(message_of([&] {
          nn::top_k_accuracy(p, labels, 1, Numbers::of({1, NAN}));
        }) == "top_k_accuracy: weights must be at least 0 and finite; that at position 1 is nan");
}

TEST_CASE("the standard error is that of rows without weights if all weights are equal") {
  ProbabilityMetrics plain, weighted;
  const auto p = Numbers::of({0.9, 0.2, 0.6}), y = Numbers::of({1, 0, 0});
  plain.update(p, y);
  weighted.update(p, y, Numbers::of({7, 7, 7}));
  CHECK_AGREES(close(weighted.log_likelihood_error(), plain.log_likelihood_error(), 1e-14));
  // By hand for weights 1 and 3: as of 16 / 10 rows.
  ProbabilityMetrics two;
  two.update(Numbers::of({0.5, 0.25}), Numbers::of({1, 1}), Numbers::of({1, 3}));
  const double a = std::log(0.5), b = std::log(0.25), mean = (a + 3 * b) / 4;
  const double variance = ((a - mean) * (a - mean) + 3 * (b - mean) * (b - mean)) / 4;
  CHECK_AGREES(close(two.log_likelihood_error(), std::sqrt(variance / 0.6), 1e-14));
}

TEST_CASE("several classes, by hand") {
  ProbabilityMetrics m;
  m.update(Numbers::of({{0.7, 0.2, 0.1}, {0.1, 0.3, 0.6}}), Labels::of({0, 1}));
  CHECK_AGREES(close(m.log_loss(), -(std::log(0.7) + std::log(0.3)) / 2, 1e-15));
  CHECK_AGREES(close(m.brier_score(), (0.09 + 0.04 + 0.01 + 0.01 + 0.49 + 0.36) / 2, 1e-14));
  // The predicted class counts: 0.7 was right, 0.6 was not.
  CHECK_AGREES(close(m.calibration_error(), (0.3 + 0.6) / 2, 1e-14));
}

TEST_CASE("two classes are as several") {
  ProbabilityMetrics one, both;
  one.update(Numbers::of({0.9, 0.2, 0.6}), Numbers::of({1, 0, 0}));
  both.update(Numbers::of({{0.1, 0.9}, {0.8, 0.2}, {0.4, 0.6}}), Labels::of({1, 0, 0}));
  CHECK_AGREES(close(one.log_loss(), both.log_loss(), 1e-15));
  CHECK_AGREES(close(2 * one.brier_score(), both.brier_score(), 1e-15));
}

TEST_CASE_TEMPLATE("what was said to be impossible costs much, and not infinitely", T, float,
                   double) {
  ProbabilityMetrics m;
  m.update(Array<T>::of({0}), Array<T>::of({1}));
  CHECK(m.log_loss() == -std::log(double(std::numeric_limits<T>::epsilon())));
  CHECK(m.calibration_curve().front().count == 1);
  ProbabilityMetrics sure;
  sure.update(Array<T>::of({1}), Array<T>::of({1}));
  CHECK(sure.log_loss() == 0);
  CHECK(sure.calibration_curve().back().count == 1);  // 1 belongs to the last bin
}

TEST_CASE("batches, and parts that are merged, are as the whole") {
  constexpr std::int64_t n = 500;
  Stream stream(8);
  auto p = Numbers::uninitialized({n}), y = Numbers::uninitialized({n});
  for (std::int64_t i = 0; i < n; ++i) {
    p.mutate()[i] = stream.uniform();
    y.mutate()[i] = stream.uniform() < p[i] ? 1 : 0;
  }
  const auto add = [&](ProbabilityMetrics& m, std::int64_t from, std::int64_t to) {
    m.update(Numbers(Shape{to - from}, std::span(p.data() + from, std::size_t(to - from))),
             Numbers(Shape{to - from}, std::span(y.data() + from, std::size_t(to - from))));
  };
  ProbabilityMetrics whole, first, second, none;
  add(whole, 0, n);
  add(first, 0, 3);
  add(first, 3, 200);
  add(second, 200, n);
  first.merge(none);
  none.merge(first);
  none.merge(second);
  CHECK(none.count() == n);
  CHECK_AGREES(close(none.log_loss(), whole.log_loss(), 1e-13));
  CHECK_AGREES(close(none.log_likelihood_error(), whole.log_likelihood_error(), 1e-12));
  CHECK_AGREES(close(none.brier_score(), whole.brier_score(), 1e-13));
  CHECK_AGREES(close(none.calibration_error(), whole.calibration_error(), 1e-13));
  const auto merged = none.calibration_curve(), expected = whole.calibration_curve();
  for (std::size_t b = 0; b < expected.size(); ++b) CHECK(merged[b].count == expected[b].count);
  // Probabilities that are right are calibrated up to chance: sqrt(p (1 - p) / 50) in each bin.
  CHECK(whole.calibration_error() < 0.08);
  CHECK_THROWS_AS(none.merge(ProbabilityMetrics(3)), ArgumentError);
}

TEST_CASE("the label among the k largest") {
  const auto scores = Numbers::of({{0.5, 0.2, 0.2, 0.1}, {0.3, 0.4, 0.2, 0.1}, {0, 0, 0, 0}});
  const auto labels = Labels::of({0, 2, 1});
  CHECK_AGREES(close(nn::top_k_accuracy(scores, labels, 1), 1.0 / 3, 1e-15));
  CHECK_AGREES(close(nn::top_k_accuracy(scores, labels, 2), 2.0 / 3, 1e-15));
  CHECK(nn::top_k_accuracy(scores, labels, 3) == 1);
  CHECK_THROWS_AS(nn::top_k_accuracy(scores, labels, 0), ArgumentError);
  CHECK_THROWS_AS(nn::top_k_accuracy(scores, Labels::of({0, 4, 0}), 1), ArgumentError);
  CHECK_THROWS_AS(nn::top_k_accuracy(scores, Labels::of({0}), 1), ShapeError);
}

TEST_CASE("what is no probability is refused, and nothing is added") {
  ProbabilityMetrics m;
  CHECK_THROWS_WITH_AS(m.update(Numbers::of({0.5, 1.5}), Numbers::of({0, 1})),
                       "ProbabilityMetrics: probabilities must be in [0, 1]; that at position 1 is "
                       "1.5; sigmoid and softmax make them from logits",
                       ArgumentError);
  CHECK_THROWS_AS(m.update(Numbers::of({0.5}), Numbers::of({0.5})), ArgumentError);
  CHECK_THROWS_AS(m.update(Numbers::of({0.5}), Numbers::of({0, 1})), ShapeError);
  CHECK_THROWS_WITH_AS(m.update(Numbers::of({{0.5, 0.4}}), Labels::of({0})),
                       "ProbabilityMetrics: the probabilities of row 0 add up to 0.9, not to 1",
                       ArgumentError);
  // Rounding is allowed: 2000 times that of one number, for two classes.
  CHECK_THROWS_AS(m.update(Numbers::of({{0.5 + 6e-13, 0.5}}), Labels::of({0})), ArgumentError);
  ProbabilityMetrics rounded;
  rounded.update(Numbers::of({{0.5 + 3e-13, 0.5}}), Labels::of({0}));
  CHECK(rounded.count() == 1);
  CHECK_THROWS_WITH_AS(m.update(Numbers::of({{0.5, 0.5}}), Labels::of({2})),
                       "ProbabilityMetrics: there is no class 2 of 2, at row 0", ArgumentError);
  CHECK(m.count() == 0);
  CHECK(std::isnan(m.log_loss()));
  CHECK(std::isnan(m.calibration_error()));
  CHECK_THROWS_AS(ProbabilityMetrics(0), ArgumentError);
}

}  // TEST_SUITE("probability metrics")
