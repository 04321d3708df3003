// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/estimators/regressor.hpp"

#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/metrics/regression.hpp"
#include "ebb/nn/models/estimators/checks.hpp"

namespace ebb::inline v0::nn {

Regressor::Regressor() = default;
Regressor::~Regressor() = default;
Regressor::Regressor(const Regressor&) = default;
Regressor::Regressor(Regressor&&) noexcept = default;
Regressor& Regressor::operator=(const Regressor&) = default;
Regressor& Regressor::operator=(Regressor&&) noexcept = default;

void Regressor::fit(const Features& x, const Targets& y, const RowOptions& options) {
  detail::check_counts(name(), x, y.count());
  detail::check_finite(name(), x);
  detail::check_finite(name(), y);
  learn(x, y.values(), detail::normalised_weights(name(), options, x.count()));
}

Array<double> Regressor::predict(const Features& x) const {
  if (!is_fitted()) detail::check_rows(name(), x, false, 0);
  return predictions(x);
}

double Regressor::score(const Features& x, const Targets& y, const RowOptions& options) const {
  if (options.weights.empty()) return metric("r2", x, y);
  detail::check_counts(name(), x, y.count());
  detail::check_finite(name(), y);
  RegressionMetrics metrics;
  metrics.update<double>(predict(x), y.values(),
                         detail::normalised_weights(name(), options, x.count()));
  return metrics.r2();
}

double Regressor::metric(const std::string& metric, const Features& x, const Targets& y) const {
  detail::check_counts(name(), x, y.count());
  detail::check_finite(name(), y);
  RegressionMetrics metrics;
  metrics.update<double>(predict(x), y.values());
  if (metric == "r2") return metrics.r2();
  if (metric == "mse") return metrics.mse();
  if (metric == "rmse") return metrics.rmse();
  if (metric == "mae") return metrics.mae();
  if (metric == "max_error") return metrics.max_error();
  if (metric == "mape") return metrics.mape();
  if (metric == "explained_variance") return metrics.explained_variance();
  throw ArgumentError(name() + ": there is no metric \"" + metric +
                      "\" of regressions; there are r2, mse, rmse, mae, max_error, mape and "
                      "explained_variance");
}

}  // namespace ebb::inline v0::nn
