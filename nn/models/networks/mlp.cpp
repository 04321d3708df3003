// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/networks/mlp.hpp"

#include <cmath>

#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/nn/models/estimators/checks.hpp"
#include "ebb/nn/models/networks/training.hpp"

namespace ebb::inline v0::nn {

using detail::NetworkFit;
using detail::TrainingRows;

namespace {

/// @throws ArgumentError and ShapeError for rows that the network does not take.
void check_inputs(const std::string& who, const Features& x, const Network& network) {
  const auto* first = network.empty() ? nullptr : network.layers[0].get<Linear<double>>();
  detail::check_rows(who, x, !network.empty(), first ? first->settings.in_features : x.columns());
}

template <class Estimator>
void take(Estimator& to, NetworkFit fit) {
  to.network = std::move(fit.network);
  to.losses = std::move(fit.losses);
  to.validation_losses = std::move(fit.validation_losses);
  to.solution = std::move(fit.solution);
  to.warning = std::move(fit.warning);
}

/// y = unit z + mean, where the network was trained to give z.
void scale_output(Stack<double>& network, double unit, double mean) {
  auto& last = *network[network.size() - 1].get<Linear<double>>();
  last.weight.set_value((last.weight.value() * unit).array());
  last.bias.set_value((last.bias.value() * unit + mean).array());
}

}  // namespace

void MLPRegressorOptions::each(Fields& field) { detail::each_network_option(field, *this); }
void MLPClassifierOptions::each(Fields& field) {
  detail::each_network_option(field, *this);
  field("balanced", balanced);
  field("class_weight", class_weight);
}

MLPRegressor::MLPRegressor(MLPRegressorOptions given) : options(std::move(given)) {}
std::string MLPRegressor::name() const { return "MLPRegressor"; }
bool MLPRegressor::is_fitted() const { return !network.empty(); }

void MLPRegressor::learn(const Features& x, const Array<double>& y, const Array<double>& weights) {
  double mean = 0, variance = 0;
  for (std::int64_t i = 0; i < y.size(); ++i) mean += weights[i] * y[i];
  for (std::int64_t i = 0; i < y.size(); ++i)
    variance += weights[i] * (y[i] - mean) * (y[i] - mean);
  const double unit = variance > 0 ? std::sqrt(variance) : 1;
  detail::check_result(name(), Array<double>::of({unit}), Array<double>::of({mean}));
  const TrainingRows rows{x.values(), weights, ((y - mean) / unit).array()};
  NetworkFit fit =
      detail::train_network(name(), detail::plan_of(options), rows, 1,
                            [](const Tensor<double>& outputs, const TrainingRows& some) {
                              return 0.5 * square(reshape(outputs, {some.size()}) - some.y);
                            });
  scale_output(fit.network.layers, unit, mean);
  take(*this, std::move(fit));
}

Array<double> MLPRegressor::predictions(const Features& x) const {
  check_inputs(name(), x, network);
  return detail::outputs_of(network, x.values()).reshape(Shape{x.count()});
}

void MLPRegressor::each(Parts& part) {
  part("options", options);
  part("network", network);
  part("losses", losses);
  part("validation_losses", validation_losses);
  part("solution", solution);
  part("warning", warning);
}

MLPClassifier::MLPClassifier(MLPClassifierOptions given) : options(std::move(given)) {}
std::string MLPClassifier::name() const { return "MLPClassifier"; }
bool MLPClassifier::is_fitted() const { return !network.empty(); }
bool MLPClassifier::has_probabilities() const { return true; }
Classifier::ClassWeights MLPClassifier::class_weights() const {
  return {options.balanced, options.class_weight};
}
Array<double> MLPClassifier::predict_proba(const Features& x) const {
  return detail::probabilities_of(decision_function(x));
}

void MLPClassifier::learn(const Features& x, const Array<double>& weights,
                          const Array<std::int64_t>& positions) {
  const std::int64_t k = classes.size();
  const TrainingRows rows{x.values(), weights, {}, positions};
  take(*this, detail::train_network(
                  name(), detail::plan_of(options), rows, k == 2 ? 1 : k,
                  [k](const Tensor<double>& outputs, const TrainingRows& some) {
                    if (k > 2)
                      return cross_entropy(outputs, some.labels, {.reduction = Reduction::none});
                    return bce_with_logits(reshape(outputs, {some.size()}), some.labels,
                                           {.reduction = Reduction::none});
                  }));
}

Array<double> MLPClassifier::decisions(const Features& x) const {
  check_inputs(name(), x, network);
  const Array<double> outputs = detail::outputs_of(network, x.values());
  return classes.size() == 2 ? outputs.reshape(Shape{x.count()}) : outputs;
}

void MLPClassifier::each(Parts& part) {
  part("options", options);
  part("network", network);
  part("losses", losses);
  part("validation_losses", validation_losses);
  each_class(part);
}

}  // namespace ebb::inline v0::nn
