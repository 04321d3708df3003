// SPDX-License-Identifier: BSD-3-Clause
// How good predicted probabilities are, over a whole set:
//
//   nn::ProbabilityMetrics metrics;
//   for (const auto& [x, y] : loader) metrics.update(sigmoid(model(x)), y);
//   std::cout << metrics.log_loss() << " " << metrics.calibration_error() << "\n";
#pragma once
#include <cstdint>
#include <vector>

#include "ebb/autodiff/values/array.hpp"

namespace ebb::inline v0::nn {

/// The rows of one bin of predicted probabilities.
struct CalibrationBin {
  double predicted = 0;    ///< their mean probability
  double happened = 0;     ///< how often it was right
  std::int64_t count = 0;  ///< rows; the two others are NaN without one
};

/// What batches of probabilities and outcomes add up to. The results are those of all rows at once,
/// up to rounding, and parts that threads have gathered can be merged. Without a row every number
/// is NaN.
///
/// Of two classes a row has the probability of class 1; of several, one for each class. For
/// calibration, a row of two classes counts by the probability of class 1, and one of several by
/// that of the class that it predicts (Guo et al. 2017). With weights, which have the shape of the
/// labels, one of 3 counts as three rows; all are at least 0 and finite.
class EBB_API ProbabilityMetrics {
 public:
  /// Bins of equal width for the calibration. @throws ArgumentError for less than one.
  explicit ProbabilityMetrics(std::int64_t bins = 10);

  /// Adds probabilities of class 1, and labels 0 or 1, of one shape.
  /// @throws ShapeError for shapes that differ; ArgumentError for what is no probability, and for
  /// other labels. Nothing is added then.
  template <Real T>
  void update(const Operand<T>& probabilities, const Operand<T>& labels);
  template <Real T>
  void update(const Operand<T>& probabilities, const Operand<T>& labels, const Operand<T>& weights);
  /// Adds probabilities (n, classes), whose rows add up to 1, and labels (n,).
  template <Real T>
  void update(const Operand<T>& probabilities, const Array<std::int64_t>& labels);
  template <Real T>
  void update(const Operand<T>& probabilities, const Array<std::int64_t>& labels,
              const Operand<T>& weights);
  /// @throws ArgumentError for another number of bins.
  void merge(const ProbabilityMetrics& other);

  std::int64_t count() const { return count_; }
  /// The mean of -log p of what happened. A probability of 0 counts as the smallest distance of a
  /// number of its type from 1, so that one impossible row does not make it infinite.
  double log_loss() const { return -log_likelihood(); }
  double log_likelihood() const;
  /// The standard error of the mean log-likelihood; NaN for less than two rows. Weights say how
  /// much rows count, so that rows of equal weights have the error of rows without.
  double log_likelihood_error() const;
  /// The mean of (p - y)^2 (Brier 1950); of several classes, of the sum over them.
  double brier_score() const;
  /// The mean over rows of |predicted - happened| in their bins.
  double calibration_error() const;
  std::vector<CalibrationBin> calibration_curve() const;

 private:
  void add(double likelihood, double brier, double confidence, bool is_right, double weight);
  template <Real T>
  void add_all(const Array<T>& probabilities, const Array<T>& labels, const T* weights);
  template <Real T>
  void add_all(const Array<T>& probabilities, const Array<std::int64_t>& labels, const T* weights);

  std::int64_t count_ = 0;
  double weight_ = 0, weight_squares_ = 0;  // sums
  double mean_ = 0, spread_ = 0;            // of log-likelihoods
  double brier_ = 0;
  std::vector<double> predicted_, happened_, weights_;  // sums by bin
  std::vector<std::int64_t> counts_;
};

/// The part of rows whose label is among the k largest scores (n, classes); of equal scores, the
/// lower positions count first. Rows may have weights (n,).
/// @throws ShapeError for other shapes; ArgumentError for a k below 1, a label that is no class,
/// and NaN.
template <Real T>
EBB_API double top_k_accuracy(const Operand<T>& scores, const Array<std::int64_t>& labels,
                              std::int64_t k);
template <Real T>
EBB_API double top_k_accuracy(const Operand<T>& scores, const Array<std::int64_t>& labels,
                              std::int64_t k, const Operand<T>& weights);

}  // namespace ebb::inline v0::nn
