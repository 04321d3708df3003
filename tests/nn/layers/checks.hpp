// SPDX-License-Identifier: BSD-3-Clause
// What holds for every layer.
#pragma once
#include <doctest/doctest.h>

#include <sstream>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/nn/gradcheck.hpp"
#include "ebb/nn/modes.hpp"
#include "ebb/nn/state.hpp"
#include "ebb/optim/optimizer.hpp"
#include "ebb/tests/close.hpp"

namespace ebb::test {

/// Numbers around 0 that are equal for equal shapes and seeds.
template <class T>
Array<T> numbers(const Shape& shape, std::uint64_t seed = 1) {
  Stream stream(seed);
  auto values = Array<T>::uninitialized(shape);
  T* const v = values.mutate();
  for (std::int64_t i = 0; i < shape.size(); ++i) v[i] = T(float(stream.normal()));
  return values;
}

/// A layer, and its input as one more parameter.
template <class Layer, class T>
struct WithInput {
  Layer layer;
  Variable<T> x;
  void each(Parts& part) {
    part("layer", layer);
    part("x", x);
  }
};

/// Checks the gradients of a layer in its input and its parameters, at both orders; that `each`
/// forgets none of them; and that its copy, and one with its state, give the bits that it gives.
template <class Layer>
void check_layer(Layer layer, const Shape& shape, bool has_kinks = false) {
  WithInput<Layer, double> model{std::move(layer), Variable<double>(numbers<double>(shape, 3))};
  GradientCheckOptions options;
  if (has_kinks) options.order = 1;
  for (const bool is_trained : {true, false}) {
    CAPTURE(is_trained);
    is_trained ? nn::train(model) : nn::eval(model);
    const GradientReport report = nn::check_gradients(
        model, [&] { return model.layer(model.x); }, options);
    std::ostringstream text;
    text << report;
    CHECK_MESSAGE(report.passed, text.str());
  }
  optim::Optimizer optimizer(model, optim::SGD{});
  {
    Tape tape;
    backward(sum(square(model.layer(model.x))));
  }
  optimizer.step();  // throws for a Variable that `each` forgot

  const Layer copy = nn::clone(model.layer);
  CHECK_AGREES(same_bits(copy(model.x.value()).array(), model.layer(model.x.value()).array()));
  Layer loaded = nn::clone(model.layer);
  nn::apply(loaded, [](const std::string&, auto& v) { v.set_value((v * 0.0).array()); });
  CHECK(nn::load_state(loaded, nn::state(model.layer)).empty());
  CHECK_AGREES(same_bits(loaded(model.x.value()).array(), model.layer(model.x.value()).array()));
}

/// Checks that a layer of float gives what the one of double gives, with the state of that.
template <class Narrow, class Wide>
void check_float(Narrow narrow, Wide& wide, const Shape& shape, double relative = 1e-5) {
  nn::eval(narrow);
  nn::eval(wide);
  CHECK(nn::load_state(narrow, nn::state(wide)).empty());
  const auto y = narrow(numbers<float>(shape, 3));
  CHECK_AGREES(
      close(cast<double>(y).array(), wide(numbers<double>(shape, 3)).array(), relative, relative));
}

}  // namespace ebb::test
