// SPDX-License-Identifier: BSD-3-Clause
// Derivatives of functions of several arguments, of lists of them, and of a model's parameters.
#include "ebb/autodiff/derivatives_of_many.hpp"

#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

// f(x, y) = y0 sum(x^2) + y0 y1, whose derivatives are written out below.
const auto f = [](const auto& x, const auto& y) { return sum(square(x)) * y[0] + y[0] * y[1]; };

template <class T>
const Array<T> first = Array<T>::of({1, 2, 3});
template <class T>
const Array<T> second = Array<T>::of({2, 5});

/// y = w x^2 + b for numbers, so that derivatives by hand are short.
template <class T>
struct Parabola {
  Variable<T> w{Array<T>::of({2})}, b{Array<T>::of({3})};
  Tensor<T> operator()(const Operand<T>& x) const { return w * square(x) + b; }
  void each(Parts& part) {
    part("w", w);
    part("b", b);
  }
};

}  // namespace

TEST_SUITE("derivatives of many") {

TEST_CASE_TEMPLATE("several arguments", T, float, double) {
  const auto &x = first<T>, y = second<T>;
  const auto [gx, gy] = gradient(f, x, y);
  CHECK_AGREES(same_bits(gx.array(), Array<T>::of({4, 8, 12})));
  CHECK_AGREES(same_bits(gy.array(), Array<T>::of({19, 2})));
  const auto both = value_and_gradient(f, x, y);
  CHECK(both.value.item() == 38);
  CHECK_AGREES(same_bits(both.gradients[1].array(), Array<T>::of({19, 2})));

  const auto h = hessian(f, x, y);
  CHECK_AGREES(same_bits(h[0][0].array(), Array<T>(4 * Array<T>::eye(3))));
  CHECK_AGREES(same_bits(h[0][1].array(), Array<T>::of({{2, 0}, {4, 0}, {6, 0}})));
  CHECK_AGREES(same_bits(h[1][0].array(), Array<T>::of({{2, 4, 6}, {0, 0, 0}})));
  CHECK_AGREES(same_bits(h[1][1].array(), Array<T>::of({{0, 1}, {1, 0}})));

  const auto v = Array<T>::of({1, 0, -1}), u = Array<T>::of({3, 1});
  const auto [hx, hy] = hvp(f, {x, y}, {v, u});
  CHECK_AGREES(same_bits(hx.array(), Array<T>::of({10, 12, 14})));
  CHECK_AGREES(same_bits(hy.array(), Array<T>::of({-3, 3})));
  const auto all = value_gradient_and_hvp(f, {x, y}, {v, u});
  CHECK(all.value.item() == 38);
  CHECK_AGREES(same_bits(all.gradients[1].array(), Array<T>::of({19, 2})));
  CHECK_AGREES(same_bits(all.hvps[0].array(), Array<T>::of({10, 12, 14})));
  CHECK_AGREES(same_bits(all.hvps[1].array(), Array<T>::of({-3, 3})));
  CHECK(jvp(f, {x, y}, {v, u}).item() == 4 - 12 + 57 + 2);
  CHECK(directional_derivative(f, {x, y}, {v, u}).item() == 4 - 12 + 57 + 2);
  const auto [vx, vy] = vjp(f, {x, y}, Array<T>(T(2)));
  CHECK_AGREES(same_bits(vx.array(), Array<T>::of({8, 16, 24})));
  CHECK_AGREES(same_bits(vy.array(), Array<T>::of({38, 4})));
}

TEST_CASE("Jacobians have the axes of the value followed by those of their argument") {
  const auto outer = [](const auto& a, const auto& b) {
    return reshape(a, {-1, 1}) * reshape(b, {1, -1});
  };
  const auto [ja, jb] = jacobian(outer, Array<double>::of({1, 2}), Array<double>::of({{3, 4}}));
  CHECK(ja.shape() == Shape{2, 2, 2});
  CHECK(jb.shape() == Shape{2, 2, 1, 2});
  CHECK_AGREES(
      same_bits(ja.array().reshape({4, 2}), Array<double>::of({{3, 0}, {4, 0}, {0, 3}, {0, 4}})));
  CHECK_AGREES(
      same_bits(jb.array().reshape({4, 2}), Array<double>::of({{1, 0}, {0, 1}, {2, 0}, {0, 2}})));
}

TEST_CASE("lists whose length is known at run time") {
  const auto product = [](const std::vector<Tensor<double>>& list) {
    Tensor<double> all = 1;
    for (const auto& part : list) all *= sum(part);
    return all;
  };
  const std::vector<Tensor<double>> x = {Array<double>(2.0), Array<double>::of({1, 2}),
                                         Array<double>::of({4, 1}).reshape({2, 1})};
  const auto g = gradient(product, x);
  CHECK(g.size() == 3);
  CHECK(g[0].item() == 15);
  CHECK_AGREES(same_bits(g[1].array(), Array<double>::of({10, 10})));
  CHECK_AGREES(same_bits(g[2].array(), Array<double>::of({6, 6}).reshape({2, 1})));
  CHECK(value_and_gradient(product, x).value.item() == 30);
  CHECK(hessian(product, x).shape() == Shape{5, 5});
  CHECK(hessian(product, x).array()(0, 1) == 5);
  CHECK(jvp(product, x, g).item() == 15 * 15 + 4 * 100 / 2 + 2 * 36);
  CHECK_THROWS_AS(gradient(product, std::vector<Tensor<double>>{}), ArgumentError);
}

TEST_CASE_TEMPLATE("the parameters of a model, whose gradients stay as they are", T, float,
                   double) {
  Parabola<T> model;
  const auto x = Array<T>::of({1, 3});
  const auto loss = [&] { return sum(square(model(x))); };
  // r = w x^2 + b is (5, 21); the gradient is (2 r x^2, 2 r).
  const auto g = gradient(loss, model);
  CHECK(g.size() == 2);
  CHECK(g[0].item() == 2 * (5 + 9 * 21));
  CHECK(g[1].item() == 2 * (5 + 21));
  CHECK(value_and_gradient(loss, model).value.item() == 25 + 441);
  CHECK_AGREES(same_bits(hessian(loss, model).array(), Array<T>::of({{164, 20}, {20, 4}})));
  const std::vector<Tensor<T>> v = {Array<T>::of({1}), Array<T>::of({2})};
  CHECK(hvp(loss, model, v)[0].item() == 204);
  CHECK(directional_derivative(loss, model, v).item() == jvp(loss, model, v).item());
  const auto all = value_gradient_and_hvp(loss, model, v);
  CHECK(all.value.item() == 25 + 441);
  CHECK(all.gradients[1].item() == 2 * (5 + 21));
  CHECK(all.hvps[0].item() == 204);
  CHECK(jvp(loss, model, v).item() == 388 + 104);
  const auto residuals = [&] { return model(x); };
  CHECK_AGREES(
      same_bits(jacobian(residuals, model)[0].array(), Array<T>::of({1, 9}).reshape({2, 1})));
  CHECK(vjp(residuals, model, Array<T>::of({1, 1}))[0].item() == 10);
  CHECK(!model.w.has_gradient());
  CHECK(model.w.value().item() == 2);
}

TEST_CASE("calls nest, and inside a recording their results are recorded") {
  // The derivative of dh/dx at x = y, for h = x^2 y^3, by both arguments.
  const auto h = [](const auto& a, const auto& b) { return square(a) * b * b * b; };
  const auto slope = [&](const auto& a, const auto& b) { return gradient(h, a, b)[0]; };
  const auto [sa, sb] = gradient(slope, Array<double>(2.0), Array<double>(3.0));
  CHECK(sa.item() == 2 * 27);
  CHECK(sb.item() == 2 * 2 * 3 * 9);

  Parabola<double> model;
  const Tape tape;
  const auto inner = gradient([&] { return sum(square(model(Array<double>::of({1})))); }, model);
  backward(square(inner[0]) / 2);  // the gradient is g H, with g = 2 (w + b) and H = 2
  CHECK(model.w.gradient().item() == 20);
  CHECK(model.b.gradient().item() == 20);
}

TEST_CASE("variables are arguments with and without a tape") {
  const Variable<double> a(Array<double>::of({2})), b(Array<double>::of({3}));
  const auto product = [](const auto& x, const auto& y) { return sum(x * y); };
  CHECK(gradient(product, a, b)[0].item() == 3);
  const Tape tape;
  CHECK(gradient(product, a, b)[1].item() == 2);
}

TEST_CASE("a number is an argument, too") {
  const auto cube = [](const auto& x) { return x * x * x; };
  CHECK(gradient(cube, 2.0).item() == 12);
  CHECK(gradient(cube, 2).item() == 12);
  CHECK(gradient(cube, 2.0F).item() == 12.0F);
  CHECK(hessian(cube, 2.0).item() == 12);
  CHECK(value_and_gradient(cube, 2.0).value.item() == 8);
}

TEST_CASE("vectors must fit the arguments") {
  const auto &x = first<double>, y = second<double>;
  CHECK(message_of<ShapeError>([&] {
          hvp(f, {x, y}, {y, y});
        }) == "hvp: vectors of shapes {(2,), (2,)} for arguments of shapes {(3,), (2,)}");
  Parabola<double> model;
  const std::vector<Tensor<double>> one = {Array<double>::of({1})};
  CHECK(message_of<ShapeError>([&] { jvp([&] { return model(x); }, model, one); }) ==
        "jvp: tangents of shapes {(1,)} for arguments of shapes {(1,), (1,)}");
  CHECK_THROWS_AS(gradient([](auto a, auto b) { return a * b; }, x, x), ShapeError);
}

}  // TEST_SUITE("derivatives of many")
