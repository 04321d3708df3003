// SPDX-License-Identifier: BSD-3-Clause
// Derivatives of functions, one call each, against their formulas and against each other.
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/ops.hpp"

#include <cmath>
#include <string>

#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/gradcheck.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

// Formulas are evaluated in another order than the library's, some ten roundings in all.
constexpr double roundings = 1e-14;

const auto rosenbrock = [](const auto& x) {
  const auto a = slice(x, 0, {0, 1}), b = slice(x, 0, {1, 2});
  return sum(square(1 - a) + 100 * square(b - square(a)));
};
Array<double> rosenbrock_hessian(double a, double b) {
  return Array<double>::of({{1200 * a * a - 400 * b + 2, -400 * a}, {-400 * a, 200}});
}

/// Six values of four numbers, or two: every Jacobian has more rows than columns, or fewer.
struct Curve {
  std::int64_t values;
  Tensor<double> operator()(const Tensor<double>& x) const {
    const auto m = op::spread({values, x.size()});
    return sin(matmul(m, x)) * exp(0.1 * sum(x * x));
  }
};

Array<double> unit(const Shape& shape, std::int64_t k) {
  auto array = Array<double>::zeros(shape);
  array.mutate()[k] = 1;
  return array;
}

}  // namespace

TEST_SUITE("derivatives") {

TEST_CASE("value, gradient, Hessian and its products are those of Rosenbrock's function") {
  const auto x = Array<double>::of({-1.2, 0.7});
  const double a = x[0], b = x[1];
  const auto both = value_and_gradient(rosenbrock, x);
  CHECK_AGREES(close(both.value.array(),
                     Array<double>((1 - a) * (1 - a) + 100 * (b - a * a) * (b - a * a)),
                     roundings));
  const auto g = Array<double>::of({-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)});
  CHECK_AGREES(close(both.gradient.array(), g, roundings));
  CHECK_AGREES(close(hessian(rosenbrock, x).array(), rosenbrock_hessian(a, b), roundings));
  const auto v = Array<double>::of({0.3, -2});
  const auto hv = Array<double>::of(
      {(1200 * a * a - 400 * b + 2) * v[0] - 400 * a * v[1], -400 * a * v[0] + 200 * v[1]});
  CHECK_AGREES(close(hvp(rosenbrock, x, v).array(), hv, roundings));
  const auto all = value_gradient_and_hvp(rosenbrock, x, v);
  CHECK_AGREES(same_bits(all.value.array(), both.value.array()));
  CHECK_AGREES(close(all.gradient.array(), g, roundings));
  CHECK_AGREES(close(all.hvp.array(), hv, roundings));
  CHECK_AGREES(close(directional_derivative(rosenbrock, x, v).array(),
                     Array<double>(g[0] * v[0] + g[1] * v[1]), roundings));
}

TEST_CASE("the slope in a direction is largest along the gradient") {
  const auto f = [](const auto& x) { return -square(sum(square(cos(x)))); };
  const auto x = Array<double>::of({0.4, -1.1});
  const auto g = gradient(f, x).array();
  const double length = std::hypot(g[0], g[1]);
  const auto along = Array<double>::of({g[0] / length, g[1] / length});
  const double steepest = directional_derivative(f, x, along).item();
  CHECK(std::abs(steepest - length) <= roundings * length);
  for (int k = 0; k < 360; ++k) {
    const double angle = k * std::acos(-1.0) / 180;
    const auto u = Array<double>::of({std::cos(angle), std::sin(angle)});
    CHECK(directional_derivative(f, x, u).item() <= steepest * (1 + roundings));
  }
}

TEST_CASE("jvp of elementwise steps is one sweep, and that of any other two") {
  const auto x = op::spread({2, 3}), u = op::spread({2, 3}, 0.4), row = op::spread({3}, 1.2);
  const auto elementwise_steps = [&](const auto& p) {
    return fuse([](auto a, auto b) { return tanh(a * b); }, p, row) * p - sin(p);
  };
  // The same function, with a step that is not elementwise.
  const auto other_steps = [&](const auto& p) {
    return reshape(elementwise_steps(reshape(p, {2, 3})), {2, 3}) + sum(p) * 0.0;
  };
  CHECK_AGREES(close(jvp(elementwise_steps, x, u), jvp(other_steps, x, u), 1e-14));
  const auto records_of = [&](const auto& f) {
    Tape tape;
    const auto point = tape.watch(x);
    f(point);
    const std::int64_t once = tape.size();
    jvp(f, point, u);
    return tape.size() - 2 * once;
  };
  CHECK(records_of(elementwise_steps) < records_of(other_steps) / 2);
  // A column that is stretched is elementwise, too, but its Jacobian is not diagonal.
  const auto column = op::spread({2, 1});
  const auto stretched = [&](const auto& p) { return p * row; };
  CHECK_AGREES(close(jvp(stretched, column, column), column * row, 1e-15));
  // A value that does not depend on the argument, and the argument itself.
  Tape tape;
  const auto outside = tape.watch(x);
  CHECK(equal(jvp([&](const auto&) { return outside * 2; }, x, u).array(),
              Array<double>::zeros({2, 3})));
  CHECK(equal(jvp([](const auto& p) { return p; }, x, u).array(), u));
}

TEST_CASE("a Jacobian has the rows of vjp and the columns of jvp, and is right") {
  for (std::int64_t values : {2, 4, 6}) {
    const Curve f{values};
    const auto x = op::spread({4}, 3);
    const auto J = jacobian(f, x).array();
    REQUIRE(J.shape() == Shape{values, 4});
    for (std::int64_t i = 0; i < values; ++i) {
      CHECK_AGREES(close(vjp(f, x, unit({values}, i)).array(), J.leading(i, i + 1).reshape({4}),
                         roundings, roundings));
    }
    for (std::int64_t j = 0; j < 4; ++j) {
      const auto column = jvp(f, x, unit({4}, j)).array();
      // Third order terms of central differences with steps of 1e-5, and roundings over the step.
      auto right = x, left = x;
      right.mutate()[j] += 1e-5;
      left.mutate()[j] -= 1e-5;
      const auto y1 = f(Tensor<double>(right)), y0 = f(Tensor<double>(left));
      REQUIRE(column.shape() == Shape{values});
      for (std::int64_t i = 0; i < values; ++i) {
        CHECK(std::abs(column[i] - J.data()[i * 4 + j]) <= roundings * (1 + std::abs(column[i])));
        const double difference = (y1.data()[i] - y0.data()[i]) / 2e-5;
        CHECK(std::abs(column[i] - difference) <= 1e-8 * (1 + std::abs(column[i])));
      }
    }
  }
}

TEST_CASE("the axes of a Jacobian are those of the value and of the argument") {
  const auto x = op::spread({2, 3});
  const auto f = [](const auto& m) { return matmul(m, transpose(m)); };
  CHECK(jacobian(f, x).shape() == Shape{2, 2, 2, 3});
  CHECK(hessian([](const auto& m) { return sum(square(m)); }, x).shape() == Shape{2, 3, 2, 3});
  const auto scalar = [](const auto& v) { return exp(v); };
  CHECK(jacobian(scalar, Array<double>(0.0)).shape() == Shape());
  CHECK(jacobian(scalar, Array<double>(0.0)).item() == 1);
  CHECK(jacobian(scalar, Array<double>::zeros({0})).shape() == Shape{0, 0});
  CHECK(jacobian([](const auto& v) { return sum(v); }, Array<double>::zeros({0})).shape() ==
        Shape{0});
}

TEST_CASE("a value that does not depend on the argument has zeros") {
  const auto x = op::spread({3});
  const auto constant = [](const auto&) { return Tensor<double>(op::spread({2})); };
  CHECK(equal(jacobian(constant, x).array(), Array<double>::zeros({2, 3})));
  CHECK(equal(jvp(constant, x, x).array(), Array<double>::zeros({2})));
  CHECK(equal(vjp(constant, x, op::spread({2})).array(), Array<double>::zeros({3})));
  const auto linear = [](const auto& v) { return sum(2 * v); };
  CHECK(equal(hessian(linear, x).array(), Array<double>::zeros({3, 3})));
  CHECK(equal(hvp(linear, x, x).array(), Array<double>::zeros({3})));
  CHECK(equal(value_gradient_and_hvp(linear, x, x).hvp.array(), Array<double>::zeros({3})));
  const auto one = [](const auto&) { return Tensor<double>(1.0); };
  CHECK(equal(hessian(one, x).array(), Array<double>::zeros({3, 3})));
  CHECK(directional_derivative(one, x, x).item() == 0);
}

TEST_CASE("transforms nest to any order") {
  const auto power = [](const auto& x) { return sum(square(square(x))); };
  const auto x = Array<double>::of({0.5, 2});
  const auto first = [&](const auto& v) { return sum(gradient(power, v)); };
  const auto second = [&](const auto& v) { return sum(gradient(first, v)); };
  const auto third = [&](const auto& v) { return sum(gradient(second, v)); };
  CHECK_AGREES(close(gradient(first, x).array(), Array<double>::of({3, 48}), roundings));
  CHECK_AGREES(close(gradient(second, x).array(), Array<double>::of({12, 48}), roundings));
  CHECK_AGREES(close(gradient(third, x).array(), Array<double>::of({24, 24}), roundings));
  // The Hessian is the Jacobian of the gradient, and that of the Hessian is the third derivative.
  const auto slope = [&](const auto& v) { return gradient(rosenbrock, v); };
  const auto at = Array<double>::of({-1.2, 0.7});
  CHECK_AGREES(close(jacobian(slope, at).array(), rosenbrock_hessian(-1.2, 0.7), roundings));
  const auto curvature = [&](const auto& v) { return hessian(rosenbrock, v); };
  CHECK_AGREES(close(jacobian(curvature, at).array(),
                     Array<double>({2, 2, 2}, {-2400 * 1.2, -400, -400, 0, -400, 0, 0, 0}),
                     roundings));
}

TEST_CASE("inside a recording every result can be differentiated") {
  const auto x = op::spread({4}, 3);
  const auto u = op::spread({4}, 11);
  for (std::int64_t values : {2, 6}) {
    const Curve f{values};
    const auto v = op::spread({values}, 17);
    CHECK(check_gradients([&](const auto& p) { return sum(square(jacobian(f, p))); }, x));
    CHECK(check_gradients([&](const auto& p) { return sum(square(jvp(f, p[0], p[1]))); }, {x, u}));
    CHECK(check_gradients([&](const auto& p) { return sum(square(vjp(f, p[0], p[1]))); }, {x, v}));
    const auto g = [&](const auto& p) { return sum(square(f(p))); };
    CHECK(check_gradients([&](const auto& p) { return sum(square(hessian(g, p))); }, x));
    CHECK(check_gradients([&](const auto& p) { return directional_derivative(g, p[0], p[1]); },
                          {x, u}));
  }
}

TEST_CASE("outside of a recording results are constants and no block stays alive") {
  const auto x = op::spread({4}, 3);
  const auto live = memory_statistics().live_blocks;
  {
    const auto J = jacobian(Curve{6}, x);
    const auto g = [](const auto& p) { return sum(square(p)); };
    const auto both = value_and_gradient(g, x);
    const auto slope = directional_derivative(g, x, x);
    Tape tape;
    // A tensor of another tape would be refused.
    const auto y = sum(J * tape.watch(x)) + both.value + sum(both.gradient) + slope;
    CHECK(y.size() == 1);
  }
  CHECK(memory_statistics().live_blocks == live);
}

TEST_CASE("errors name the call and both shapes") {
  const auto x = op::spread({3});
  const auto square_of = [](const auto& v) { return square(v); };
  const auto total = [](const auto& v) { return sum(square(v)); };
  const auto pair = op::spread({2});
  CHECK(message_of([&] { gradient(square_of, x); }) ==
        "gradient: the function's value has shape (3,) and is not a single value");
  CHECK(message_of([&] { hessian(square_of, x); }) ==
        "hessian: the function's value has shape (3,) and is not a single value");
  CHECK(message_of([&] { vjp(square_of, x, pair); }) ==
        "vjp: a cotangent of shape (2,) for a value of shape (3,)");
  CHECK(message_of([&] { jvp(square_of, x, pair); }) ==
        "jvp: a tangent of shape (2,) for an argument of shape (3,)");
  CHECK(message_of([&] { hvp(total, x, pair); }) ==
        "hvp: a vector of shape (2,) for an argument of shape (3,)");
  CHECK(message_of([&] { value_gradient_and_hvp(square_of, x, x); }) ==
        "value_gradient_and_hvp: the function's value has shape (3,) and is not a single value");
  CHECK(message_of([&] { directional_derivative(total, x, pair); }) ==
        "directional_derivative: a direction of shape (2,) for an argument of shape (3,)");
  CHECK(message_of([&] {
          jacobian(square_of, op::spread({1, 1, 1, 2}));
        }) ==
        "jacobian: the axes of (1, 1, 1, 2) and (1, 1, 1, 2) together are more than 6; take the "
        "argument or the value as a vector");
}

TEST_CASE("per-row gradients are those of each row alone") {
  Variable<double> weight(op::spread({1, 5})), bias(Array<double>::of({0.25}));
  const auto x = op::spread({7, 5}), y = op::spread({7, 1}, 9);
  const auto loss = [&](const auto& rows, const auto& targets) {
    return mse_loss(linear(rows, weight, bias), targets);
  };
  const auto each = per_sample_gradients(loss, {weight, bias}, x, y);
  REQUIRE(each.size() == 2);
  REQUIRE(each[0].shape() == Shape{7, 1, 5});
  REQUIRE(each[1].shape() == Shape{7, 1});
  CHECK_FALSE(weight.has_gradient());
  for (std::int64_t row = 0; row < 7; ++row) {
    double z = 0.25;
    for (int k = 0; k < 5; ++k) z += weight.value()[k] * x[row * 5 + k];
    CHECK(std::abs(each[1][row] - 2 * (z - y[row])) <= roundings * 10);
  }
  Tape tape;
  backward(loss(x, y));
  CHECK_AGREES(close(mean(each[0], 0).array(), weight.gradient(), roundings, roundings));
  CHECK_AGREES(close(mean(each[1], 0).array(), bias.gradient(), roundings, roundings));
  CHECK(message_of([&] {
          per_sample_gradients(loss, {weight}, x, op::spread({6, 1}));
        }) ==
        "per_sample_gradients: x of shape (7, 5) and y of shape (6, 1); both must have the same "
        "number of rows");
}

}  // TEST_SUITE("derivatives")
