// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/linear/classifiers.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/metrics/confusion.hpp"
#include "ebb/nn/metrics/probabilities.hpp"
#include "ebb/nn/metrics/ranking.hpp"
#include "ebb/nn/models/estimators/checks.hpp"
#include "ebb/nn/models/linear/penalized.hpp"

namespace ebb::inline v0::nn {

using detail::LinearProblem;
using detail::LinearSolution;
using detail::problem_of;
using detail::SmoothProblem;

namespace {

using Positions = Array<std::int64_t>;

/// The sum of the weights of each class.
std::vector<double> totals_of(const Array<double>& weights, const Positions& positions,
                              std::int64_t classes) {
  std::vector<double> totals(std::size_t(classes), 0.0);
  for (std::int64_t i = 0; i < weights.size(); ++i) totals[std::size_t(positions[i])] += weights[i];
  return totals;
}

/// 1 where a row has this class, and `other` elsewhere.
Array<double> indicator(const Positions& positions, std::int64_t position, double other) {
  auto y = Array<double>::full(positions.shape(), other);
  for (std::int64_t i = 0; i < y.size(); ++i)
    if (positions[i] == position) y.mutate()[i] = 1;
  return y;
}

}  // namespace

LinearClassifier::LinearClassifier() = default;
LinearClassifier::~LinearClassifier() = default;
LinearClassifier::LinearClassifier(const LinearClassifier&) = default;
LinearClassifier::LinearClassifier(LinearClassifier&&) noexcept = default;
LinearClassifier& LinearClassifier::operator=(const LinearClassifier&) = default;
LinearClassifier& LinearClassifier::operator=(LinearClassifier&&) noexcept = default;

Positions LinearClassifier::learn_classes(const Labels& y) {
  std::vector<std::string> names = y.words();
  std::vector<std::int64_t> numbers(y.numbers().begin(), y.numbers().end());
  const auto make_unique = [](auto& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  };
  make_unique(names);
  make_unique(numbers);
  if (y.are_words()) {
    numbers.resize(names.size());
    std::iota(numbers.begin(), numbers.end(), 0);
  } else {
    for (const std::int64_t number : numbers) names.push_back(std::to_string(number));
  }
  if (names.size() < 2) {
    throw ArgumentError(name() + ": all rows have the class " + (names.empty() ? "" : names[0]) +
                        "; there must be at least two classes to tell apart");
  }
  classes = Positions(Shape{std::int64_t(numbers.size())}, std::span<const std::int64_t>(numbers));
  class_names = names;
  return positions_of(y);
}

Positions LinearClassifier::positions_of(const Labels& y) const {
  auto positions = Positions::uninitialized({y.count()});
  const auto place = [](const auto& list, const auto& one) {
    const auto found = std::lower_bound(list.begin(), list.end(), one);
    return found != list.end() && *found == one ? std::int64_t(found - list.begin())
                                                : std::int64_t(-1);
  };
  for (std::int64_t i = 0; i < y.count(); ++i) {
    if (!y.are_words()) {
      positions.mutate()[i] = place(classes, y.numbers()[i]);
    } else {
      // Names of numbers are not in the order of their bytes.
      const auto found =
          std::find(class_names.begin(), class_names.end(), y.words()[std::size_t(i)]);
      positions.mutate()[i] = found == class_names.end() ? -1 : found - class_names.begin();
    }
  }
  return positions;
}

void LinearClassifier::weigh_classes(Array<double>& weights, const Positions& positions) const {
  const std::int64_t k = classes.size();
  const std::vector<double> totals = totals_of(weights, positions, k);
  const auto [balanced, list] = class_weights();
  if (balanced && !list.empty()) {
    throw ArgumentError(name() + ": give either balanced or class_weight");
  }
  if (!list.empty() && std::int64_t(list.size()) != k) {
    throw ArgumentError(name() + ": class_weight has " + std::to_string(list.size()) +
                        " numbers, and there are " + std::to_string(k) + " classes");
  }
  double sum = 0;
  for (std::int64_t i = 0; i < weights.size(); ++i) {
    const auto c = std::size_t(positions[i]);
    const double factor = balanced ? 1 / (double(k) * totals[c]) : list.empty() ? 1 : list[c];
    if (!(factor > 0 && std::isfinite(factor)) && weights[i] > 0) {
      throw ArgumentError(name() + ": class_weight must be above 0 and finite, not " +
                          ebb::detail::to_text(factor));
    }
    double& weight = weights.mutate()[i];
    weight = weight > 0 ? weight * factor : 0;
    sum += weight;
  }
  for (std::int64_t i = 0; i < weights.size(); ++i) weights.mutate()[i] /= sum;
  const auto without = std::find(totals.begin(), totals.end(), 0.0) - totals.begin();
  if (without < k) {
    throw ArgumentError(name() + ": all rows of the class " + class_names[std::size_t(without)] +
                        " have the weight 0");
  }
}

void LinearClassifier::fit(const Features& x, const Labels& y, const RowOptions& options) {
  detail::check_counts(name(), x, y.count());
  detail::check_finite(name(), x);
  LinearProblem known = problem();
  known.x = x.values();
  known.weights = detail::normalised_weights(name(), options, x.count());

  const auto old_classes = classes;
  const auto old_names = class_names;
  try {
    const Positions positions = learn_classes(y);
    weigh_classes(known.weights, positions);
    const LinearSolution found = solve(known, positions);
    detail::check_result(name(), found.coefficients, found.intercept);
    coefficients = found.coefficients;
    intercept = found.intercept;
    solution = found.solution;
    warning = detail::warning_of(found.warning, solution);
  } catch (...) {
    classes = old_classes;
    class_names = old_names;
    throw;
  }
}

Array<double> LinearClassifier::decision_function(const Features& x) const {
  detail::check_rows(name(), x, is_fitted(), is_fitted() ? coefficients.shape()[1] : 0);
  const auto y = detail::predictors(x, coefficients, intercept);
  return intercept.size() == 1 ? y.reshape(Shape{x.count()}) : y;
}

Positions LinearClassifier::predicted_positions(const Features& x) const {
  return predicted_labels<double>(decision_function(x));
}

Positions LinearClassifier::predict(const Features& x) const {
  Positions y = predicted_positions(x);
  for (std::int64_t& e : std::span(y.mutate(), std::size_t(y.size()))) e = classes[e];
  return y;
}

std::vector<std::string> LinearClassifier::predict_words(const Features& x) const {
  std::vector<std::string> words;
  for (const std::int64_t e : predicted_positions(x)) words.push_back(class_names[std::size_t(e)]);
  return words;
}

Array<double> LinearClassifier::probabilities(const Features& x) const {
  const auto decisions = decision_function(x);
  if (decisions.rank() == 2) return softmax(Tensor<double>(decisions), 1).array();
  auto p = Array<double>::uninitialized({x.count(), 2});
  const auto second = sigmoid(decisions).array(), first = sigmoid(-decisions).array();
  for (std::int64_t i = 0; i < second.size(); ++i) {
    p.mutate()[2 * i] = first[i];
    p.mutate()[2 * i + 1] = second[i];
  }
  return p;
}

double LinearClassifier::score(const Features& x, const Labels& y,
                               const RowOptions& options) const {
  detail::check_counts(name(), x, y.count());
  const auto weights = detail::normalised_weights(name(), options, x.count());
  const Positions predicted = predicted_positions(x), actual = positions_of(y);
  // Exact where no row has a weight of its own.
  double right = 0, total = 0;
  for (std::int64_t i = 0; i < predicted.size(); ++i) {
    const double weight = options.weights.empty() ? 1 : weights[i];
    total += weight;
    right += predicted[i] == actual[i] ? weight : 0;
  }
  return right / total;
}

double LinearClassifier::metric(const std::string& metric, const Features& x,
                                const Labels& y) const {
  if (metric == "accuracy") return score(x, y);
  detail::check_counts(name(), x, y.count());
  const Array<double> decisions = decision_function(x);
  const Positions actual = positions_of(y);
  for (std::int64_t i = 0; i < actual.size(); ++i) {
    if (actual[i] >= 0) continue;
    throw ArgumentError(
        name() + ": the class of row " + std::to_string(i) + " is " +
        (y.are_words() ? y.words()[std::size_t(i)] : std::to_string(y.numbers()[i])) +
        ", which the fit did not have, so that there is no " + metric);
  }
  const bool is_binary = decisions.rank() == 1;
  ConfusionMatrix confusion(classes.size());
  confusion.update(predicted_labels<double>(decisions), actual);
  const Average average = is_binary ? Average::binary : Average::macro;
  if (metric == "balanced_accuracy") return confusion.balanced_accuracy();
  if (metric == "precision") return confusion.precision(average);
  if (metric == "recall") return confusion.recall(average);
  if (metric == "f1") return confusion.f1(average);
  if (metric == "kappa") return confusion.kappa();
  if (metric == "matthews") return confusion.matthews();
  if (metric == "auc") {
    if (!is_binary) return one_vs_rest_auc<double>(decisions, actual);
    RankingMetrics ranking;
    ranking.update<double>(decisions, indicator(actual, 1, 0));
    return ranking.auc();
  }
  if (has_probabilities()) {
    ProbabilityMetrics quality;
    const auto p = probabilities(x);
    if (is_binary) {
      quality.update<double>(sigmoid(decisions), indicator(actual, 1, 0));
    } else {
      quality.update<double>(p, actual);
    }
    if (metric == "log_loss") return quality.log_loss();
    if (metric == "brier_score") return quality.brier_score();
    if (metric == "calibration_error") return quality.calibration_error();
  }
  throw ArgumentError(name() + ": there is no metric \"" + metric +
                      "\"; there are accuracy, balanced_accuracy, precision, recall, f1, kappa, "
                      "matthews, auc" +
                      (has_probabilities() ? ", log_loss, brier_score and calibration_error" : ""));
}

bool LinearClassifier::has_probabilities() const { return false; }
bool LogisticRegression::has_probabilities() const { return true; }

void LinearClassifier::each_fitted(Parts& part) {
  detail::each_array(part, "coefficients", coefficients, 2);
  detail::each_array(part, "intercept", intercept, 1);
  auto labels = Array<double>::uninitialized(classes.shape());
  std::transform(classes.begin(), classes.end(), labels.mutate(), [](auto e) { return double(e); });
  if (classes.size() == 0) labels.clear();
  detail::each_array(part, "classes", labels, 1);
  classes = Positions::uninitialized(labels.shape());
  std::transform(labels.begin(), labels.end(), classes.mutate(),
                 [](double e) { return std::int64_t(e); });
  part("class_names", class_names);
  part("solution", solution);
  part("warning", warning);
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
  const std::vector<double> shares = totals_of(known.weights, positions, k);
  SmoothProblem problem(known);
  problem.intercept_start = Array<double>::zeros({k == 2 ? 1 : k});
  if (k == 2) {
    const auto y = indicator(positions, 1, 0);
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
  const Array<double> decisions = detail::predictors(known.x, found.coefficients, found.intercept);
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
  const std::int64_t k = classes.size(), outputs = k == 2 ? 1 : k, d = known.x.shape()[1];
  LinearSolution all;
  all.coefficients = Array<double>::uninitialized({outputs, d});
  all.intercept = Array<double>::uninitialized({outputs});
  for (std::int64_t c = 0; c < outputs; ++c) {
    const auto y = indicator(positions, k == 2 ? 1 : c, -1);
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
