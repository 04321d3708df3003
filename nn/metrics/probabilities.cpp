// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/metrics/probabilities.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "ebb/autodiff/values/instances.hpp"
#include "ebb/nn/metrics/row_weights.hpp"

namespace ebb::inline v0::nn {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr const char* metric = "ProbabilityMetrics";

template <class T>
Array<T> values(const Operand<T>& x, const char* who) {
  return ebb::detail::Access::as_tensor(x, who).array();
}

void check_classes(const char* who, const Shape& scores, const Array<std::int64_t>& labels) {
  if (scores.rank() != 2 || !(labels.shape() == Shape{scores[0]})) {
    throw ShapeError(std::string(who) + ": there must be (n, classes) and labels (n,), not " +
                     to_string(scores) + " and " + to_string(labels.shape()));
  }
  for (std::int64_t i = 0; i < labels.size(); ++i) {
    if (labels.data()[i] < 0 || labels.data()[i] >= scores[1]) {
      throw ArgumentError(std::string(who) + ": there is no class " +
                          std::to_string(labels.data()[i]) + " of " + std::to_string(scores[1]) +
                          ", at row " + std::to_string(i));
    }
  }
}

/// @throws ArgumentError for what is no probability.
template <class T>
void check_probabilities(const Array<T>& p) {
  for (std::int64_t i = 0; i < p.size(); ++i) {
    if (!(p.data()[i] >= 0 && p.data()[i] <= 1)) {
      throw ArgumentError("ProbabilityMetrics: probabilities must be in [0, 1]; that at position " +
                          std::to_string(i) + " is " + ebb::detail::to_text(double(p.data()[i])) +
                          "; sigmoid and softmax make them from logits");
    }
  }
}

/// The logarithm, of what is not below the distance of 1 from its neighbour.
template <class T>
double log_of(double p) {
  return std::log(std::max(p, double(std::numeric_limits<T>::epsilon())));
}

}  // namespace

ProbabilityMetrics::ProbabilityMetrics(std::int64_t bins) {
  if (bins < 1) {
    throw ArgumentError("ProbabilityMetrics: there must be at least 1 bin, not " +
                        std::to_string(bins));
  }
  predicted_.resize(std::size_t(bins));
  happened_.resize(std::size_t(bins));
  weights_.resize(std::size_t(bins));
  counts_.resize(std::size_t(bins));
}

void ProbabilityMetrics::add(double likelihood, double brier, double confidence, bool is_right,
                             double weight) {
  ++count_;
  const auto bins = std::int64_t(counts_.size());
  const auto bin = std::size_t(std::min(std::int64_t(confidence * double(bins)), bins - 1));
  ++counts_[bin];
  if (weight == 0) return;
  weight_ += weight;
  weight_squares_ += weight * weight;
  const double change = likelihood - mean_;
  mean_ += weight / weight_ * change;
  spread_ += weight * change * (likelihood - mean_);
  brier_ += weight * brier;
  predicted_[bin] += weight * confidence;
  happened_[bin] += is_right ? weight : 0;
  weights_[bin] += weight;
}

template <Real T>
void ProbabilityMetrics::add_all(const Array<T>& p, const Array<T>& y, const T* weights) {
  if (!(p.shape() == y.shape())) {
    throw ShapeError(
        "ProbabilityMetrics: the shapes of probabilities and labels must be equal, not " +
        to_string(p.shape()) + " and " + to_string(y.shape()));
  }
  check_probabilities(p);
  for (std::int64_t i = 0; i < y.size(); ++i) {
    if (y.data()[i] != 0 && y.data()[i] != 1) {
      throw ArgumentError("ProbabilityMetrics: labels must be 0 or 1; that at position " +
                          std::to_string(i) + " is " + ebb::detail::to_text(double(y.data()[i])));
    }
  }
  for (std::int64_t i = 0; i < p.size(); ++i) {
    const double yes = double(p.data()[i]), happened = double(y.data()[i]);
    add(log_of<T>(happened == 1 ? yes : 1 - yes), (yes - happened) * (yes - happened), yes,
        happened == 1, weights ? double(weights[i]) : 1);
  }
}

template <Real T>
void ProbabilityMetrics::add_all(const Array<T>& p, const Array<std::int64_t>& labels,
                                 const T* weights) {
  check_classes("ProbabilityMetrics", p.shape(), labels);
  check_probabilities(p);
  const std::int64_t n = p.shape()[0], classes = p.shape()[1];
  // Rounding of softmax, with some room.
  const double near = 1e3 * double(classes) * double(std::numeric_limits<T>::epsilon());
  for (std::int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (std::int64_t k = 0; k < classes; ++k) sum += double(p.data()[i * classes + k]);
    if (!(std::abs(sum - 1) <= near)) {
      throw ArgumentError("ProbabilityMetrics: the probabilities of row " + std::to_string(i) +
                          " add up to " + ebb::detail::to_text(sum) + ", not to 1");
    }
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const T* const row = p.data() + i * classes;
    const std::int64_t label = labels.data()[i];
    double brier = 0;
    for (std::int64_t k = 0; k < classes; ++k) {
      const double error = double(row[k]) - (k == label ? 1 : 0);
      brier += error * error;
    }
    const T* const most = std::max_element(row, row + classes);
    add(log_of<T>(double(row[label])), brier, double(*most), most - row == label,
        weights ? double(weights[i]) : 1);
  }
}

template <Real T>
void ProbabilityMetrics::update(const Operand<T>& probabilities, const Operand<T>& labels) {
  add_all<T>(values(probabilities, metric), values(labels, metric), nullptr);
}
template <Real T>
void ProbabilityMetrics::update(const Operand<T>& probabilities, const Operand<T>& labels,
                                const Operand<T>& weights) {
  const Array<T> y = values(labels, metric);
  const Array<T> w = detail::row_weights(metric, weights, y.shape());
  add_all<T>(values(probabilities, metric), y, w.data());
}
template <Real T>
void ProbabilityMetrics::update(const Operand<T>& probabilities,
                                const Array<std::int64_t>& labels) {
  add_all<T>(values(probabilities, metric), labels, nullptr);
}
template <Real T>
void ProbabilityMetrics::update(const Operand<T>& probabilities, const Array<std::int64_t>& labels,
                                const Operand<T>& weights) {
  const Array<T> w = detail::row_weights(metric, weights, labels.shape());
  add_all<T>(values(probabilities, metric), labels, w.data());
}
#define EBB_UPDATE(T)                                                                              \
  template EBB_API void ProbabilityMetrics::update(const Operand<T>&, const Operand<T>&);          \
  template EBB_API void ProbabilityMetrics::update(const Operand<T>&, const Operand<T>&,           \
                                                   const Operand<T>&);                             \
  template EBB_API void ProbabilityMetrics::update(const Operand<T>&, const Array<std::int64_t>&); \
  template EBB_API void ProbabilityMetrics::update(const Operand<T>&, const Array<std::int64_t>&,  \
                                                   const Operand<T>&);
EBB_UPDATE(float)
EBB_UPDATE(double)
#undef EBB_UPDATE

void ProbabilityMetrics::merge(const ProbabilityMetrics& other) {
  if (other.counts_.size() != counts_.size()) {
    throw ArgumentError("ProbabilityMetrics: one of " + std::to_string(counts_.size()) +
                        " bins and one of " + std::to_string(other.counts_.size()) +
                        " cannot be merged");
  }
  count_ += other.count_;
  for (std::size_t b = 0; b < counts_.size(); ++b) {
    predicted_[b] += other.predicted_[b];
    happened_[b] += other.happened_[b];
    weights_[b] += other.weights_[b];
    counts_[b] += other.counts_[b];
  }
  if (other.weight_ == 0) return;
  const double all = weight_ + other.weight_, change = other.mean_ - mean_;
  mean_ += other.weight_ / all * change;
  spread_ += other.spread_ + weight_ * other.weight_ / all * change * change;
  weight_ = all;
  weight_squares_ += other.weight_squares_;
  brier_ += other.brier_;
}

double ProbabilityMetrics::log_likelihood() const { return weight_ > 0 ? mean_ : nan; }
double ProbabilityMetrics::log_likelihood_error() const {
  // As many rows of equal weights would have this sum of weights and of their squares.
  const double n = weight_ * weight_ / weight_squares_;
  return n > 1 ? std::sqrt(spread_ / weight_ / (n - 1)) : nan;
}
double ProbabilityMetrics::brier_score() const { return brier_ / weight_; }

double ProbabilityMetrics::calibration_error() const {
  double sum = 0;
  for (std::size_t b = 0; b < counts_.size(); ++b) sum += std::abs(predicted_[b] - happened_[b]);
  return sum / weight_;
}

std::vector<CalibrationBin> ProbabilityMetrics::calibration_curve() const {
  std::vector<CalibrationBin> curve;
  for (std::size_t b = 0; b < counts_.size(); ++b) {
    curve.push_back({predicted_[b] / weights_[b], happened_[b] / weights_[b], counts_[b]});
  }
  return curve;
}

namespace {

template <class T>
double top_k(const Array<T>& s, const Array<std::int64_t>& labels, std::int64_t k,
             const T* weights) {
  if (k < 1) throw ArgumentError("top_k_accuracy: k must be at least 1, not " + std::to_string(k));
  check_classes("top_k_accuracy", s.shape(), labels);
  const std::int64_t n = s.shape()[0], classes = s.shape()[1];
  double right = 0, all = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const T* const row = s.data() + i * classes;
    const std::int64_t label = labels.data()[i];
    std::int64_t before = 0;
    for (std::int64_t j = 0; j < classes; ++j) {
      if (std::isnan(row[j]))
        throw ArgumentError("top_k_accuracy: row " + std::to_string(i) +
                            " has a score that is NaN");
      before += row[j] > row[label] || (row[j] == row[label] && j < label) ? 1 : 0;
    }
    const double weight = weights ? double(weights[i]) : 1;
    all += weight;
    right += before < k ? weight : 0;
  }
  return right / all;
}

}  // namespace

template <Real T>
double top_k_accuracy(const Operand<T>& scores, const Array<std::int64_t>& labels, std::int64_t k) {
  return top_k<T>(values(scores, "top_k_accuracy"), labels, k, nullptr);
}
EBB_OVERLOAD_FOR_REALS(top_k_accuracy,
                       double(const Operand<T>&, const Array<std::int64_t>&, std::int64_t))
template <Real T>
double top_k_accuracy(const Operand<T>& scores, const Array<std::int64_t>& labels, std::int64_t k,
                      const Operand<T>& weights) {
  const Array<T> w = detail::row_weights("top_k_accuracy", weights, labels.shape());
  return top_k<T>(values(scores, "top_k_accuracy"), labels, k, w.data());
}
EBB_OVERLOAD_FOR_REALS(top_k_accuracy, double(const Operand<T>&, const Array<std::int64_t>&,
                                              std::int64_t, const Operand<T>&))

}  // namespace ebb::inline v0::nn
