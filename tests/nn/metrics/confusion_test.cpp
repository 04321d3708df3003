// SPDX-License-Identifier: BSD-3-Clause
// The confusion matrix, and what follows from it.
#include "ebb/nn/metrics/confusion.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/optim/snapshot.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using ebb::test::close, ebb::test::message_of;
using nn::Average, nn::ConfusionMatrix;
using Labels = Array<std::int64_t>;

namespace {

/// Class 0: 2 of 3 right, one as 1. Class 1: 1 of 2, one as 2. Class 2: 3 of 4, one as 0.
ConfusionMatrix three() {
  ConfusionMatrix m(3);
  m.update(Labels::of({0, 0, 1, 1, 2, 2, 2, 2, 0}), Labels::of({0, 0, 0, 1, 1, 2, 2, 2, 2}));
  return m;
}
/// 6 true positives, 3 true negatives, 1 false positive, 2 false negatives.
ConfusionMatrix two() {
  ConfusionMatrix m(2);
  m.update(Labels::of({1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0}),
           Labels::of({1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1}));
  return m;
}

}  // namespace

TEST_SUITE("confusion matrix") {

TEST_CASE("counts true classes by rows and predicted ones by columns") {
  const Labels counts = three().counts();
  CHECK(counts.shape() == Shape{3, 3});
  const std::vector<std::int64_t> expected = {2, 1, 0, 0, 1, 1, 1, 0, 3};
  CHECK(std::vector<std::int64_t>(counts.begin(), counts.end()) == expected);
  CHECK(three().count() == 9);
}

TEST_CASE("a weight of 3 counts as a row that is there three times, and 0 as none") {
  ConfusionMatrix weighted(3), repeated(3), merged(3);
  weighted.update(Labels::of({0, 1, 2}), Labels::of({0, 0, 2}), Array<double>::of({3, 1, 0}));
  weighted.update(Labels::of({2, 1}), Labels::of({1, 1}), Array<float>::of({2, 4}));
  repeated.update(Labels::of({0, 0, 0, 1, 2, 2, 1, 1, 1, 1}),
                  Labels::of({0, 0, 0, 0, 1, 1, 1, 1, 1, 1}));
  merged.merge(weighted);
  for (const ConfusionMatrix* m : {&weighted, &merged}) {
    CHECK(m->count() == 5);
    CHECK(equal(m->weights(), repeated.weights()));
    CHECK(m->accuracy() == repeated.accuracy());
    CHECK(m->specificity(1) == repeated.specificity(1));
    CHECK(m->f1(Average::macro) == repeated.f1(Average::macro));
    CHECK(m->precision(Average::weighted) == repeated.precision(Average::weighted));
    CHECK(m->kappa() == repeated.kappa());
    CHECK(m->matthews() == repeated.matthews());
    CHECK(m->report() == repeated.report());
  }
  CHECK(message_of([&] {
          weighted.update(Labels::of({0}), Labels::of({1}), Array<double>::of({1, 1}));
        }) == "ConfusionMatrix: weights must have the shape of the rows, (1,), not (2,)");
  CHECK(message_of([&] {
          weighted.update(Labels::of({0}), Labels::of({1}), Array<double>::of({INFINITY}));
        }) == "ConfusionMatrix: weights must be at least 0 and finite; that at position 0 is inf");
  CHECK(weighted.count() == 5);
}

TEST_CASE("counts and weights are its state") {
  ConfusionMatrix m = three();
  m.update(Labels::of({0}), Labels::of({1}), Array<double>::of({2.5}));
  const ebb::test::Folder folder;
  optim::save_snapshot(folder.path("metrics"), {{"confusion", m}});
  ConfusionMatrix again(3);
  optim::load_snapshot(folder.path("metrics"), {{"confusion", again}});
  CHECK(equal(again.counts(), m.counts()));
  CHECK(equal(again.weights(), m.weights()));
  CHECK(again.count() == 10);
  CHECK(again.weights()[3] == 2.5);  // of class 1, taken for class 0
}

TEST_CASE("two classes, by hand") {
  const ConfusionMatrix m = two();
  CHECK_AGREES(close(m.accuracy(), 9.0 / 12, 1e-15));
  CHECK_AGREES(close(m.precision(Average::binary), 6.0 / 7, 1e-15));
  CHECK_AGREES(close(m.recall(Average::binary), 6.0 / 8, 1e-15));
  CHECK_AGREES(close(m.specificity(1), 3.0 / 4, 1e-15));
  CHECK_AGREES(close(m.f1(Average::binary), 2 * 6.0 / (2 * 6 + 1 + 2), 1e-15));
  CHECK_AGREES(close(m.f_beta(1, 2), 5 * 6.0 / (5 * 6 + 4 * 2 + 1), 1e-15));
  CHECK_AGREES(close(m.balanced_accuracy(), (6.0 / 8 + 3.0 / 4) / 2, 1e-15));
  CHECK_AGREES(close(m.matthews(), (6.0 * 3 - 1 * 2) / std::sqrt(7.0 * 8 * 4 * 5), 1e-14));
  // Agreement by chance: (8 7 + 4 5) / 144.
  const double chance = (8.0 * 7 + 4.0 * 5) / 144;
  CHECK_AGREES(close(m.kappa(), (0.75 - chance) / (1 - chance), 1e-14));
}

TEST_CASE("several classes, by hand, and their averages") {
  const ConfusionMatrix m = three();
  const double precision[] = {2.0 / 3, 1.0 / 2, 3.0 / 4}, recall[] = {2.0 / 3, 1.0 / 2, 3.0 / 4};
  for (std::int64_t k = 0; k < 3; ++k) {
    CHECK_AGREES(close(m.precision(k), precision[k], 1e-15));
    CHECK_AGREES(close(m.recall(k), recall[k], 1e-15));
    CHECK_AGREES(close(m.f1(k), recall[k], 1e-15));  // both are equal here
  }
  CHECK_AGREES(close(m.specificity(0), 5.0 / 6, 1e-15));
  CHECK_AGREES(close(m.precision(Average::macro), (2.0 / 3 + 0.5 + 0.75) / 3, 1e-15));
  CHECK_AGREES(close(m.recall(Average::weighted), (2.0 + 1 + 3) / 9, 1e-15));
  CHECK_AGREES(
      close(m.precision(Average::weighted), (3 * 2.0 / 3 + 2 * 0.5 + 4 * 0.75) / 9, 1e-15));
  CHECK(m.f1(Average::micro) == m.accuracy());
  // Rows and columns have 3, 2, 4: sums of products 29.
  CHECK_AGREES(close(m.kappa(), (6.0 / 9 - 29.0 / 81) / (1 - 29.0 / 81), 1e-14));
  CHECK_AGREES(close(m.matthews(), (6.0 * 9 - 29) / (81 - 29), 1e-14));
}

TEST_CASE("classes that do not occur") {
  ConfusionMatrix m(4);
  m.update(Labels::of({0, 0, 1}), Labels::of({0, 1, 1}));
  CHECK(m.precision(3) == 0);
  CHECK(m.recall(3) == 0);
  CHECK(m.f1(3) == 0);
  CHECK(m.specificity(3) == 1);
  CHECK_AGREES(close(m.recall(Average::macro), 0.75, 1e-15));  // of two
  CHECK_AGREES(close(m.balanced_accuracy(), 0.75, 1e-15));
  // A class that is predicted, though it never occurs, counts in the mean of precisions.
  m.update(Labels::of({2}), Labels::of({0}));
  CHECK_AGREES(close(m.precision(Average::macro), (0.5 + 1 + 0) / 3, 1e-15));
  CHECK_AGREES(close(m.balanced_accuracy(), (0.5 + 0.5) / 2, 1e-15));
  // As does one that occurs, though it is never predicted.
  ConfusionMatrix missed(3);
  missed.update(Labels::of({0, 0}), Labels::of({0, 1}));
  CHECK(missed.precision(Average::macro) == 0.25);
  ConfusionMatrix one(2);
  one.update(Labels::of({1, 1}), Labels::of({1, 1}));
  CHECK(one.matthews() == 0);
  CHECK(one.specificity(1) == 0);
  const ConfusionMatrix none(2);
  for (const double x : {none.accuracy(), none.balanced_accuracy(), none.precision(0), none.kappa(),
                         none.matthews(), none.f1(Average::macro)}) {
    CHECK(std::isnan(x));
  }
}

TEST_CASE("parts are merged") {
  ConfusionMatrix a(3), b(3);
  a.update(Labels::of({0, 0, 1}), Labels::of({0, 0, 0}));
  b.update(Labels::of({1, 2, 2, 2, 2, 0}), Labels::of({1, 1, 2, 2, 2, 2}));
  a.merge(b);
  CHECK(a.report() == three().report());
  CHECK_THROWS_AS(a.merge(ConfusionMatrix(2)), ArgumentError);
}

TEST_CASE("the report is a table") {
  CHECK(three().report({"setosa", "versicolor", "virginica"}) ==
        "              precision     recall         f1      count\n"
        "      setosa     0.6667     0.6667     0.6667          3\n"
        "  versicolor     0.5000     0.5000     0.5000          2\n"
        "   virginica     0.7500     0.7500     0.7500          4\n"
        "       macro     0.6389     0.6389     0.6389          9\n"
        "    weighted     0.6667     0.6667     0.6667          9\n"
        "    accuracy                           0.6667          9\n");
  CHECK_THROWS_AS(three().report({"a"}), ArgumentError);
}

TEST_CASE("labels from logits") {
  using Numbers = Array<float>;
  const auto list = [](const Labels& labels) {
    return std::vector<std::int64_t>(labels.begin(), labels.end());
  };
  CHECK(list(nn::predicted_labels(Numbers::of({{1, 3, 2}, {5, 5, 0}}))) ==
        std::vector<std::int64_t>{1, 0});
  CHECK(list(nn::predicted_labels(Numbers::of({-1, 0, 0.5}))) ==
        std::vector<std::int64_t>{0, 0, 1});
  CHECK(list(nn::predicted_labels(Tensor<float>(Numbers::of({{0.25}, {0.75}})), 0.5)) ==
        std::vector<std::int64_t>{0, 1});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(nn::predicted_labels(Numbers::of({{1, 2}, {nan, 0}})),
                       "predicted_labels: row 1 has a logit that is NaN", ArgumentError);
  CHECK_THROWS_AS(nn::predicted_labels(Numbers::zeros({2, 2, 2})), ShapeError);
  CHECK_THROWS_AS(nn::predicted_labels(Numbers::zeros({2, 0})), ShapeError);
}

TEST_CASE("wrong labels are refused, and nothing is counted") {
  ConfusionMatrix m(2);
  CHECK_THROWS_WITH_AS(m.update(Labels::of({0, 1}), Labels::of({0, 2})),
                       "ConfusionMatrix: there is no class 2 of 2", ArgumentError);
  CHECK_THROWS_AS(m.update(Labels::of({-1}), Labels::of({0})), ArgumentError);
  CHECK_THROWS_AS(m.update(Labels::of({0}), Labels::of({0, 1})), ShapeError);
  CHECK(m.count() == 0);
  CHECK_THROWS_AS(m.recall(2), ArgumentError);
  CHECK_THROWS_AS(ConfusionMatrix(1), ArgumentError);
  CHECK_THROWS_WITH_AS(ConfusionMatrix(3).f1(Average::binary),
                       "ConfusionMatrix: Average::binary is for two classes, and there are 3; take "
                       "macro, weighted or micro",
                       ArgumentError);
}

}  // TEST_SUITE("confusion matrix")
