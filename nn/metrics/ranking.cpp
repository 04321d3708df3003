// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/metrics/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0::nn {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

template <Real T>
void RankingMetrics::update(const Operand<T>& scores, const Operand<T>& labels) {
  using ebb::detail::Access;
  const Array<T> s = Access::as_tensor(scores, "RankingMetrics").array();
  const Array<T> y = Access::as_tensor(labels, "RankingMetrics").array();
  if (!(s.shape() == y.shape())) {
    throw ShapeError("RankingMetrics: the shapes of scores and labels must be equal, not " +
                     to_string(s.shape()) + " and " + to_string(y.shape()));
  }
  for (std::int64_t i = 0; i < s.size(); ++i) {
    if (std::isnan(s.data()[i]))
      throw ArgumentError("RankingMetrics: the score at position " + std::to_string(i) + " is NaN");
    if (y.data()[i] != 0 && y.data()[i] != 1) {
      throw ArgumentError("RankingMetrics: labels must be 0 or 1; that at position " +
                          std::to_string(i) + " is " + ebb::detail::to_text(double(y.data()[i])));
    }
  }
  for (std::int64_t i = 0; i < s.size(); ++i) {
    scores_.push_back(double(s.data()[i]));
    labels_.push_back(y.data()[i] == 1);
    positives_ += y.data()[i] == 1 ? 1 : 0;
  }
}
template EBB_API void RankingMetrics::update(const Operand<float>&, const Operand<float>&);
template EBB_API void RankingMetrics::update(const Operand<double>&, const Operand<double>&);

void RankingMetrics::merge(const RankingMetrics& other) {
  scores_.insert(scores_.end(), other.scores_.begin(), other.scores_.end());
  labels_.insert(labels_.end(), other.labels_.begin(), other.labels_.end());
  positives_ += other.positives_;
}

/// f(threshold, positives and negatives with at least that score), for each score from the largest
/// down.
template <class F>
void RankingMetrics::for_each_threshold(const F& f) const {
  std::vector<std::pair<double, bool>> rows(scores_.size());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = {scores_[i], labels_[i]};
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  double positives = 0, negatives = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    (rows[i].second ? positives : negatives) += 1;
    if (i + 1 == rows.size() || rows[i + 1].first != rows[i].first)
      f(rows[i].first, positives, negatives);
  }
}

RocCurve RankingMetrics::roc_curve() const {
  const double all = double(positives_), others = double(count() - positives_);
  const auto rate = [](double part, double whole) { return whole > 0 ? part / whole : nan; };
  RocCurve curve{{rate(0, others)}, {rate(0, all)}, {infinity}};
  for_each_threshold([&](double threshold, double positives, double negatives) {
    curve.false_positive_rate.push_back(rate(negatives, others));
    curve.true_positive_rate.push_back(rate(positives, all));
    curve.thresholds.push_back(threshold);
  });
  return curve;
}

double RankingMetrics::auc() const {
  const double all = double(positives_), others = double(count() - positives_);
  if (all == 0 || others == 0) return nan;
  double area = 0, before_positives = 0, before_negatives = 0;
  for_each_threshold([&](double, double positives, double negatives) {
    area += (negatives - before_negatives) * (positives + before_positives) / 2;
    before_positives = positives;
    before_negatives = negatives;
  });
  return area / (all * others);
}

PrecisionRecallCurve RankingMetrics::precision_recall_curve() const {
  const double all = double(positives_);
  const auto recall = [&](double positives) { return all > 0 ? positives / all : nan; };
  PrecisionRecallCurve curve{{1}, {recall(0)}, {infinity}};
  for_each_threshold([&](double threshold, double positives, double negatives) {
    curve.precision.push_back(positives / (positives + negatives));
    curve.recall.push_back(recall(positives));
    curve.thresholds.push_back(threshold);
  });
  return curve;
}

double RankingMetrics::average_precision() const {
  if (positives_ == 0) return nan;
  double sum = 0, before = 0;
  for_each_threshold([&](double, double positives, double negatives) {
    sum += (positives - before) * positives / (positives + negatives);
    before = positives;
  });
  return sum / double(positives_);
}

template <Real T>
double one_vs_rest_auc(const Operand<T>& scores, const Array<std::int64_t>& labels) {
  const Array<T> s = ebb::detail::Access::as_tensor(scores, "one_vs_rest_auc").array();
  const Shape& shape = s.shape();
  if (shape.rank() != 2 || !(labels.shape() == Shape{shape[0]})) {
    throw ShapeError("one_vs_rest_auc: scores must be (n, classes) and labels (n,), not " +
                     to_string(shape) + " and " + to_string(labels.shape()));
  }
  const std::int64_t n = shape[0], classes = shape[1];
  for (std::int64_t i = 0; i < n; ++i) {
    if (labels.data()[i] < 0 || labels.data()[i] >= classes) {
      throw ArgumentError("one_vs_rest_auc: there is no class " + std::to_string(labels.data()[i]) +
                          " of " + std::to_string(classes) + ", at row " + std::to_string(i));
    }
  }
  double sum = 0, seen = 0;
  for (std::int64_t k = 0; k < classes; ++k) {
    auto column = Array<T>::uninitialized({n}), is_class = Array<T>::uninitialized({n});
    for (std::int64_t i = 0; i < n; ++i) {
      column.mutate()[i] = s.data()[i * classes + k];
      is_class.mutate()[i] = labels.data()[i] == k ? 1 : 0;
    }
    RankingMetrics ranking;
    ranking.update(column, is_class);
    const double area = ranking.auc();
    if (std::isnan(area)) continue;
    sum += area;
    seen += 1;
  }
  return seen > 0 ? sum / seen : nan;
}
EBB_FOR_REALS(one_vs_rest_auc)

}  // namespace ebb::inline v0::nn
