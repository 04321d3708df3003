// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/linear/classifiers.hpp"

#include <algorithm>
#include <cmath>

#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/metrics/confusion.hpp"
#include "ebb/nn/models/estimators/checks.hpp"
#include "ebb/nn/models/linear/penalized.hpp"

namespace ebb::inline v0::nn {

using detail::LinearProblem;
using detail::LinearSolution;
using detail::problem_of;
using detail::SmoothProblem;

using Positions = Array<std::int64_t>;

LinearClassifier::LinearClassifier() = default;
LinearClassifier::~LinearClassifier() = default;
LinearClassifier::LinearClassifier(const LinearClassifier&) = default;
LinearClassifier::LinearClassifier(LinearClassifier&&) noexcept = default;
LinearClassifier& LinearClassifier::operator=(const LinearClassifier&) = default;
LinearClassifier& LinearClassifier::operator=(LinearClassifier&&) noexcept = default;

bool LinearClassifier::is_fitted() const { return !coefficients.empty(); }

void LinearClassifier::learn(const Features& x, const Array<double>& weights,
                             const Positions& positions) {
  LinearProblem known = problem();
  known.take(x);
  known.weights = weights;
  const LinearSolution found = solve(known, positions);
  detail::check_result(name(), found.coefficients, found.intercept);
  coefficients = found.coefficients;
  intercept = found.intercept;
  solution = found.solution;
  warning = detail::warning_of(found.warning, solution);
}

Array<double> LinearClassifier::decisions(const Features& x) const {
  detail::check_rows(name(), x, is_fitted(), coefficients.shape()[1]);
  const auto y = detail::predictors(x, coefficients, intercept);
  return intercept.size() == 1 ? y.reshape(Shape{x.count()}) : y;
}

void LinearClassifier::each_fitted(Parts& part) {
  detail::each_array(part, "coefficients", coefficients, 2);
  detail::each_array(part, "intercept", intercept, 1);
  each_class(part);
}

bool LogisticRegression::has_probabilities() const { return true; }
Array<double> LogisticRegression::predict_proba(const Features& x) const {
  return detail::probabilities_of(decision_function(x));
}

LogisticRegression::LogisticRegression(LogisticRegressionOptions given)
    : options(std::move(given)) {}
std::string LogisticRegression::name() const { return "LogisticRegression"; }
LinearProblem LogisticRegression::problem() const { return problem_of(options); }
LinearClassifier::ClassWeights LogisticRegression::class_weights() const {
  return {options.balanced, options.class_weight};
}
void LogisticRegression::each(Parts& part) {
  part("options", options);
  each_fitted(part);
}

LinearSolution LogisticRegression::solve(const LinearProblem& known, const Positions& positions) {
  const std::int64_t k = classes.size();
  const std::vector<double> shares = detail::totals_of(known.weights, positions, k);
  SmoothProblem problem(known);
  problem.intercept_start = Array<double>::zeros({k == 2 ? 1 : k});
  if (k == 2) {
    const auto y = detail::indicator(positions, 1, 0);
    problem.loss = [y](const Tensor<double>& predictors, const Tensor<double>&) {
      return bce_with_logits(predictors, y, {.reduction = Reduction::none});
    };
    problem.intercept_start.mutate()[0] = std::log(shares[1] / shares[0]);
  } else {
    problem.outputs = k;
    problem.is_invariant = true;
    problem.loss = [positions](const Tensor<double>& predictors, const Tensor<double>&) {
      return cross_entropy(predictors, positions, {.reduction = Reduction::none});
    };
    for (std::int64_t c = 0; c < k; ++c)
      problem.intercept_start.mutate()[c] = std::log(shares[std::size_t(c)] / shares.back());
  }
  LinearSolution found = detail::minimize_smooth(name(), problem);
  if (known.l1 > 0 || known.l2 > 0) return found;
  // A plane that separates all rows proves that larger coefficients always fit better.
  const Array<double> decisions =
      detail::predictors(known.features(), found.coefficients, found.intercept);
  const Positions predicted =
      predicted_labels<double>(k == 2 ? decisions.reshape(Shape{positions.size()}) : decisions);
  for (std::int64_t i = 0; i < positions.size(); ++i) {
    if (known.weights[i] > 0 && predicted[i] != positions[i]) return found;
  }
  found.solution.converged = false;
  found.solution.reason =
      "the classes can be separated, so that without a penalty the "
      "coefficients have no end";
  return found;
}

LinearSVM::LinearSVM(LinearSVMOptions given) : options(std::move(given)) {}
std::string LinearSVM::name() const { return "LinearSVM"; }
LinearProblem LinearSVM::problem() const { return problem_of(options); }
LinearClassifier::ClassWeights LinearSVM::class_weights() const {
  return {options.balanced, options.class_weight};
}
void LinearSVM::each(Parts& part) {
  part("options", options);
  each_fitted(part);
}

LinearSolution LinearSVM::solve(const LinearProblem& known, const Positions& positions) {
  const std::int64_t k = classes.size(), outputs = k == 2 ? 1 : k, d = known.columns();
  LinearSolution all;
  all.coefficients = Array<double>::uninitialized({outputs, d});
  all.intercept = Array<double>::uninitialized({outputs});
  for (std::int64_t c = 0; c < outputs; ++c) {
    const auto y = detail::indicator(positions, k == 2 ? 1 : c, -1);
    SmoothProblem problem(known);
    problem.loss = [y](const Tensor<double>& predictors, const Tensor<double>&) {
      return squared_hinge_loss(predictors, y, Reduction::none);
    };
    const LinearSolution found = detail::minimize_smooth(name(), problem);
    std::copy(found.coefficients.begin(), found.coefficients.end(),
              all.coefficients.mutate() + c * d);
    all.intercept.mutate()[c] = found.intercept[0];
    // The sum of the values, all iterations, and the first end that was none.
    const Solution before = all.solution;
    if (c == 0 || before.converged) all.solution = found.solution;
    if (c > 0) {
      all.solution.value = before.value + found.solution.value;
      all.solution.iterations = before.iterations + found.solution.iterations;
    }
    all.warning = found.warning;
  }
  return all;
}

void LogisticRegressionOptions::each(Fields& field) {
  field("l1", l1);
  field("l2", l2);
  field("balanced", balanced);
  field("class_weight", class_weight);
  field("intercept", intercept);
  detail::each_solver(field, solver);
  field("tolerance", tolerance);
  field("iterations", iterations);
}
void LinearSVMOptions::each(Fields& field) {
  field("l2", l2);
  field("balanced", balanced);
  field("class_weight", class_weight);
  field("intercept", intercept);
  detail::each_solver(field, solver);
  field("tolerance", tolerance);
  field("iterations", iterations);
}

}  // namespace ebb::inline v0::nn
