// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/tools/plot/training.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::plot {
namespace {

/// One number of each epoch.
template <class F>
Curve curve_of(const optim::History& history, std::string name, const F& number) {
  std::vector<double> x, y;
  for (const optim::EpochRecord& epoch : history.epochs) {
    x.push_back(double(epoch.epoch));
    y.push_back(number(epoch));
  }
  // A single point has no line.
  return {.name = std::move(name),
          .x = x,
          .y = y,
          .style = x.size() > 1 ? Style::lines : Style::points};
}

bool has_numbers(const Curve& curve) {
  return std::any_of(curve.y.begin(), curve.y.end(), [](double y) { return std::isfinite(y); });
}

/// A figure over the epochs, of the curves that have numbers; logarithmic if all are positive.
Figure over_epochs(std::string title, std::string label, std::vector<Curve> curves,
                   bool may_be_logarithmic = true) {
  std::erase_if(curves, [](const Curve& curve) { return !has_numbers(curve); });
  bool is_positive = may_be_logarithmic;
  for (const Curve& curve : curves) {
    is_positive = is_positive && std::all_of(curve.y.begin(), curve.y.end(),
                                             [](double y) { return y > 0 || std::isnan(y); });
  }
  return {.title = std::move(title),
          .x = {.label = "epoch"},
          .y = {.label = std::move(label), .scale = is_positive ? Scale::log10 : Scale::linear},
          .curves = std::move(curves)};
}

void refuse_empty(const optim::History& history, const char* who) {
  if (history.epochs.empty())
    throw ArgumentError(std::string(who) +
                        ": the history has no epoch; were there any steps, and was it "
                        "given to fit as .history?");
}

double loss(const optim::EpochRecord& e) { return e.loss; }
double validation(const optim::EpochRecord& e) { return e.validation; }

}  // namespace

Panels training_curves(const optim::History& history) {
  using optim::EpochRecord;
  refuse_empty(history, "training_curves");
  Panels panels;
  const auto add = [&](Figure figure) {
    if (!figure.curves.empty()) panels.figures.push_back(std::move(figure));
  };
  add(over_epochs(
      "Loss", "loss",
      {curve_of(history, "training", loss), curve_of(history, "validation", validation)}));
  std::vector<Curve> metrics;
  for (std::size_t i = 0; i < history.metrics.size(); ++i) {
    metrics.push_back(
        curve_of(history, history.metrics[i], [i](const EpochRecord& e) { return e.metrics[i]; }));
  }
  const std::string title = metrics.size() == 1 ? metrics[0].name : "Metrics";
  if (metrics.size() == 1) metrics[0].name.clear();
  add(over_epochs(title, "value", std::move(metrics), false));
  std::vector<Curve> norms = {
      curve_of(history, "gradient", [](const EpochRecord& e) { return e.gradient_norm; })};
  const bool is_clipped =
      std::any_of(history.epochs.begin(), history.epochs.end(),
                  [](const EpochRecord& e) { return e.clipped_norm < 0.999 * e.gradient_norm; });
  if (is_clipped) {
    norms.push_back(
        curve_of(history, "clipped gradient", [](const EpochRecord& e) { return e.clipped_norm; }));
  }
  norms.push_back(
      curve_of(history, "update / weights", [](const EpochRecord& e) { return e.update_ratio; }));
  add(over_epochs("Norms", "norm", std::move(norms)));
  add(over_epochs("Learning rate", "rate",
                  {curve_of(history, "", [](const EpochRecord& e) { return e.learning_rate; })}));
  return panels;
}

Figure compare_runs(const std::vector<NamedRun>& runs) {
  if (runs.empty()) throw ArgumentError("compare_runs: there is no run");
  std::vector<Curve> curves;
  for (const NamedRun& run : runs) {
    refuse_empty(run.history, "compare_runs");
    Curve curve = curve_of(run.history, run.name, validation);
    curves.push_back(has_numbers(curve) ? std::move(curve) : curve_of(run.history, run.name, loss));
  }
  return over_epochs("Runs", "loss", std::move(curves));
}

Figure learning_rate_curve(const optim::LearningRateCurve& curve) {
  if (curve.rates.empty()) throw ArgumentError("learning_rate_curve: there is no rate");
  const auto [low, high] = std::minmax_element(curve.losses.begin(), curve.losses.end());
  Figure figure{.title = "Range test of the learning rate",
                .x = {.label = "learning rate", .scale = Scale::log10},
                .y = {.label = "loss"},
                .curves = {{.name = "loss of each batch",
                            .x = curve.rates,
                            .y = curve.losses,
                            .style = Style::points},
                           {.name = "smoothed", .x = curve.rates, .y = curve.smoothed}}};
  if (!std::isnan(curve.suggestion)) {
    char name[48];
    std::snprintf(name, sizeof name, "suggestion %.2g", curve.suggestion);
    figure.curves.push_back(
        {.name = name, .x = {curve.suggestion, curve.suggestion}, .y = {*low, *high}});
  }
  return figure;
}

}  // namespace ebb::inline v0::plot
