// SPDX-License-Identifier: BSD-3-Clause
// Limits of gradients.
#include "ebb/optim/clip.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::close, ebb::test::same_bits;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <class T>
Variable<T> with_gradient(const Array<T>& gradient) {
  Variable<T> variable(Array<T>::zeros(gradient.shape()));
  variable.set_gradient(gradient);
  return variable;
}

}  // namespace

TEST_SUITE("clip") {

TEST_CASE("the norm is that of all gradients together, of both types") {
  const auto a = with_gradient(Array<float>::of({3, 0, 0, 0, 0, 0, 0, 0, 0, 4}));
  const auto b = with_gradient(Array<double>::of({{0, 12}, {0, 0}}));
  const Variable<double> c(Array<double>::of({1}));  // without a gradient
  optim::Optimizer optimizer({a, b, c}, optim::SGD{.learning_rate = 1});
  CHECK(optim::gradient_norm(optimizer) == 13);
  CHECK(optim::gradient_norm(Parameters{a, b, c}) == 13);

  const auto free = optim::clip_norm(optimizer, 13);
  CHECK(free.norm == 13);
  CHECK(free.scale == 1);
  const auto clipped = optim::clip_norm(optimizer, 6.5);
  CHECK(clipped.norm == 13);
  CHECK(clipped.scale == 0.5);
  optimizer.step(clipped);
  CHECK(a.value()[0] == -1.5f);
  CHECK(b.value()[1] == -6);
  CHECK(a.gradient()[0] == 3);  // the gradients stay as they are
  CHECK(optim::clip_norm(Parameters{a, b, c}, 6.5).scale == 0.5);
}

TEST_CASE("squares that overflow do not hide a norm that is finite") {
  const auto a = with_gradient(Array<double>::of({3e200}));
  const auto b = with_gradient(Array<double>::of({4e200, 0}));
  const auto c = with_gradient(Array<double>::of({1e190}));
  CHECK_AGREES(close(optim::gradient_norm(Parameters{a, b}), 5e200, 1e-5));
  CHECK_AGREES(close(optim::gradient_norm(Parameters{c, b, a}), 5e200, 1e-5));
  CHECK_AGREES(close(optim::gradient_norm(Parameters{a, c, b}), 5e200, 1e-5));
}

TEST_CASE("a norm of no gradient is 0, and no reason to scale") {
  const Variable<double> w(Array<double>::of({1}));
  CHECK(optim::clip_norm(Parameters{w}, 1).norm == 0);
  CHECK(optim::clip_norm(Parameters{w}, 1).scale == 1);
}

TEST_CASE("NaN and infinity are refused with their place") {
  const Variable<double> named(Array<double>::zeros({2, 2}), "encoder.weight");
  named.share().set_gradient(Array<double>::of({{0, 1}, {not_a_number, 1}}));
  CHECK_THROWS_WITH_AS(
      static_cast<void>(optim::clip_norm(Parameters{named}, 1)),
      "clip_norm: the gradient of \"encoder.weight\" of shape (2, 2) has nan at "
      "position 2; a Tape with check_finite finds the operation that it comes from",
      NonFiniteError);
  const auto infinite =
      with_gradient(Array<float>::of({1, std::numeric_limits<float>::infinity()}));
  CHECK_THROWS_AS(static_cast<void>(optim::clip_norm(Parameters{infinite}, 1)), NonFiniteError);
  CHECK_THROWS_AS(optim::clip_adaptive(Parameters{infinite}), NonFiniteError);
  const auto w = with_gradient(Array<double>::of({1}));
  for (const double limit : {0.0, -1.0, not_a_number})
    CHECK_THROWS_AS(static_cast<void>(optim::clip_norm(Parameters{w}, limit)), ArgumentError);
  CHECK_THROWS_WITH_AS(optim::clip_adaptive(Parameters{w}, 0),
                       "clip_adaptive: the factor must be above 0, not 0", ArgumentError);
  CHECK_THROWS_WITH_AS(optim::clip_adaptive(Parameters{w}, 1, -1),
                       "clip_adaptive: the smallest norm must be above 0, not -1", ArgumentError);
}

TEST_CASE("elements are limited by a step, after its scale") {
  const auto w = with_gradient(Array<double>::of({-8, -1, 0, 2, 8, not_a_number}));
  optim::Optimizer optimizer({w}, optim::SGD{.learning_rate = 1});
  optimizer.step({.scale = 0.5, .clip_value = 2});
  CHECK_AGREES(close(w.value(), Array<double>::of({2, 0.5, 0, -1, -2, not_a_number}), 0));
  CHECK_THROWS_WITH_AS(optimizer.step({.clip_value = 0}),
                       "Optimizer: clip_value must be above 0, not 0", ArgumentError);
  CHECK_THROWS_WITH_AS(optimizer.step({.scale = not_a_number}),
                       "Optimizer: the scale of the gradients must be finite, not nan",
                       ArgumentError);
  CHECK(optimizer.steps() == 1);
}

TEST_CASE_TEMPLATE("adaptive clipping limits each row by the norm of its weights", T, float,
                   double) {
  Variable<T> w(Array<T>::of({{3, 4}, {0, 0}, {30, 40}}));
  w.set_gradient(Array<T>::of({{6, 8}, {1, 0}, {3, 4}}));
  Variable<T> bias(Array<T>::of({T(0.6), T(0.8)}));
  bias.set_gradient(Array<T>::of({0, 2}));
  optim::clip_adaptive(Parameters{w, bias}, 0.5, 0.25);
  // Norms of weights 5, at least 0.25, 50; of gradients 10, 1, 5; the bias as a whole: 1 and 2.
  CHECK_AGREES(close(w.gradient(), Array<T>::of({{1.5, 2}, {0.125, 0}, {3, 4}}), 1e-6));
  CHECK_AGREES(close(bias.gradient(), Array<T>::of({0, 0.5}), 1e-6));
}

}  // TEST_SUITE("clip")
