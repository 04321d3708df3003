// SPDX-License-Identifier: BSD-3-Clause
// Figures of trainings.
#include "ebb/tools/plot/training.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tools/plot/plot.hpp"

using namespace ebb;

namespace {

optim::History history(bool validates, bool clips) {
  optim::History h;
  if (validates) h.metrics = {"accuracy"};
  for (std::int64_t k = 1; k <= 3; ++k) {
    optim::EpochRecord e;
    e.epoch = k;
    e.loss = 1.0 / double(k);
    e.has_validation = validates;
    if (validates) e.validation = 2.0 / double(k), e.metrics = {0.5};
    e.gradient_norm = 4;
    e.clipped_norm = clips ? 1 : 4;
    if (k > 1) e.update_ratio = 1e-3;
    e.learning_rate = 0.1;
    h.epochs.push_back(e);
  }
  return h;
}

std::vector<std::string> titles(const plot::Panels& panels) {
  std::vector<std::string> names;
  for (const plot::Figure& figure : panels.figures) names.push_back(figure.title);
  return names;
}

}  // namespace

TEST_SUITE("plots of training") {

TEST_CASE("a history shows what it has, over its epochs") {
  const plot::Panels all = plot::training_curves(history(true, true));
  CHECK(titles(all) == std::vector<std::string>{"Loss", "accuracy", "Norms", "Learning rate"});
  CHECK(all.figures[0].curves.size() == 2);
  CHECK(all.figures[0].curves[1].name == "validation");
  CHECK(all.figures[0].curves[1].y[2] == 2.0 / 3);
  CHECK(all.figures[0].curves[1].x[2] == 3);
  CHECK(all.figures[0].y.scale == plot::Scale::log10);
  CHECK(all.figures[1].y.scale == plot::Scale::linear);
  CHECK(all.figures[2].curves.size() == 3);
  CHECK(std::isnan(all.figures[2].curves[2].y[0]));
  const plot::Panels few = plot::training_curves(history(false, false));
  CHECK(titles(few) == std::vector<std::string>{"Loss", "Norms", "Learning rate"});
  CHECK(few.figures[0].curves.size() == 1);
  CHECK(few.figures[1].curves.size() == 2);
  CHECK_FALSE(plot::script(all, "a.svg").empty());
}

TEST_CASE("a loss that falls below 0 has a linear axis, and a rate of 0 has no logarithm") {
  optim::History h = history(true, false);
  h.epochs[2].loss = -1;
  h.epochs[1].learning_rate = 0;
  const plot::Panels panels = plot::training_curves(h);
  CHECK(panels.figures[0].y.scale == plot::Scale::linear);
  CHECK(panels.figures.back().y.scale == plot::Scale::linear);
}

TEST_CASE("runs are compared by their validation, or by their loss") {
  const optim::History a = history(true, false), b = history(false, false);
  const plot::Figure figure = plot::compare_runs({{"a", a}, {"b", b}});
  CHECK(figure.curves[0].y[0] == 2);
  CHECK(figure.curves[1].y[0] == 1);
  CHECK(figure.curves[1].name == "b");
}

TEST_CASE("a range test shows its suggestion") {
  optim::LearningRateCurve curve;
  curve.rates = {0.01, 0.1, 1};
  curve.losses = {3, 1, 9};
  curve.smoothed = {3, 2, 5};
  CHECK(plot::learning_rate_curve(curve).curves.size() == 2);
  curve.suggestion = 0.1;
  const plot::Figure figure = plot::learning_rate_curve(curve);
  CHECK(figure.curves[2].name == "suggestion 0.1");
  CHECK(figure.curves[2].x[1] == 0.1);
  CHECK(figure.curves[2].y[0] == 1);
  CHECK(figure.curves[2].y[1] == 9);
  CHECK(figure.x.scale == plot::Scale::log10);
}

TEST_CASE("what has no numbers is refused") {
  CHECK_THROWS_WITH_AS(
      plot::training_curves({}),
      "training_curves: the history has no epoch; were there any steps, and was it "
      "given to fit as .history?",
      ArgumentError);
  CHECK_THROWS_AS(plot::compare_runs({}), ArgumentError);
  CHECK_THROWS_AS(plot::learning_rate_curve({}), ArgumentError);
}

}  // TEST_SUITE("plots of training")
