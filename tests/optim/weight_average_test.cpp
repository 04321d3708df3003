// SPDX-License-Identifier: BSD-3-Clause
// Averages of weights over steps.
#include "ebb/optim/weight_average.hpp"

#include <doctest/doctest.h>

#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/optim/fit.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::optim;
using ebb::test::close, ebb::test::same_bits;

namespace {

template <class T>
struct Model {
  Variable<T> w{Array<T>::of({1, 10})};
  Variable<double> wide{Array<double>::of({2})};
  void each(Parts& part) {
    part("w", w);
    part("wide", wide);
  }
};

}  // namespace

TEST_SUITE("weight average") {

TEST_CASE_TEMPLATE("exponential, from the weights of the start", T, float, double) {
  Model<T> model;
  optim::WeightAverage average(model, {.decay = 0.75});
  model.w.set_value(Array<T>::of({5, 10}));
  average.update();
  model.w.set_value(Array<T>::of({-2, 14}));
  average.update();
  CHECK(average.updates() == 2);
  average.swap();
  CHECK(average.is_swapped());
  CHECK_AGREES(same_bits(model.w.value(), Array<T>::of({1, 11})));
  CHECK(model.wide.value()[0] == 2);
  average.swap();
  CHECK_AGREES(same_bits(model.w.value(), Array<T>::of({-2, 14})));
}

TEST_CASE_TEMPLATE("the mean of all updates, without the start", T, float, double) {
  Model<T> model;
  optim::WeightAverage average(model, {.decay = -1});
  for (const int k : {3, 6, 12}) {
    model.w.set_value(Array<T>::of({T(k), T(2 * k)}));
    average.update();
  }
  average.swap();
  // A mean of three small numbers, rounded three times.
  CHECK_AGREES(close(model.w.value(), Array<T>::of({7, 14}), sizeof(T) == 8 ? 1e-15 : 1e-6));
}

TEST_CASE("a value that is held elsewhere is not changed by the next update") {
  Model<double> model;
  optim::WeightAverage average(model, {.decay = 0.5});
  const Array<double> held = model.w.value();
  model.w.set_value(Array<double>::of({3, 0}));
  average.update();
  CHECK_AGREES(same_bits(held, Array<double>::of({1, 10})));
}

TEST_CASE("refuses what would spoil the averages") {
  Model<double> model;
  CHECK_THROWS_WITH_AS(optim::WeightAverage(model, {.decay = 1}),
                       "WeightAverage: decay must be in [0, 1), or negative for the mean, not 1",
                       ArgumentError);
  optim::WeightAverage average(model);
  average.swap();
  CHECK_THROWS_WITH_AS(
      average.update(),
      "WeightAverage: the model has the averages; swap them out before the next update",
      ArgumentError);
}

TEST_CASE("fit averages after every step, and the model has the averages at the end") {
  const auto run = [](AverageWeightsOptions options, bool swaps_by_hand) {
    Variable<double> w(Array<double>::of({0}));
    struct Model {
      Variable<double>& w;
      void each(Parts& part) { part("w", w); }
    } model{w};
    Optimizer optimizer(model, SGD{.learning_rate = 0.25});
    WeightAverage average(model, {.decay = -1});  // the mean
    AverageWeights averaging(average, options);
    std::vector<double> weights, validated;
    struct Note : Callback {
      Variable<double>& w;
      std::vector<double>& weights;
      Note(Variable<double>& v, std::vector<double>& list) : w(v), weights(list) {}
      bool after_step(const StepRecord&) override {
        weights.push_back(w.value()[0]);
        return true;
      }
    } note(w, weights);
    const std::vector<double> batches = {1, 3};
    const FitOptions fits{.epochs = 3,
                          .validation = [&] { return validated.emplace_back(w.value()[0]); },
                          .callbacks = {&averaging, &note}};
    fit([&](double c) { return sum(square(w - c)); }, optimizer, batches, fits);
    CHECK(average.is_swapped());
    const double at_end = w.value()[0];
    if (swaps_by_hand) {
      average.swap();
      CHECK(w.value()[0] == weights.back());
      average.swap();
    }
    // A second call goes on from the weights, not from their averages.
    fit([&](double c) { return sum(square(w - c)); }, optimizer, batches, fits);
    CHECK_AGREES(close(weights[6], (weights[5] + 1) / 2, 1e-15));
    weights.resize(6);
    validated.resize(3);
    validated.push_back(at_end);
    validated.insert(validated.end(), weights.begin(), weights.end());
    return validated;
  };
  const auto mean = [](const std::vector<double>& v, std::vector<int> at) {
    double sum = 0;
    for (const int i : at) sum += v[std::size_t(i) + 4];  // the weights stand behind
    return sum / double(at.size());
  };
  const auto every = run({}, true);
  CHECK_AGREES(close(every[0], mean(every, {0, 1}), 1e-15));
  CHECK_AGREES(close(every[2], mean(every, {0, 1, 2, 3, 4, 5}), 1e-15));
  CHECK(every[3] == every[2]);
  const auto late = run({.first_epoch = 2}, false);
  CHECK(late[0] == late[5]);  // nothing is averaged yet
  CHECK_AGREES(close(late[1], mean(late, {2, 3}), 1e-15));
  CHECK_AGREES(close(late[3], mean(late, {2, 3, 4, 5}), 1e-15));
  const auto epochs = run({.each_epoch = true}, false);
  CHECK(epochs[0] == epochs[5]);
  CHECK_AGREES(close(epochs[2], mean(epochs, {1, 3, 5}), 1e-15));
  Variable<double> w(Array<double>::of({0}));
  WeightAverage average(Parameters{w});
  CHECK_THROWS_WITH_AS(AverageWeights(average, {.first_epoch = 0}),
                       "AverageWeights: first_epoch must be at least 1, not 0", ArgumentError);
}

}  // TEST_SUITE("weight average")
