// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/linear/regressors.hpp"

#include <algorithm>
#include <cmath>

#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/models/estimators/checks.hpp"
#include "ebb/nn/models/linear/penalized.hpp"

namespace ebb::inline v0::nn {

using detail::LinearProblem;
using detail::LinearSolution;
using detail::problem_of;
using detail::SmoothProblem;

LinearRegressor::LinearRegressor() = default;
LinearRegressor::~LinearRegressor() = default;
LinearRegressor::LinearRegressor(const LinearRegressor&) = default;
LinearRegressor::LinearRegressor(LinearRegressor&&) noexcept = default;
LinearRegressor& LinearRegressor::operator=(const LinearRegressor&) = default;
LinearRegressor& LinearRegressor::operator=(LinearRegressor&&) noexcept = default;

bool LinearRegressor::is_fitted() const { return !coefficients.empty(); }

void LinearRegressor::learn(const Features& x, const Array<double>& y,
                            const Array<double>& weights) {
  LinearProblem known = problem();
  known.take(x);
  known.weights = weights;
  const LinearSolution found = solve(known, y);
  detail::check_result(name(), found.coefficients, found.intercept);
  coefficients = found.coefficients.reshape(Shape{x.columns()});
  intercept = found.intercept[0];
  solution = found.solution;
  warning = detail::warning_of(found.warning, solution);
}

Array<double> LinearRegressor::predictions(const Features& x) const {
  detail::check_rows(name(), x, is_fitted(), coefficients.size());
  auto y =
      detail::predictors(x, coefficients, Array<double>::of({intercept})).reshape(Shape{x.count()});
  for (double& e : std::span(y.mutate(), std::size_t(y.size()))) e = prediction(e);
  return y;
}

double LinearRegressor::prediction(double linear) const { return linear; }

void LinearRegressor::each_fitted(Parts& part) {
  detail::each_array(part, "coefficients", coefficients, 1);
  part("intercept", intercept);
  part("solution", solution);
  part("warning", warning);
}

// What all regressions write in the same way.
#define EBB_REGRESSOR(Type)                           \
  Type::Type(Type##Options given) : options(given) {} \
  std::string Type::name() const { return #Type; }    \
  LinearProblem Type::problem() const { return problem_of(options); }
#define EBB_SQUARES(Type)                                                            \
  EBB_REGRESSOR(Type)                                                                \
  void Type::each(Parts& part) {                                                     \
    part("options", options);                                                        \
    each_fitted(part);                                                               \
  }                                                                                  \
  LinearSolution Type::solve(const LinearProblem& problem, const Array<double>& y) { \
    return detail::minimize_squares(name(), problem, y);                             \
  }
EBB_SQUARES(LinearRegression)
EBB_SQUARES(Ridge)
EBB_SQUARES(Lasso)
EBB_SQUARES(ElasticNet)
EBB_REGRESSOR(HuberRegressor)
EBB_REGRESSOR(PoissonRegressor)
#undef EBB_SQUARES
#undef EBB_REGRESSOR

void HuberRegressor::each(Parts& part) {
  part("options", options);
  each_fitted(part);
  part("scale", scale);
}
void PoissonRegressor::each(Parts& part) {
  part("options", options);
  each_fitted(part);
}

void LinearRegressionOptions::each(Fields& field) {
  field("intercept", intercept);
  detail::each_solver(field, solver);
}
void RidgeOptions::each(Fields& field) {
  field("l2", l2);
  field("intercept", intercept);
  detail::each_solver(field, solver);
}
void LassoOptions::each(Fields& field) {
  field("l1", l1);
  field("intercept", intercept);
  field("tolerance", tolerance);
  field("iterations", iterations);
}
void ElasticNetOptions::each(Fields& field) {
  field("l1", l1);
  field("l2", l2);
  field("intercept", intercept);
  field("tolerance", tolerance);
  field("iterations", iterations);
}
void HuberRegressorOptions::each(Fields& field) {
  field("epsilon", epsilon);
  field("l2", l2);
  field("intercept", intercept);
  detail::each_solver(field, solver);
  field("tolerance", tolerance);
  field("iterations", iterations);
}
void PoissonRegressorOptions::each(Fields& field) {
  field("l2", l2);
  field("intercept", intercept);
  detail::each_solver(field, solver);
  field("tolerance", tolerance);
  field("iterations", iterations);
}

LinearSolution HuberRegressor::solve(const LinearProblem& known, const Array<double>& y) {
  const double epsilon = options.epsilon;
  if (!(epsilon > 1 && std::isfinite(epsilon))) {
    throw ArgumentError(name() + ": epsilon must be above 1, not " + ebb::detail::to_text(epsilon));
  }
  // In units of the deviation of y, so that the tolerance is a part of it. The mean residual is
  // where the intercept starts.
  double mean = 0, variance = 0;
  for (std::int64_t i = 0; i < y.size(); ++i) mean += known.weights[i] * y[i];
  if (!known.intercept) mean = 0;
  for (std::int64_t i = 0; i < y.size(); ++i)
    variance += known.weights[i] * (y[i] - mean) * (y[i] - mean);
  const double unit = variance != 0 ? std::sqrt(variance) : 1;
  detail::check_result(name(), Array<double>::of({unit}), Array<double>::of({mean}));
  const Array<double> target = ((y - mean) / unit).array();

  SmoothProblem problem(known);
  problem.l2 = known.l2 * unit;
  problem.loss = [&](const Tensor<double>& predictors, const Tensor<double>& extra) {
    const auto deviation = exp(extra);
    // huber_loss of delta epsilon is h / 2.
    const auto z = (predictors - target) / deviation;
    return deviation + deviation * (2.0 * huber_loss(z, Array<double>::zeros(z.shape()), epsilon,
                                                     Reduction::none));
  };
  problem.extra_start = Array<double>::of({0});
  LinearSolution found = detail::minimize_smooth(name(), problem);
  scale = std::exp(found.extra[0]) * unit;
  found.coefficients = (found.coefficients * unit).array();
  found.intercept = (found.intercept * unit + mean).array();
  found.solution.value *= unit;
  if (scale < 1e-6 * unit && found.warning.empty()) {
    found.warning =
        "the scale of the residuals is almost 0: more than half of the targets are "
        "met exactly, and LinearRegression may do";
  }
  return found;
}

LinearSolution PoissonRegressor::solve(const LinearProblem& known, const Array<double>& y) {
  double mean = 0;
  for (std::int64_t i = 0; i < y.size(); ++i) {
    if (y[i] < 0) {
      throw ArgumentError(name() + ": y has " + ebb::detail::to_text(y[i]) + " in row " +
                          std::to_string(i) + "; counts are at least 0");
    }
    mean += known.weights[i] * y[i];
  }
  if (mean == 0) {
    throw ArgumentError(name() + ": all counts are 0, so that no finite intercept is the best");
  }
  // In units of the mean count.
  const Array<double> target = (y / mean).array();
  SmoothProblem problem(known);
  problem.l2 = known.l2 / mean;
  const double offset = known.intercept ? 0 : std::log(mean);
  problem.loss = [&](const Tensor<double>& predictors, const Tensor<double>&) {
    return poisson_nll_loss(predictors - offset, target, Reduction::none);
  };
  LinearSolution found = detail::minimize_smooth(name(), problem);
  const double log_mean = std::log(mean);
  if (known.intercept) found.intercept.mutate()[0] += log_mean;
  // e^p - y p for p = q + log(mean) is mean (e^q - y / mean q) - y log(mean).
  found.solution.value = mean * found.solution.value - mean * log_mean;
  return found;
}

double PoissonRegressor::prediction(double linear) const { return std::exp(linear); }

}  // namespace ebb::inline v0::nn
