// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/metrics/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>

#include "ebb/autodiff/values/instances.hpp"
#include "ebb/nn/metrics/row_weights.hpp"

namespace ebb::inline v0::nn {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

void RankingMetrics::Rows::add(double score) {
  scores.push_back(score);
  if (!weights.empty()) weights.push_back(1);
  ++total;
}
void RankingMetrics::Rows::add(double score, double weight) {
  if (weight == 0) return;
  weights.resize(scores.size(), 1);
  scores.push_back(score);
  weights.push_back(weight);
  total += weight;
}
void RankingMetrics::Rows::merge(const Rows& other) {
  if (!weights.empty() || !other.weights.empty()) {
    weights.resize(scores.size(), 1);
    weights.insert(weights.end(), other.weights.begin(), other.weights.end());
    weights.resize(scores.size() + other.scores.size(), 1);
  }
  scores.insert(scores.end(), other.scores.begin(), other.scores.end());
  total += other.total;
}
RankingMetrics::Rows RankingMetrics::Rows::sorted() const {
  Rows rows = *this;
  if (weights.empty()) {
    std::sort(rows.scores.begin(), rows.scores.end(), std::greater<>());
    return rows;
  }
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    rows.scores[i] = scores[order[i]];
    rows.weights[i] = weights[order[i]];
  }
  return rows;
}

template <Real T>
void RankingMetrics::add_all(const Operand<T>& scores, const Operand<T>& labels,
                             const Operand<T>* weights) {
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
  const Array<T> w =
      weights ? detail::row_weights("RankingMetrics", *weights, s.shape()) : Array<T>();
  for (std::int64_t i = 0; i < s.size(); ++i) {
    Rows& rows = y.data()[i] == 1 ? positives_ : negatives_;
    const double score = double(s.data()[i]);
    weights ? rows.add(score, double(w.data()[i])) : rows.add(score);
  }
}
template <Real T>
void RankingMetrics::update(const Operand<T>& scores, const Operand<T>& labels) {
  add_all(scores, labels, static_cast<const Operand<T>*>(nullptr));
}
template <Real T>
void RankingMetrics::update(const Operand<T>& scores, const Operand<T>& labels,
                            const Operand<T>& weights) {
  add_all(scores, labels, &weights);
}
#define EBB_UPDATE(T)                                                                 \
  template EBB_API void RankingMetrics::update(const Operand<T>&, const Operand<T>&); \
  template EBB_API void RankingMetrics::update(const Operand<T>&, const Operand<T>&,  \
                                               const Operand<T>&);
EBB_UPDATE(float)
EBB_UPDATE(double)
#undef EBB_UPDATE

void RankingMetrics::merge(const RankingMetrics& other) {
  positives_.merge(other.positives_);
  negatives_.merge(other.negatives_);
}

/// f(threshold, positives and negatives with at least that score), for each score from the largest
/// down. Sorting each class by itself moves half of the memory that pairs take.
template <class F>
void RankingMetrics::for_each_threshold(const F& f) const {
  const Rows sorted[] = {positives_.sorted(), negatives_.sorted()};
  std::size_t at[] = {0, 0};
  double passed[] = {0, 0};
  const auto is_left = [&](int k) { return at[k] < sorted[k].scores.size(); };
  while (is_left(0) || is_left(1)) {
    const int next =
        !is_left(1) || (is_left(0) && sorted[0].scores[at[0]] >= sorted[1].scores[at[1]]) ? 0 : 1;
    const double threshold = sorted[next].scores[at[next]];
    for (const int k : {0, 1}) {
      for (; is_left(k) && sorted[k].scores[at[k]] == threshold; ++at[k])
        passed[k] += sorted[k].weights.empty() ? 1 : sorted[k].weights[at[k]];
    }
    f(threshold, passed[0], passed[1]);
  }
}

RocCurve RankingMetrics::roc_curve() const {
  const double all = positives_.total, others = negatives_.total;
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
  const double all = positives_.total, others = negatives_.total;
  double area = 0, before_positives = 0, before_negatives = 0;
  for_each_threshold([&](double, double positives, double negatives) {
    area += (negatives - before_negatives) * (positives + before_positives) / 2;
    before_positives = positives;
    before_negatives = negatives;
  });
  return area / (all * others);
}

PrecisionRecallCurve RankingMetrics::precision_recall_curve() const {
  const double all = positives_.total;
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
  double sum = 0, before = 0;
  for_each_threshold([&](double, double positives, double negatives) {
    sum += (positives - before) * positives / (positives + negatives);
    before = positives;
  });
  return sum / positives_.total;
}

namespace {

template <Real T>
double mean_area(const Operand<T>& scores, const Array<std::int64_t>& labels,
                 const Operand<T>* weights) {
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
    if (weights) {
      ranking.update(column, is_class, *weights);
    } else {
      ranking.update(column, is_class);
    }
    const double area = ranking.auc();
    if (std::isnan(area)) continue;
    sum += area;
    seen += 1;
  }
  return seen > 0 ? sum / seen : nan;
}

}  // namespace

template <Real T>
double one_vs_rest_auc(const Operand<T>& scores, const Array<std::int64_t>& labels) {
  return mean_area<T>(scores, labels, nullptr);
}
EBB_OVERLOAD_FOR_REALS(one_vs_rest_auc, double(const Operand<T>&, const Array<std::int64_t>&))

template <Real T>
double one_vs_rest_auc(const Operand<T>& scores, const Array<std::int64_t>& labels,
                       const Operand<T>& weights) {
  return mean_area<T>(scores, labels, &weights);
}
EBB_OVERLOAD_FOR_REALS(one_vs_rest_auc,
                       double(const Operand<T>&, const Array<std::int64_t>&, const Operand<T>&))

}  // namespace ebb::inline v0::nn
