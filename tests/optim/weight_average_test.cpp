// SPDX-License-Identifier: BSD-3-Clause
// Averages of weights over steps.
#include "ebb/optim/weight_average.hpp"

#include <doctest/doctest.h>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/linear.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
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

}  // TEST_SUITE("weight average")
