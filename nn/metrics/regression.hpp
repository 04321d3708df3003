// SPDX-License-Identifier: BSD-3-Clause
// Errors of a regression over a whole set, from its batches:
//
//   nn::RegressionMetrics metrics;
//   for (const auto& [x, y] : loader) metrics.update(model(x), y);
//   std::cout << metrics.rmse() << " " << metrics.r2() << "\n";
#pragma once
#include <cstdint>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/autodiff/values/fields.hpp"

namespace ebb::inline v0::nn {

/// What batches of predictions and targets add up to. The results are those of all rows at once, up
/// to rounding, in whatever batches they come, and parts that threads have gathered can be merged.
/// Definitions are scikit-learn's. Without a row every number is NaN.
class EBB_API RegressionMetrics {
 public:
  /// Adds predictions and targets of one shape, and, if there are some, weights of that shape.
  /// @throws ShapeError for other shapes; ArgumentError for a weight that is negative or not
  /// finite.
  template <Real T>
  void update(const Operand<T>& prediction, const Operand<T>& target);
  template <Real T>
  void update(const Operand<T>& prediction, const Operand<T>& target, const Operand<T>& weights);
  void merge(const RegressionMetrics& other);

  std::int64_t count() const { return count_; }  ///< of elements
  double mse() const;                            ///< the mean of (target - prediction)^2
  double rmse() const;                           ///< its root
  double mae() const;                            ///< the mean of |target - prediction|
  double max_error() const;  ///< the largest |target - prediction| with a weight
  /// The mean of |target - prediction| / max(|target|, 2^-52): a part, not a percentage.
  double mape() const;
  /// 1 - the sum of squared errors / that of deviations of the targets from their mean. Of targets
  /// that are all equal it is 1 for no error, and 0 otherwise.
  double r2() const;
  /// As r2, without what the mean of all errors contributes.
  double explained_variance() const;

  /// Visits the sums.
  void each(Fields& field);

 private:
  void add(double prediction, double target, double weight);

  std::int64_t count_ = 0;
  double weight_ = 0;
  double squares_ = 0, magnitudes_ = 0, parts_ = 0, largest_ = 0;
  // Means, and sums of squared deviations from them.
  double target_mean_ = 0, target_spread_ = 0, error_mean_ = 0, error_spread_ = 0;
};

}  // namespace ebb::inline v0::nn
