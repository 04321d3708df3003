// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/metrics/probabilities.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0::nn {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

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
  counts_.resize(std::size_t(bins));
}

void ProbabilityMetrics::add(double likelihood, double brier, double confidence, bool is_right) {
  ++count_;
  const double change = likelihood - mean_;
  mean_ += change / double(count_);
  spread_ += change * (likelihood - mean_);
  brier_ += brier;
  const auto bins = std::int64_t(counts_.size());
  const auto bin = std::size_t(std::min(std::int64_t(confidence * double(bins)), bins - 1));
  predicted_[bin] += confidence;
  happened_[bin] += is_right ? 1 : 0;
  ++counts_[bin];
}

template <Real T>
void ProbabilityMetrics::update(const Operand<T>& probabilities, const Operand<T>& labels) {
  const Array<T> p = values(probabilities, "ProbabilityMetrics");
  const Array<T> y = values(labels, "ProbabilityMetrics");
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
        happened == 1);
  }
}

template <Real T>
void ProbabilityMetrics::update(const Operand<T>& probabilities,
                                const Array<std::int64_t>& labels) {
  const Array<T> p = values(probabilities, "ProbabilityMetrics");
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
    add(log_of<T>(double(row[label])), brier, double(*most), most - row == label);
  }
}
#define EBB_UPDATE(T)                                                                     \
  template EBB_API void ProbabilityMetrics::update(const Operand<T>&, const Operand<T>&); \
  template EBB_API void ProbabilityMetrics::update(const Operand<T>&, const Array<std::int64_t>&);
EBB_UPDATE(float)
EBB_UPDATE(double)
#undef EBB_UPDATE

void ProbabilityMetrics::merge(const ProbabilityMetrics& other) {
  if (other.counts_.size() != counts_.size()) {
    throw ArgumentError("ProbabilityMetrics: one of " + std::to_string(counts_.size()) +
                        " bins and one of " + std::to_string(other.counts_.size()) +
                        " cannot be merged");
  }
  if (other.count_ == 0) return;
  const double mine = double(count_), theirs = double(other.count_), all = mine + theirs;
  const double change = other.mean_ - mean_;
  mean_ += theirs / all * change;
  spread_ += other.spread_ + mine * theirs / all * change * change;
  count_ += other.count_;
  brier_ += other.brier_;
  for (std::size_t b = 0; b < counts_.size(); ++b) {
    predicted_[b] += other.predicted_[b];
    happened_[b] += other.happened_[b];
    counts_[b] += other.counts_[b];
  }
}

double ProbabilityMetrics::log_likelihood() const { return count_ > 0 ? mean_ : nan; }
double ProbabilityMetrics::log_likelihood_error() const {
  const double n = double(count_);
  return count_ > 1 ? std::sqrt(spread_ / (n - 1) / n) : nan;
}
double ProbabilityMetrics::brier_score() const { return brier_ / double(count_); }

double ProbabilityMetrics::calibration_error() const {
  double sum = 0;
  for (std::size_t b = 0; b < counts_.size(); ++b) sum += std::abs(predicted_[b] - happened_[b]);
  return sum / double(count_);
}

std::vector<CalibrationBin> ProbabilityMetrics::calibration_curve() const {
  std::vector<CalibrationBin> curve;
  for (std::size_t b = 0; b < counts_.size(); ++b) {
    const double n = double(counts_[b]);
    curve.push_back({predicted_[b] / n, happened_[b] / n, counts_[b]});
  }
  return curve;
}

template <Real T>
double top_k_accuracy(const Operand<T>& scores, const Array<std::int64_t>& labels, std::int64_t k) {
  if (k < 1) throw ArgumentError("top_k_accuracy: k must be at least 1, not " + std::to_string(k));
  const Array<T> s = values(scores, "top_k_accuracy");
  check_classes("top_k_accuracy", s.shape(), labels);
  const std::int64_t n = s.shape()[0], classes = s.shape()[1];
  std::int64_t right = 0;
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
    right += before < k ? 1 : 0;
  }
  return double(right) / double(n);
}
EBB_FOR_REALS(top_k_accuracy)

}  // namespace ebb::inline v0::nn
