// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/metrics/regression.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "ebb/nn/metrics/row_weights.hpp"

namespace ebb::inline v0::nn {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

template <class T>
Array<T> values(const Operand<T>& x) {
  return ebb::detail::Access::as_tensor(x, "RegressionMetrics").array();
}

void check_shapes(const Shape& a, const Shape& b) {
  if (a == b) return;
  throw ShapeError("RegressionMetrics: the shapes of predictions and targets must be equal, not " +
                   to_string(a) + " and " + to_string(b));
}

/// Adds x with a weight to a mean and a sum of squared deviations of that total weight (West 1979).
void add_to(double& mean, double& spread, double total, double x, double weight) {
  const double change = x - mean;
  mean += weight / total * change;
  spread += weight * change * (x - mean);
}
/// Joins two means and spreads (Chan, Golub and LeVeque 1979).
void join(double& mean, double& spread, double weight, double other_mean, double other_spread,
          double other_weight) {
  const double total = weight + other_weight, change = other_mean - mean;
  mean += other_weight / total * change;
  spread += other_spread + weight * other_weight / total * change * change;
}

/// 1 - error / spread, where nothing spreads 1 for no error and 0 otherwise.
double part_explained(double error, double spread) {
  if (spread > 0) return 1 - error / spread;
  return std::isnan(error) || std::isnan(spread) ? nan : error == 0 ? 1 : 0;
}

}  // namespace

void RegressionMetrics::add(double prediction, double target, double weight) {
  ++count_;
  if (weight == 0) return;
  const double error = target - prediction, magnitude = std::abs(error);
  weight_ += weight;
  squares_ += weight * error * error;
  magnitudes_ += weight * magnitude;
  parts_ +=
      weight * magnitude / std::fmax(std::abs(target), std::numeric_limits<double>::epsilon());
  largest_ = std::isnan(magnitude) || std::isnan(largest_) ? nan : std::max(largest_, magnitude);
  add_to(target_mean_, target_spread_, weight_, target, weight);
  add_to(error_mean_, error_spread_, weight_, error, weight);
}

template <Real T>
void RegressionMetrics::update(const Operand<T>& prediction, const Operand<T>& target) {
  const Array<T> p = values(prediction), y = values(target);
  check_shapes(p.shape(), y.shape());
  for (std::int64_t i = 0; i < p.size(); ++i) add(double(p.data()[i]), double(y.data()[i]), 1);
}
template <Real T>
void RegressionMetrics::update(const Operand<T>& prediction, const Operand<T>& target,
                               const Operand<T>& weights) {
  const Array<T> p = values(prediction), y = values(target);
  check_shapes(p.shape(), y.shape());
  const Array<T> w = detail::row_weights("RegressionMetrics", weights, p.shape());
  for (std::int64_t i = 0; i < p.size(); ++i)
    add(double(p.data()[i]), double(y.data()[i]), double(w.data()[i]));
}
#define EBB_UPDATE(T)                                                                    \
  template EBB_API void RegressionMetrics::update(const Operand<T>&, const Operand<T>&); \
  template EBB_API void RegressionMetrics::update(const Operand<T>&, const Operand<T>&,  \
                                                  const Operand<T>&);
EBB_UPDATE(float)
EBB_UPDATE(double)
#undef EBB_UPDATE

void RegressionMetrics::merge(const RegressionMetrics& other) {
  count_ += other.count_;
  if (other.weight_ == 0) return;
  join(target_mean_, target_spread_, weight_, other.target_mean_, other.target_spread_,
       other.weight_);
  join(error_mean_, error_spread_, weight_, other.error_mean_, other.error_spread_, other.weight_);
  weight_ += other.weight_;
  squares_ += other.squares_;
  magnitudes_ += other.magnitudes_;
  parts_ += other.parts_;
  largest_ =
      std::isnan(other.largest_) || std::isnan(largest_) ? nan : std::max(largest_, other.largest_);
}

double RegressionMetrics::mse() const { return squares_ / weight_; }
double RegressionMetrics::rmse() const { return std::sqrt(mse()); }
double RegressionMetrics::mae() const { return magnitudes_ / weight_; }
double RegressionMetrics::max_error() const { return weight_ > 0 ? largest_ : nan; }
double RegressionMetrics::mape() const { return parts_ / weight_; }
double RegressionMetrics::r2() const {
  return weight_ > 0 ? part_explained(squares_, target_spread_) : nan;
}
double RegressionMetrics::explained_variance() const {
  return weight_ > 0 ? part_explained(error_spread_, target_spread_) : nan;
}

void RegressionMetrics::each(Fields& field) {
  field("count", count_);
  field("weight", weight_);
  field("squares", squares_);
  field("magnitudes", magnitudes_);
  field("parts", parts_);
  field("largest", largest_);
  field("target_mean", target_mean_);
  field("target_spread", target_spread_);
  field("error_mean", error_mean_);
  field("error_spread", error_spread_);
}

}  // namespace ebb::inline v0::nn
