// SPDX-License-Identifier: BSD-3-Clause
// Linear regressions in one call:
//
//   nn::Ridge model({.l2 = 0.1});
//   model.fit(x, y);
//   std::cout << model.coefficients << " " << model.score(x_test, y_test) << "\n";
//
// All minimise the mean loss of the rows with a penalty on the coefficients w, and none on the
// intercept:
//
//   sum_i s_i loss_i / sum_i s_i + l1 (|w_1| + ... + |w_d|) + l2 / 2 (w_1^2 + ... + w_d^2)
//
// where s_i is the weight of a row, or 1. All is computed in double. Features are taken as they
// are: a penalty knows no units, so scale them before (data::Standardize). docs/estimators.md has a
// table of the penalties of scikit-learn.
#pragma once
#include "ebb/nn/models/estimators/regressor.hpp"

namespace ebb::inline v0::nn {

namespace detail {
struct LinearProblem;
struct LinearSolution;
}  // namespace detail

/// What all linear regressions have.
class EBB_API LinearRegressor : public Regressor {
 public:
  ~LinearRegressor() override;

  Array<double> coefficients;  ///< (d,); empty before a fit
  double intercept = 0;

  bool is_fitted() const override;

 protected:
  LinearRegressor();
  LinearRegressor(const LinearRegressor&);
  LinearRegressor(LinearRegressor&&) noexcept;
  LinearRegressor& operator=(const LinearRegressor&);
  LinearRegressor& operator=(LinearRegressor&&) noexcept;
  virtual detail::LinearProblem problem() const = 0;
  virtual detail::LinearSolution solve(const detail::LinearProblem& problem,
                                       const Array<double>& y) = 0;
  /// The prediction for x w + intercept.
  virtual double prediction(double linear) const;
  void learn(const Features& x, const Array<double>& y, const Array<double>& weights) override;
  Array<double> predictions(const Features& x) const override;
  void each_fitted(Parts& part);
};

struct EBB_API LinearRegressionOptions {
  bool intercept = true;  ///< a constant that is added to x w
  Solver solver = Solver::automatic;

  void each(Fields& field);
};

/// Least squares: the loss (y - x w - intercept)^2 / 2 without a penalty. Where columns depend on
/// others, the coefficients are the shortest of all that fit best, and `warning` says so.
/// optim::fit_linear has standard errors as well.
class EBB_API LinearRegression : public LinearRegressor {
 public:
  LinearRegressionOptions options;
  explicit LinearRegression(LinearRegressionOptions given = {});
  std::string name() const override;
  void each(Parts& part);

 private:
  detail::LinearProblem problem() const override;
  detail::LinearSolution solve(const detail::LinearProblem& problem,
                               const Array<double>& y) override;
};

struct EBB_API RidgeOptions {
  double l2 = 1e-3;  ///< at least 0
  bool intercept = true;
  Solver solver = Solver::automatic;

  void each(Fields& field);
};

/// Ridge regression (Hoerl and Kennard 1970): squares as LinearRegression, with an l2 penalty.
class EBB_API Ridge : public LinearRegressor {
 public:
  RidgeOptions options;
  explicit Ridge(RidgeOptions given = {});
  std::string name() const override;
  void each(Parts& part);

 private:
  detail::LinearProblem problem() const override;
  detail::LinearSolution solve(const detail::LinearProblem& problem,
                               const Array<double>& y) override;
};

struct EBB_API LassoOptions {
  double l1 = 1;  ///< at least 0
  bool intercept = true;
  double tolerance = 1e-10;  ///< above 0: of the gradient, as a part of the largest one at 0
  std::int64_t iterations = 10'000;

  void each(Fields& field);
};

/// The lasso (Tibshirani 1996): squares as LinearRegression, with an l1 penalty, of which many
/// coefficients become exactly 0. optim::lasso_path has them for many penalties.
class EBB_API Lasso : public LinearRegressor {
 public:
  LassoOptions options;
  explicit Lasso(LassoOptions given = {});
  std::string name() const override;
  void each(Parts& part);

 private:
  detail::LinearProblem problem() const override;
  detail::LinearSolution solve(const detail::LinearProblem& problem,
                               const Array<double>& y) override;
};

struct EBB_API ElasticNetOptions {
  double l1 = 0.5, l2 = 0.5;  ///< at least 0
  bool intercept = true;
  double tolerance = 1e-10;  ///< as of the lasso
  std::int64_t iterations = 10'000;

  void each(Fields& field);
};

/// The elastic net (Zou and Hastie 2005): squares as LinearRegression, with both penalties.
class EBB_API ElasticNet : public LinearRegressor {
 public:
  ElasticNetOptions options;
  explicit ElasticNet(ElasticNetOptions given = {});
  std::string name() const override;
  void each(Parts& part);

 private:
  detail::LinearProblem problem() const override;
  detail::LinearSolution solve(const detail::LinearProblem& problem,
                               const Array<double>& y) override;
};

struct EBB_API HuberRegressorOptions {
  /// Above 1: residuals beyond this times the scale count by their magnitude, and not by their
  /// square. 1.35 has 95 % of the efficiency of squares where errors are normal.
  double epsilon = 1.35;
  double l2 = 0;  ///< at least 0
  bool intercept = true;
  Solver solver = Solver::automatic;
  double tolerance = 1e-8;  ///< above 0: of the norm of the gradient
  std::int64_t iterations = 1000;

  void each(Fields& field);
};

/// Regression that a few wild targets do not pull away. The scale of the residuals is found
/// together with the coefficients (Huber 1981; Owen 2007), so that the loss of a row with the
/// residual r is scale + scale h(r / scale), where h(z) is z^2 for |z| <= epsilon and epsilon
/// (2 |z| - epsilon) beyond.
class EBB_API HuberRegressor : public LinearRegressor {
 public:
  HuberRegressorOptions options;
  double scale = 0;  ///< how large residuals are, in units of y
  explicit HuberRegressor(HuberRegressorOptions given = {});
  std::string name() const override;
  void each(Parts& part);

 private:
  detail::LinearProblem problem() const override;
  detail::LinearSolution solve(const detail::LinearProblem& problem,
                               const Array<double>& y) override;
};

struct EBB_API PoissonRegressorOptions {
  double l2 = 1;  ///< at least 0
  bool intercept = true;
  Solver solver = Solver::automatic;
  double tolerance = 1e-8;  ///< above 0: of the norm of the gradient, in units of the mean target
  std::int64_t iterations = 1000;

  void each(Fields& field);
};

/// Poisson regression of counts y >= 0, which need not be whole: predictions are
/// e^(x w + intercept), and the loss is prediction - y log(prediction).
class EBB_API PoissonRegressor : public LinearRegressor {
 public:
  PoissonRegressorOptions options;
  explicit PoissonRegressor(PoissonRegressorOptions given = {});
  std::string name() const override;
  void each(Parts& part);

 private:
  detail::LinearProblem problem() const override;
  detail::LinearSolution solve(const detail::LinearProblem& problem,
                               const Array<double>& y) override;
  double prediction(double linear) const override;
};

}  // namespace ebb::inline v0::nn
