// SPDX-License-Identifier: BSD-3-Clause
// What all regressions have, linear ones and networks: predictions and scores.
#pragma once
#include "ebb/autodiff/parts.hpp"
#include "ebb/nn/models/estimators/inputs.hpp"
#include "ebb/nn/models/estimators/solution.hpp"

namespace ebb::inline v0::nn {

/// What all regressions have.
class EBB_API Regressor {
 public:
  using Target = Targets;
  virtual ~Regressor();

  Solution solution;    ///< how the fit ended
  std::string warning;  ///< empty, or what is wrong with the fit

  virtual std::string name() const = 0;
  virtual bool is_fitted() const = 0;

  /// Fits rows x (n, d) and numbers y (n,), and forgets an earlier fit. One that did not come to
  /// an end says so in `warning`.
  /// @throws ShapeError for shapes that do not fit; ArgumentError for options out of their ranges,
  /// for numbers that are not finite, and for targets that the loss does not know.
  void fit(const Features& x, const Targets& y, const RowOptions& options = {});
  /// The predictions (n,).
  /// @throws ArgumentError before a fit, and for NaN; ShapeError for another number of features.
  Array<double> predict(const Features& x) const;
  /// R2 of the predictions: 1 is perfect, 0 as good as the mean.
  /// @throws ArgumentError and ShapeError as `fit` and `predict`.
  double score(const Features& x, const Targets& y, const RowOptions& options = {}) const;
  /// A number of nn::RegressionMetrics by its name: "r2", "mse", "rmse", "mae", "max_error", "mape"
  /// or "explained_variance".
  /// @throws ArgumentError for another name, and as `score`.
  double metric(const std::string& metric, const Features& x, const Targets& y) const;

 protected:
  Regressor();
  Regressor(const Regressor&);
  Regressor(Regressor&&) noexcept;
  Regressor& operator=(const Regressor&);
  Regressor& operator=(Regressor&&) noexcept;
  /// Fits rows that were checked, with weights that add up to 1; sets `solution` and `warning`.
  /// After an error the earlier fit is there.
  virtual void learn(const Features& x, const Array<double>& y, const Array<double>& weights) = 0;
  virtual Array<double> predictions(const Features& x) const = 0;
};

}  // namespace ebb::inline v0::nn
