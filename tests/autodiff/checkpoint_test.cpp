// SPDX-License-Identifier: BSD-3-Clause
// Parts that are computed again in the sweep, and gradients that pass through a function.
#include "ebb/autodiff/checkpoint.hpp"
#include "ebb/autodiff/hook.hpp"
#include "ebb/autodiff/ops.hpp"

#include <functional>
#include <string>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/functional_call.hpp"
#include "ebb/autodiff/gradcheck.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

struct Layer {
  Variable<double> weight{op::spread({6, 6}, 3)}, bias{op::spread({6}, 5)};
  Tensor<double> operator()(const Tensor<double>& x) const { return tanh(linear(x, weight, bias)); }
};

std::vector<Variable<double>> tied(std::initializer_list<const Variable<double>*> variables) {
  std::vector<Variable<double>> handles;
  for (const auto* variable : variables) handles.push_back(variable->share());
  return handles;
}

}  // namespace

TEST_SUITE("checkpoint") {

TEST_CASE("value and gradients have the bits of the same part recorded") {
  const auto x0 = op::spread({8, 6});
  const auto run = [&](bool again) {
    Layer first, second;
    Variable<double> x(x0);
    Tape tape;
    const auto layer = [&](const Tensor<double>& v) { return second(v) * first.bias; };
    const auto h = first(x);
    const auto y = again ? checkpoint(layer, h) : layer(h);
    const auto loss = sum(square(y));
    const double value = loss.item();
    backward(loss);
    return std::vector<Array<double>>{Array<double>(value),     x.gradient(),
                                      first.weight.gradient(),  first.bias.gradient(),
                                      second.weight.gradient(), second.bias.gradient()};
  };
  const auto kept = run(false), again = run(true);
  // The parts of a gradient add up in another order where a variable is used in and out of it.
  for (std::size_t k = 0; k < kept.size(); ++k) CHECK_AGREES(close(kept[k], again[k], 1e-14));
}

TEST_CASE("a chain keeps only its inputs") {
  Layer layer;
  const auto x = op::spread({64, 6});
  const auto blocks_of = [&](bool again) {
    const auto before = memory_statistics().live_blocks;
    Tape tape;
    Tensor<double> h = x;
    const auto part = [&](Tensor<double> v) {
      for (int k = 0; k < 10; ++k) v = sin(layer(v));
      return v;
    };
    for (int i = 0; i < 5; ++i) h = again ? checkpoint(part, h) : part(h);
    return memory_statistics().live_blocks - before;
  };
  CHECK(blocks_of(true) < blocks_of(false) / 4);
}

TEST_CASE("several inputs, some of them constant, have gradients of both orders") {
  const auto f = [](auto in) {
    const auto part = [](const auto& a, const auto& b, const auto& c) {
      return sin(a * b) + c * a;
    };
    return checkpoint(part, in[0], in[1], op::spread({3}, 2));
  };
  const auto report = check_gradients(f, {op::spread({3}), op::spread({2, 3}, 4)});
  INFO(report);
  CHECK(report);
}

TEST_CASE("a checkpoint of variables only works at both orders, and inside another one") {
  Variable<double> w(op::spread({3}));
  const auto cube = [&](const auto&) { return w * w * w; };
  const auto outer = [&](const auto& c) { return checkpoint(cube, c) * c; };
  Tape tape;
  const auto y = sum(checkpoint(outer, Tensor<double>(2.0)));
  const auto g = grad(y, w, {.create_graph = true});
  const auto h = grad(sum(g), w, {.keep_tape = true});
  for (int i = 0; i < 3; ++i) {
    const double v = w.value()[i];
    CHECK(std::abs(g.data()[i] - 6 * v * v) <= 1e-14 * (1 + v * v));
    CHECK(std::abs(h.data()[i] - 12 * v) <= 1e-14 * (1 + std::abs(v)));
  }
  backward(y);
  CHECK_AGREES(close(w.gradient(), g.array(), 1e-14));
}

TEST_CASE("inside a functional call the variables have the values of the call") {
  Variable<double> w(op::spread({3})), unused(op::spread({3}));
  const auto part = [&](const auto& v) { return w * w * v; };
  const auto f = [&](auto in) {
    return functional_call<double>(tied({&w, &unused}), {in[0], in[1]},
                                   [&] { return checkpoint(part, in[1]) * in[0]; });
  };
  const auto report = check_gradients(f, {op::spread({3}, 4), op::spread({3}, 9)});
  INFO(report);
  CHECK(report);
  CHECK_FALSE(w.has_gradient());
}

TEST_CASE("without a tape, and of constants, a checkpoint is f") {
  const auto x = op::spread({3});
  const auto f = [](const auto& v) { return square(v); };
  CHECK_AGREES(same_bits(checkpoint(f, x).array(), square(x).array()));
  Tape tape;
  CHECK_AGREES(same_bits(checkpoint(f, x).array(), square(x).array()));
  CHECK(tape.size() == 0);
  Variable<float> other(Array<float>(1.0F));
  CHECK(message_of<ArgumentError>([&] {
          checkpoint([&](const auto& v) { return v * cast<double>(other); }, x);
        }) == "checkpoint: the function uses a variable of another element type than its inputs");
}

TEST_CASE("a checkpoint leaves no block and no variable alive") {
  const auto live = memory_statistics().live_blocks;
  {
    Layer layer;
    const auto copy = layer.weight.share();
    Tape tape;
    const auto y = checkpoint([&](const auto& v) { return layer(v); }, op::spread({2, 6}));
    backward(sum(y));
    hook(layer.bias, [&](const auto& g) { return 2 * g; });
  }
  CHECK(memory_statistics().live_blocks == live);
}

}  // TEST_SUITE("checkpoint")

TEST_SUITE("hook") {

TEST_CASE("the gradient passes through the function") {
  Variable<double> w(Array<double>::of({1, -2, 3}));
  Array<double> seen;
  {
    Tape tape;
    const auto h = hook(w, [&](const Tensor<double>& g) {
      seen = g.array();
      return clamp(g, -1, 1);
    });
    backward(sum(square(h)));
  }
  CHECK(equal(seen, Array<double>::of({2, -4, 6})));
  CHECK(equal(w.gradient(), Array<double>::of({1, -1, 1})));
  w.zero_grad();
  Tape tape;
  backward(sum(square(hook(w, [](const Tensor<double>&) { return Tensor<double>(); }))));
  CHECK(equal(w.gradient(), Array<double>::of({2, -4, 6})));
  const auto bad = hook(w, [](const Tensor<double>&) { return Tensor<double>(1.0); });
  CHECK(message_of<ShapeError>([&] { backward(sum(bad)); }) ==
        "hook: the function gave a gradient of shape () for one of shape (3,)");
}

TEST_CASE("in a recorded sweep the function is differentiated") {
  // With the gradient tripled on its way, d/dx x^2 is 6x and its derivative 6, tripled again 18.
  const auto f = [](const auto& x) {
    return sum(square(hook(x, [](const Tensor<double>& g) { return 3 * g; })));
  };
  const auto x = Array<double>::of({1, 2});
  CHECK(equal(gradient(f, x).array(), Array<double>::of({6, 12})));
  const auto slope = [&](const auto& v) { return sum(gradient(f, v)); };
  CHECK(equal(gradient(slope, x).array(), Array<double>::of({18, 18})));
}

TEST_CASE("a straight-through estimator is the sign forward and the identity backward") {
  const auto sign_of = [](const auto& x) { return select(x > 0, 1.0, -1.0); };
  Variable<double> w(Array<double>::of({0.5, -2}));
  Tape tape;
  const auto y = w + (sign_of(Tensor<double>(w)) - w).detach();
  CHECK(equal(y.array(), Array<double>::of({1, -1})));
  backward(sum(y * Array<double>::of({3, 5})));
  CHECK(equal(w.gradient(), Array<double>::of({3, 5})));
}

}  // TEST_SUITE("hook")
