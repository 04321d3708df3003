// SPDX-License-Identifier: BSD-3-Clause
// A frozen variable is a constant until it is made trainable again.
#include <doctest/doctest.h>

#include "ebb/autodiff/functional_call.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::same_bits;

TEST_SUITE("frozen variables") {

TEST_CASE_TEMPLATE("they get no gradient, and others get theirs", T, float, double) {
  Variable<T> frozen(Array<T>::of({2, 3})), trained(Array<T>::of({5, 7}));
  frozen.freeze();
  Tape tape;
  backward(sum(frozen * trained));
  CHECK_FALSE(frozen.has_gradient());
  CHECK_AGREES(same_bits(trained.gradient(), Array<T>::of({2, 3})));
}

TEST_CASE("what is computed from them alone is a constant, inside and outside of a tape") {
  Variable<double> w(Array<double>::of({1, 2}));
  w.freeze();
  const auto before = exp(w);
  Tape tape;
  Variable<double> other(Array<double>::of({1, 2}));
  backward(sum(before * other));  // an untracked tensor would be refused
  CHECK(other.has_gradient());
  CHECK_THROWS_AS(backward(sum(exp(w))), TapeError);
}

TEST_CASE("freezing removes the gradient, and unfreezing starts anew") {
  Variable<double> w(Array<double>::of({1, 2}), "encoder.weight");
  w.set_gradient(Array<double>::of({3, 4}));
  CHECK_FALSE(w.is_frozen());
  w.freeze();
  CHECK(w.is_frozen());
  CHECK_FALSE(w.has_gradient());
  CHECK_THROWS_WITH(static_cast<void>(w.gradient()),
                    "gradient: the Variable \"encoder.weight\" has none, since it is frozen; "
                    "unfreeze() makes it trainable");
  w.unfreeze();
  Tape tape;
  backward(sum(square(w)));
  CHECK_AGREES(same_bits(w.gradient(), Array<double>::of({2, 4})));
}

TEST_CASE("all handles share it, and clones keep it") {
  Variable<float> w(Array<float>::of({1}));
  const auto tied = w.share();
  w.freeze();
  CHECK(tied.is_frozen());
  auto copy = w.clone();
  CHECK(copy.is_frozen());
  copy.unfreeze();
  CHECK(w.is_frozen());
}

TEST_CASE("a gradient that is asked for is refused with the cure") {
  Variable<double> w(Array<double>::of({1, 2})), v(Array<double>::of({1, 2}));
  w.freeze();
  Tape tape;
  const auto y = sum(w * v);
  CHECK_THROWS_WITH(static_cast<void>(grad(y, {w})),
                    "grad: an input is a frozen Variable; unfreeze() makes it trainable");
}

TEST_CASE("values that stand in for a frozen variable are recorded") {
  Variable<double> w(Array<double>::of({1, 2}));
  w.freeze();
  Tape tape;
  const auto x = tape.watch(Tensor<double>(Array<double>::of({3, 4})));
  std::vector<Variable<double>> variables;
  variables.push_back(w.share());
  const auto y = functional_call(variables, {x}, [&] { return sum(square(w)); });
  CHECK_AGREES(same_bits(grad(y, x).array(), Array<double>::of({6, 8})));
}

}  // TEST_SUITE("frozen variables")
