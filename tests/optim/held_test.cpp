// SPDX-License-Identifier: BSD-3-Clause
// Which variables an optimizer updates: those of its model, and no silence about others.
#include <doctest/doctest.h>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/optim/optimizer.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::same_bits;

TEST_SUITE("optimizer") {

/// A model whose `each` forgets a layer.
template <class T>
struct Forgetful {
  nn::Linear<T> known{2, 2}, forgotten{2, 1};
  Tensor<T> operator()(const Operand<T>& x) const { return forgotten(tanh(known(x))); }
  void each(Parts& part) { part("known", known); }
};

TEST_CASE_TEMPLATE("a layer that `each` forgets is found at the first step", T, float, double) {
  Forgetful<T> model;
  model.forgotten.weight.set_label("out");
  const auto sweep = [&] {
    const Tape tape;
    backward(sum(model(Array<T>::of({{1, 2}}))));
  };
  optim::Optimizer optimizer(model, optim::SGD{.learning_rate = 0.5});
  sweep();
  const auto before = model.known.weight.value();
  CHECK_THROWS_WITH_AS(
      optimizer.step(),
      "Optimizer: no optimizer updates the Variable \"out\" of shape (1, 2), a Variable of shape "
      "(1,), which got gradients: name every layer and Variable in `each` of the model; or, if "
      "they "
      "are to stay as they are, make it from a list: Optimizer(parameters(model), rule)",
      ArgumentError);
  CHECK_AGREES(same_bits(model.known.weight.value(), before));
  CHECK(optimizer.steps() == 0);

  // A list says what is to be updated, and a second optimizer may update the others.
  optim::Optimizer listed(parameters(model), optim::SGD{.learning_rate = 0.5});
  sweep();
  CHECK_NOTHROW(listed.step());
  optim::Optimizer again(model, optim::SGD{.learning_rate = 0.5});
  optim::Optimizer others(model.forgotten, optim::SGD{.learning_rate = 0.5});
  sweep();
  CHECK_NOTHROW(again.step());
  CHECK_NOTHROW(others.step());
}

TEST_CASE_TEMPLATE("only the sweep before the first step counts", T, float, double) {
  nn::Linear<T> model(2, 1);
  const Variable<T> other(Array<T>::of({1, 2}));
  const auto sweep = [](const Operand<T>& x) {
    const Tape tape;
    backward(sum(x * x));
  };
  optim::Optimizer optimizer(model, optim::SGD{});
  sweep(other);
  sweep(model.weight);
  CHECK_NOTHROW(optimizer.step());
  sweep(other);
  CHECK_NOTHROW(optimizer.step());
}

TEST_CASE_TEMPLATE("a parameter that was replaced in the model is an error", T, float, double) {
  auto model = nn::Linear<T>::zeros(2, 1);
  optim::Optimizer optimizer(model, optim::SGD{.learning_rate = 0.5});
  model.weight = Variable<T>(Array<T>::of({{1, 2}}));
  model.weight.set_gradient(Array<T>::of({{1, 1}}));
  model.bias.set_gradient(Array<T>::of({1}));
  CHECK_THROWS_WITH_AS(optimizer.step(),
                       "Optimizer: nothing but this optimizer holds the parameter \"weight\" of "
                       "shape (1, 2) any more: was another Variable assigned to it, or its layer "
                       "removed? Change a value by set_value, or make a new Optimizer",
                       ArgumentError);
  CHECK(model.bias.value()[0] == 0);
  CHECK(optimizer.steps() == 0);
}

}  // TEST_SUITE("optimizer")
