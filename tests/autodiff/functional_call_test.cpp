// SPDX-License-Identifier: BSD-3-Clause
// A model as a function of its parameters.
#include "ebb/autodiff/functional_call.hpp"
#include "ebb/autodiff/ops.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

struct Affine {
  Variable<double> weight{op::spread({1, 3}), "weight"}, bias{Array<double>::of({0.25}), "bias"};

  Tensor<double> operator()(const Operand<double>& x) const { return linear(x, weight, bias); }
  void each(Parts& part) {
    part("weight", weight);
    part("bias", bias);
  }
};

const Array<double> x = op::spread({8, 3}), y = op::spread({8, 1}, 7);
const Array<double> held_x = op::spread({5, 3}, 3), held_y = op::spread({5, 1}, 11);

}  // namespace

TEST_SUITE("functional call") {

TEST_CASE("operations take the values for the variables") {
  Affine model;
  const Tensor<double> weight = op::spread({1, 3}, 5), bias = op::spread({1}, 6);
  const auto y1 = functional_call(model, {weight, bias}, [&] { return model(x); });
  CHECK_AGREES(same_bits(y1.array(), linear(x, weight, bias).array()));
  // Outside of the call, and in the members of a variable, nothing has changed.
  const auto value = functional_call(model, {weight, bias}, [&] { return model.bias.value()[0]; });
  CHECK(value == 0.25);
  CHECK_AGREES(same_bits(model(x).array(), linear(x, model.weight, model.bias).array()));
}

TEST_CASE("the innermost call counts, and an exception ends it") {
  Affine model;
  const auto total = [&] { return sum(model.weight + model.bias).item(); };
  const Tensor<double> zeros = Array<double>::zeros({1, 3}), ones = Array<double>::full({1, 3}, 1);
  const Tensor<double> none = Array<double>::zeros({1});
  const auto inner = [&] { return functional_call(model, {ones, none}, total); };
  CHECK(functional_call(model, {zeros, none}, inner) == 3);
  CHECK(functional_call(model, {zeros, none}, [&] { return inner() + total(); }) == 3);
  const double before = total();
  CHECK_THROWS_AS(
      functional_call(model, {zeros, none}, [&]() -> int { throw std::runtime_error("no more"); }),
      std::runtime_error);
  CHECK(total() == before);
}

TEST_CASE("the gradient of a held-out loss passes through a step to its rate") {
  Affine model;
  // The loss on held-out rows after one step of gradient descent, as a function of its rate.
  const auto after_step = [&](const Tensor<double>& rate) {
    const Tensor<double> weight = model.weight, bias = model.bias;
    const auto g =
        grad(mse_loss(linear(x, weight, bias), y), {weight, bias}, {.create_graph = true});
    return functional_call(model, {weight - rate * g[0], bias - rate * g[1]},
                           [&] { return mse_loss(model(held_x), held_y); });
  };
  Tape tape;
  const auto rate = tape.watch(Array<double>(0.1));
  const double slope = grad(after_step(rate), rate).item();
  const auto value = [&](double r) {
    Tape own;
    return after_step(Tensor<double>(r)).item();
  };
  const double h = 1e-5;
  // Third order terms of central differences, and roundings over the step.
  CHECK(std::abs(slope - (value(0.1 + h) - value(0.1 - h)) / (2 * h)) <= 1e-8 * std::abs(slope));
  CHECK_FALSE(model.weight.has_gradient());
}

TEST_CASE("inside the call, a gradient in a variable is a gradient in its value") {
  Affine model;
  Tape tape;
  const auto weight = tape.watch(op::spread({1, 3}, 5)), bias = tape.watch(op::spread({1}, 6));
  const auto inside = functional_call(model, {weight, bias}, [&] {
    return grad(sum(square(model(x))), model.weight, {.keep_tape = true});
  });
  const auto direct = grad(sum(square(linear(x, weight, bias))), weight);
  CHECK_AGREES(same_bits(inside.array(), direct.array()));
}

TEST_CASE("every variable needs a value of its shape") {
  Affine model;
  const auto call = [&](const std::vector<Tensor<double>>& values) {
    return message_of([&] { functional_call(model, values, [&] { return model(x); }); });
  };
  CHECK(call({Array<double>::zeros({1, 3})}) == "functional_call: 1 values for 2 variables");
  CHECK(call({Array<double>::zeros({1, 3}), Array<double>::zeros({1}),
              Array<double>::zeros({1})}) == "functional_call: 3 values for 2 variables");
  CHECK(call({Array<double>::zeros({1, 3}), Array<double>::zeros({2})}) ==
        "functional_call: value 1 has shape (2,), but its variable \"bias\" has shape (1,)");
  CHECK(call({Array<double>::zeros({1, 3}), Tensor<double>()}) ==
        "functional_call: value 1 is an empty tensor, but its variable \"bias\" has shape (1,)");
  // An empty tensor is no value for a variable without elements either, though it has the shape.
  std::vector<Variable<double>> none;
  none.emplace_back(Array<double>::zeros({0}));
  const auto call_none = [&](const Tensor<double>& value) {
    return functional_call(none, {value}, [&] { return sum(none[0]).item(); });
  };
  CHECK(message_of([&] { call_none({}); }) ==
        "functional_call: value 0 is an empty tensor, but its variable has shape (0,)");
  CHECK(call_none(Array<double>::zeros({0})) == 0);
}

}  // TEST_SUITE("functional call")
