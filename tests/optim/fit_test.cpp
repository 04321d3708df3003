// SPDX-License-Identifier: BSD-3-Clause
// The training loop.
#include "ebb/optim/fit.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <csignal>
#include <iostream>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/data/sets/dataset.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/optim/callbacks/early_stopping.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::optim;
using ebb::test::close, ebb::test::same_bits;

namespace {

/// y = 2 a - b + 1 with a little that no line can follow.
struct Problem {
  Array<double> x = Array<double>::uninitialized({26, 2}),
                y = Array<double>::uninitialized({26, 1});
  nn::Linear<double> model = nn::Linear<double>::zeros(2, 1);

  Problem() {
    for (std::int64_t i = 0; i < 26; ++i) {
      const double a = std::sin(double(i)), b = std::cos(1.7 * double(i));
      x.mutate()[2 * i] = a;
      x.mutate()[2 * i + 1] = b;
      y.mutate()[i] = 2 * a - b + 1 + 0.01 * std::sin(40.0 * double(i));
    }
  }
  auto loader(std::int64_t batch = 8) const {
    return data::Loader(data::TensorDataset(x, y), {.batch_size = batch, .seed = 3});
  }
  auto loss() const {
    return [this](const auto& a, const auto& b) { return mse_loss(model(a), b); };
  }
  double loss_of_all() const { return mse_loss(model(x), y).item(); }
};

/// Counts what it is told.
struct Witness : Callback {
  std::vector<StepRecord> steps;
  std::vector<EpochRecord> epochs;
  int ends = 0;
  std::int64_t most_steps = 1'000'000;

  bool after_step(const StepRecord& step) override {
    steps.push_back(step);
    return std::int64_t(steps.size()) < most_steps;
  }
  bool after_epoch(const EpochRecord& epoch, const std::vector<std::string>&) override {
    epochs.push_back(epoch);
    return true;
  }
  void at_end() override { ++ends; }
};

}  // namespace

TEST_SUITE("fit") {

TEST_CASE("does what a loop by hand does, bit for bit") {
  Problem mine, theirs;
  auto by_hand = mine.loader(), by_fit = theirs.loader();
  Optimizer a(mine.model, Adam{.learning_rate = 0.05}),
      b(theirs.model, Adam{.learning_rate = 0.05});
  for (int epoch = 0; epoch < 5; ++epoch) {
    for (const auto& [x, y] : by_hand) {
      Tape tape;
      backward(mse_loss(mine.model(x), y));
      a.step(clip_norm(a, 0.5));
      a.zero_grad();
    }
  }
  Witness witness;
  const History history =
      fit(theirs.loss(), b, by_fit, {.epochs = 5, .clip_norm = 0.5, .callbacks = {&witness}});
  CHECK_AGREES(same_bits(mine.model.weight.value(), theirs.model.weight.value()));
  CHECK_AGREES(same_bits(mine.model.bias.value(), theirs.model.bias.value()));
  CHECK(history.ending == Ending::epochs);
  CHECK(history.epochs.size() == 5);
  CHECK(history.epochs[4].steps == 20);
  CHECK(witness.steps.size() == 20);
  CHECK(witness.steps[5].epoch == 2);
  CHECK(witness.steps[5].step == 6);
  CHECK(witness.steps[5].batches == 2);
  CHECK(witness.steps[5].of == 4);
  CHECK(witness.epochs.size() == 5);
  CHECK(witness.ends == 1);
  for (const StepRecord& step : witness.steps) {
    CHECK_AGREES(close(step.clipped_norm, std::fmin(step.gradient_norm, 0.5), 1e-5));
    CHECK(step.learning_rate == 0.05);
  }
  // Rows, not batches, weigh in the loss of an epoch: the last batch has two.
  double sum = 0;
  for (int i = 0; i < 4; ++i) sum += witness.steps[std::size_t(i)].loss * (i < 3 ? 8 : 2);
  CHECK_AGREES(close(history.epochs[0].loss, sum / 26, 1e-5));
  CHECK_FALSE(theirs.model.weight.has_gradient());
}

TEST_CASE("batches that make one step together are one large batch") {
  Problem mine, theirs;
  Optimizer a(mine.model, SGD{.learning_rate = 0.1}), b(theirs.model, SGD{.learning_rate = 0.1});
  auto whole = mine.loader(24), parts = theirs.loader(8);
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (const auto& [x, y] : whole) {
      Tape tape;
      backward(mse_loss(mine.model(x), y));
      a.step();
      a.zero_grad();
    }
  }
  Witness witness;
  // 8 + 8 + 8 rows, and then the 2 that are left of the epoch.
  fit(theirs.loss(), b, parts, {.epochs = 3, .accumulate = 3, .callbacks = {&witness}});
  CHECK(witness.steps.size() == 6);
  // The sums are added up in another order.
  CHECK_AGREES(close(mine.model.weight.value(), theirs.model.weight.value(), 1e-13));
  CHECK_AGREES(close(mine.model.bias.value(), theirs.model.bias.value(), 1e-13));
}

TEST_CASE("clipping of a step of several batches is that of the large batch") {
  Problem problem;
  Optimizer optimizer(problem.model, SGD{.learning_rate = 0.1});
  auto loader = problem.loader();
  Witness witness;
  fit(problem.loss(), optimizer, loader,
      {.accumulate = 4, .clip_norm = 0.25, .callbacks = {&witness}});
  CHECK(witness.steps.size() == 1);
  CHECK_AGREES(close(witness.steps[0].clipped_norm, 0.25, 1e-5));
  const auto w = problem.model.weight.value();
  const double b = problem.model.bias.value()[0];
  CHECK_AGREES(close(std::sqrt(w[0] * w[0] + w[1] * w[1] + b * b), 0.025, 1e-5));
}

TEST_CASE("validation and metrics are computed after each epoch, without recording") {
  Problem problem;
  Optimizer optimizer(problem.model, SGD{.learning_rate = 0.1});
  auto loader = problem.loader();
  const History history =
      fit(problem.loss(), optimizer, loader,
          {.epochs = 3,
           .validation = [&] { return problem.loss_of_all(); },
           .metrics = {{"bias", [&] { return problem.model.bias.value()[0]; }}}});
  CHECK(history.metrics == std::vector<std::string>{"bias"});
  CHECK(history.epochs[2].validation == problem.loss_of_all());
  CHECK(history.epochs[2].metrics[0] == problem.model.bias.value()[0]);
  CHECK(history.epochs[0].metrics[0] != history.epochs[2].metrics[0]);
}

TEST_CASE("ends by steps, time, or a callback") {
  Problem problem;
  Optimizer optimizer(problem.model, SGD{.learning_rate = 0.1});
  auto loader = problem.loader();
  const auto run = [&](FitOptions options) {
    options.epochs = 100;
    return fit(problem.loss(), optimizer, loader, options);
  };
  const History steps = run({.steps = 6});
  CHECK(steps.ending == Ending::steps);
  CHECK(optimizer.steps() == 6);
  CHECK(steps.epochs.size() == 2);  // the second is not whole
  CHECK(run({.steps = 0}).epochs.empty());
  CHECK(run({.seconds = 0}).ending == Ending::time);
  Witness witness;
  witness.most_steps = 3;
  CHECK(run({.callbacks = {&witness}}).ending == Ending::callback);
  CHECK(witness.steps.size() == 3);
  CHECK(fit(problem.loss(), optimizer, loader, {.epochs = 0}).epochs.empty());
}

TEST_CASE("Ctrl-C ends after the step that it meets") {
  Problem problem;
  Optimizer optimizer(problem.model, SGD{.learning_rate = 0.1});
  auto loader = problem.loader();
  Witness witness;
  int batches = 0;
  const auto loss = [&](const auto& x, const auto& y) {
    if (++batches == 2) std::raise(SIGINT);
    return mse_loss(problem.model(x), y);
  };
  std::ostringstream heard;
  std::streambuf* const standard = std::cerr.rdbuf(heard.rdbuf());
  const auto history =
      fit(loss, optimizer, loader, {.epochs = 9, .callbacks = {&witness}, .catch_interrupt = true});
  std::cerr.rdbuf(standard);
  CHECK(history.ending == Ending::interrupted);
  CHECK(optimizer.steps() == 2);
  CHECK_FALSE(witness.steps[0].is_last);
  CHECK(witness.steps[1].is_last);
  const std::string text =
      "interrupted after step 2; nothing was saved, as no SaveSnapshots is among the callbacks";
  CHECK(history.how_to_resume == text);
  CHECK(heard.str() == text + '\n');
}

TEST_CASE("a loss that is not finite ends it before the step, and is found") {
  Problem problem;
  Optimizer optimizer(problem.model, SGD{.learning_rate = 0.1});
  auto loader = problem.loader();
  int calls = 0;
  const auto loss = [&](const auto& x, const auto& y) {
    const auto fine = mse_loss(problem.model(x), y);
    return ++calls >= 3 ? log(fine - fine.detach() - 1.0) : fine;
  };
  const History history = fit(loss, optimizer, loader, {.epochs = 5});
  CHECK(history.ending == Ending::not_finite);
  CHECK(history.diagnosis.find("log") != std::string::npos);
  CHECK(optimizer.steps() == 2);
  CHECK_FALSE(problem.model.weight.has_gradient());
  for (double w : problem.model.weight.value()) CHECK(std::isfinite(w));
}

TEST_CASE("a gradient that is not finite ends it before the step, and is found") {
  Problem problem;
  Optimizer optimizer(problem.model, SGD{.learning_rate = 0.1});
  auto loader = problem.loader();
  const auto loss = [&](const auto& x, const auto& y) {
    const auto fine = mse_loss(problem.model(x), y);
    return fine + sqrt(fine - fine.detach());  // infinitely steep at 0
  };
  const History history = fit(loss, optimizer, loader);
  CHECK(history.ending == Ending::not_finite);
  CHECK(history.diagnosis.find("sqrt") != std::string::npos);
  CHECK(optimizer.steps() == 0);
  CHECK(problem.model.bias.value()[0] == 0);
}

TEST_CASE("a hook sees all gradients before the step, and may change them") {
  Problem problem;
  Optimizer optimizer(problem.model, SGD{.learning_rate = 0.1});
  auto loader = problem.loader();
  fit(problem.loss(), optimizer, loader, {.before_step = [&] {
        CHECK(problem.model.bias.has_gradient());
        problem.model.bias.set_gradient(Array<double>::of({0}));
      }});
  CHECK(problem.model.bias.value()[0] == 0);
  CHECK(problem.model.weight.value()[0] != 0);
}

TEST_CASE("early stopping gives back the best weights, whatever ends the run") {
  Problem problem;
  Optimizer optimizer(problem.model, SGD{.learning_rate = 0.1});
  auto loader = problem.loader();
  // Better until epoch 3, and then worse.
  int epoch = 0;
  std::vector<Array<double>> weights;
  const auto validation = [&] {
    weights.push_back(problem.model.weight.value());
    return std::abs(double(++epoch - 3));
  };
  SUBCASE("by itself") {
    EarlyStopping stopping(problem.model, {.patience = 4});
    const auto history = fit(problem.loss(), optimizer, loader,
                             {.epochs = 50, .validation = validation, .callbacks = {&stopping}});
    CHECK(history.ending == Ending::callback);
    CHECK(history.epochs.size() == 7);
    CHECK(stopping.best_epoch() == 3);
    CHECK(stopping.best() == 0);
  }
  SUBCASE("by the number of epochs") {
    EarlyStopping stopping(problem.model, {.patience = 9});
    fit(problem.loss(), optimizer, loader,
        {.epochs = 5, .validation = validation, .callbacks = {&stopping}});
    CHECK(epoch == 5);
  }
  SUBCASE("by an exception") {
    EarlyStopping stopping(problem.model, {.patience = 9});
    const auto fails = [&] {
      if (epoch == 4) throw std::runtime_error("no more");
      return validation();
    };
    CHECK_THROWS_WITH(fit(problem.loss(), optimizer, loader,
                          {.epochs = 9, .validation = fails, .callbacks = {&stopping}}),
                      "no more");
  }
  CHECK_AGREES(same_bits(problem.model.weight.value(), weights[2]));
}

TEST_CASE("what is followed must be there") {
  Problem problem;
  Optimizer optimizer(problem.model, SGD{.learning_rate = 0.1});
  auto loader = problem.loader();
  EarlyStopping stopping(problem.model);
  CHECK_THROWS_WITH_AS(fit(problem.loss(), optimizer, loader, {.callbacks = {&stopping}}),
                       "a callback follows \"validation\"; an epoch has \"loss\"; "
                       "FitOptions::validation and metrics "
                       "add to it",
                       ArgumentError);
  EarlyStopping on_loss(problem.model, {.watch = {.name = "loss"}});
  CHECK(fit(problem.loss(), optimizer, loader, {.callbacks = {&on_loss}}).epochs.size() == 1);
  EarlyStopping on_metric(problem.model, {.watch = {.name = "score", .larger_is_better = true}});
  double score = 0;
  fit(problem.loss(), optimizer, loader,
      {.epochs = 3, .metrics = {{"score", [&] { return score += 1; }}}, .callbacks = {&on_metric}});
  CHECK(on_metric.best_epoch() == 3);
}

TEST_CASE("a plateau reduces the rates, and no schedule may set them as well") {
  Problem problem;
  Optimizer optimizer(problem.model, SGD{.learning_rate = 0.1});
  auto loader = problem.loader();
  ReduceOnPlateau plateau(optimizer,
                          {.factor = 0.5, .patience = 1, .cooldown = 2, .minimum = 0.04});
  std::vector<double> rates;
  fit(problem.loss(), optimizer, loader,
      {.epochs = 9,
       .validation =
           [&] {
             rates.push_back(optimizer.rule().learning_rate);
             return 1.0;
           },
       .callbacks = {&plateau}});
  // The first number is the best; two worse ones reduce; two that do not count; two worse ones.
  CHECK(rates == std::vector<double>{0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.04, 0.04});
  Optimizer scheduled(problem.model, SGD{}, Constant{});
  CHECK_THROWS_AS(ReduceOnPlateau{scheduled}, ArgumentError);
}

TEST_CASE("refuses options out of their ranges") {
  Problem problem;
  Optimizer optimizer(problem.model, SGD{});
  auto loader = problem.loader();
  const auto refuses = [&](const FitOptions& options, const char* message) {
    CHECK_THROWS_WITH_AS(fit(problem.loss(), optimizer, loader, options), message, ArgumentError);
  };
  refuses({.epochs = -1}, "fit: epochs must be at least 0");
  refuses({.steps = -1}, "fit: steps must be at least 0");
  refuses({.seconds = -1}, "fit: seconds must be at least 0");
  refuses({.accumulate = 0}, "fit: accumulate must be at least 1");
  refuses({.clip_norm = 0}, "fit: clip_norm must be above 0");
  refuses({.clip_value = -1}, "fit: clip_value must be above 0");
  refuses({.metrics = {{"empty", {}}}}, "fit: a metric needs a function");
  refuses({.callbacks = {nullptr}}, "fit: a callback is null");
  CHECK_THROWS_AS(EarlyStopping(problem.model, {.patience = 0}), ArgumentError);
  CHECK_THROWS_AS(ReduceOnPlateau(optimizer, {.factor = 1}), ArgumentError);
}

TEST_CASE("the first step of each epoch tells how much it changed the weights") {
  Problem mine, theirs;
  auto by_hand = mine.loader(), by_fit = theirs.loader();
  Optimizer a(mine.model, SGD{.learning_rate = 0.1}), b(theirs.model, SGD{.learning_rate = 0.1});
  std::vector<double> ratios;
  for (int epoch = 0; epoch < 3; ++epoch) {
    bool is_first = true;
    for (const auto& [x, y] : by_hand) {
      const auto w = mine.model.weight.value(), c = mine.model.bias.value();
      Tape tape;
      backward(mse_loss(mine.model(x), y));
      a.step();
      a.zero_grad();
      if (std::exchange(is_first, false)) {
        const auto v = mine.model.weight.value(), d = mine.model.bias.value();
        ratios.push_back(std::hypot(v[0] - w[0], v[1] - w[1], d[0] - c[0]) /
                         std::hypot(w[0], w[1], c[0]));
      }
    }
  }
  const History history = fit(theirs.loss(), b, by_fit, {.epochs = 3});
  CHECK(std::isnan(history.epochs[0].update_ratio));  // the weights were 0
  for (const std::size_t epoch : {std::size_t(1), std::size_t(2)})
    CHECK_AGREES(close(history.epochs[epoch].update_ratio, ratios[epoch], 1e-12));
}

TEST_CASE("a history goes on where the loop was left, and begins anew otherwise") {
  Problem whole, part;
  auto all = whole.loader(), loader = part.loader();
  Optimizer a(whole.model, Adam{.learning_rate = 0.05}), b(part.model, Adam{.learning_rate = 0.05});
  const History expected = fit(whole.loss(), a, all, {.epochs = 4});
  History history;
  fit(part.loss(), b, loader, {.epochs = 4, .steps = 6, .history = &history});
  CHECK(history.epochs.size() == 2);
  CHECK(history.open.batches == 2);
  Witness witness;
  const History returned =
      fit(part.loss(), b, loader,
          {.epochs = 4, .resume = true, .history = &history, .callbacks = {&witness}});
  CHECK(witness.steps[0].epoch == 2);
  CHECK(witness.steps[0].batches == 3);
  CHECK(witness.steps[1].ends_epoch());
  REQUIRE(history.epochs.size() == 4);
  CHECK(returned.epochs.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(history.epochs[i].epoch == std::int64_t(i) + 1);
    CHECK(history.epochs[i].loss == expected.epochs[i].loss);
    CHECK(history.epochs[i].gradient_norm == expected.epochs[i].gradient_norm);
  }
  CHECK(history.open.steps == 0);

  // Without a history the batches that were done are known all the same.
  loader.seek({3, 7, 16});
  Witness other;
  fit(part.loss(), b, loader, {.epochs = 8, .resume = true, .callbacks = {&other}});
  CHECK(other.steps[0].epoch == 8);
  CHECK(other.steps[0].batches == 3);
  CHECK(other.steps.size() == 2);

  fit(part.loss(), b, loader, {.epochs = 1, .history = &history});
  CHECK(history.epochs.size() == 1);
  CHECK_THROWS_WITH_AS(fit(part.loss(), b, loader,
                           {.epochs = 2,
                            .resume = true,
                            .history = &history,
                            .metrics = {{"new", [] { return 1.0; }}}}),
                       "fit: the history that is resumed has other metrics", ArgumentError);
}

TEST_CASE("an optimizer that is chosen by name trains as its rule does") {
  Problem mine, theirs;
  auto by_type = mine.loader(), by_name = theirs.loader();
  Optimizer a(mine.model, Adam{.learning_rate = 0.05});
  AnyOptimizer b(theirs.model, "adam", {{"learning_rate", 0.05}});
  ReduceOnPlateau plateau_a(
      a, {.factor = 0.5, .patience = 0, .watch = {.name = "loss", .at_least = 10}}),
      plateau_b(b, {.factor = 0.5, .patience = 0, .watch = {.name = "loss", .at_least = 10}});
  fit(mine.loss(), a, by_type, {.epochs = 8, .clip_norm = 0.5, .callbacks = {&plateau_a}});
  const History history =
      fit(theirs.loss(), b, by_name, {.epochs = 8, .clip_norm = 0.5, .callbacks = {&plateau_b}});
  CHECK_AGREES(same_bits(mine.model.weight.value(), theirs.model.weight.value()));
  CHECK(history.epochs[0].learning_rate == 0.05);
  CHECK(b.option("learning_rate") == a.rule().learning_rate);
  AnyOptimizer scheduled(theirs.model, "sgd", {}, Constant{});
  CHECK_THROWS_AS(ReduceOnPlateau{scheduled}, ArgumentError);
}

TEST_CASE("any batches, and a loss of a batch") {
  Variable<float> w(Array<float>::of({1}));
  Optimizer optimizer({w}, SGD{.learning_rate = 0.25});
  const std::vector<float> batches = {1, 2, 3};
  const auto history = fit([&](float target) { return sum(square(w - target)); }, optimizer,
                           batches, {.epochs = 20});
  CHECK(history.epochs.back().steps == 60);
  CHECK(w.value()[0] > 2);
}

}  // TEST_SUITE("fit")
