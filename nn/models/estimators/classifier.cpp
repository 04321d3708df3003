// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/estimators/classifier.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/metrics/confusion.hpp"
#include "ebb/nn/metrics/probabilities.hpp"
#include "ebb/nn/metrics/ranking.hpp"
#include "ebb/nn/models/estimators/checks.hpp"

namespace ebb::inline v0::nn {

using Positions = Array<std::int64_t>;

Classifier::Classifier() = default;
Classifier::~Classifier() = default;
Classifier::Classifier(const Classifier&) = default;
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(const Classifier&) = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;

bool Classifier::has_probabilities() const { return false; }

Positions Classifier::learn_classes(const Labels& y) {
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

Positions Classifier::positions_of(const Labels& y) const {
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

void Classifier::weigh_classes(Array<double>& weights, const Positions& positions) const {
  const std::int64_t k = classes.size();
  const std::vector<double> totals = detail::totals_of(weights, positions, k);
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

void Classifier::fit(const Features& x, const Labels& y, const RowOptions& options) {
  detail::check_counts(name(), x, y.count());
  detail::check_finite(name(), x);
  Array<double> weights = detail::normalised_weights(name(), options, x.count());
  const auto old_classes = classes;
  const auto old_names = class_names;
  try {
    const Positions positions = learn_classes(y);
    weigh_classes(weights, positions);
    learn(x, weights, positions);
  } catch (...) {
    classes = old_classes;
    class_names = old_names;
    throw;
  }
}

Array<double> Classifier::decision_function(const Features& x) const {
  if (!is_fitted()) detail::check_rows(name(), x, false, 0);
  return decisions(x);
}

Positions Classifier::predicted_positions(const Features& x) const {
  return predicted_labels<double>(decision_function(x));
}

Positions Classifier::predict(const Features& x) const {
  Positions y = predicted_positions(x);
  for (std::int64_t& e : std::span(y.mutate(), std::size_t(y.size()))) e = classes[e];
  return y;
}

std::vector<std::string> Classifier::predict_words(const Features& x) const {
  std::vector<std::string> words;
  for (const std::int64_t e : predicted_positions(x)) words.push_back(class_names[std::size_t(e)]);
  return words;
}

double Classifier::score(const Features& x, const Labels& y, const RowOptions& options) const {
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

double Classifier::metric(const std::string& metric, const Features& x, const Labels& y) const {
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
    ranking.update<double>(decisions, detail::indicator(actual, 1, 0));
    return ranking.auc();
  }
  if (has_probabilities()) {
    ProbabilityMetrics quality;
    const auto p = detail::probabilities_of(decisions);
    if (is_binary) {
      quality.update<double>(sigmoid(decisions), detail::indicator(actual, 1, 0));
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

void Classifier::each_class(Parts& part) {
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

namespace detail {

Array<double> probabilities_of(const Array<double>& decisions) {
  if (decisions.rank() == 2) return softmax(Tensor<double>(decisions), 1).array();
  auto p = Array<double>::uninitialized({decisions.size(), 2});
  const auto second = sigmoid(decisions).array(), first = sigmoid(-decisions).array();
  for (std::int64_t i = 0; i < second.size(); ++i) {
    p.mutate()[2 * i] = first[i];
    p.mutate()[2 * i + 1] = second[i];
  }
  return p;
}

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

}  // namespace detail
}  // namespace ebb::inline v0::nn
