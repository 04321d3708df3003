// SPDX-License-Identifier: BSD-3-Clause
// The loop around a rule: which parameters it updates, and with which options and state.
#include "ebb/optim/optimizer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::same_bits;

TEST_SUITE("optimizer") {

TEST_CASE_TEMPLATE("the learning rate may change between steps", T, float, double) {
  const Variable<T> w(Array<T>::of({1}));
  optim::Optimizer optimizer({w}, optim::SGD{.learning_rate = 0.5});
  w.share().set_gradient(Array<T>::of({1}));
  optimizer.step();
  CHECK(w.value()[0] == T(0.5));
  optimizer.rule().learning_rate = 0.25;
  optimizer.step();
  CHECK(w.value()[0] == T(0.25));
}

TEST_CASE_TEMPLATE("each parameter has its own state, also after one that is skipped", T, float,
                   double) {
  auto model = nn::Linear<T>::zeros(2, 1), alone = nn::Linear<T>::zeros(2, 1);
  const auto step = [](auto& optimizer, auto& bias) {
    bias.set_gradient(Array<T>::of({1}));
    optimizer.step();
    optimizer.zero_grad();
  };
  optim::Optimizer both(model, optim::Adam{});
  optim::Optimizer one(alone, optim::Adam{});
  for (int i = 0; i < 3; ++i) {
    model.weight.set_gradient(Array<T>::of({{T(5), T(i)}}));
    if (i == 1) model.weight.zero_grad();
    step(both, model.bias);
    step(one, alone.bias);
  }
  CHECK_AGREES(same_bits(model.bias.value(), alone.bias.value()));
}

TEST_CASE_TEMPLATE("skips what has no gradient", T, float, double) {
  // Weight decay and momentum would move a weight even at gradient 0.
  const auto run = [](auto rule) {
    nn::Linear<T> model(2, 1);
    model.weight.set_value(Array<T>::of({{1, 2}}));
    model.bias.set_value(Array<T>::of({3}));
    optim::Optimizer optimizer(model, rule);
    model.weight.set_gradient(Array<T>::of({{1, 1}}));
    optimizer.step();
    CHECK(model.bias.value()[0] == 3);
    CHECK(model.weight.value()[0] < 1);
    optimizer.zero_grad();
    const auto before = model.weight.value();
    model.bias.set_gradient(Array<T>::of({1}));
    optimizer.step();
    CHECK_AGREES(same_bits(model.weight.value(), before));
    CHECK(model.bias.value()[0] < 3);
    CHECK(optimizer.steps() == 2);
  };
  run(optim::SGD{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.1});
  run(optim::Adam{.learning_rate = 0.1, .weight_decay = 0.1});
}

TEST_CASE_TEMPLATE("a value that is held elsewhere is not changed", T, float, double) {
  auto model = nn::Linear<T>::zeros(2, 1);
  optim::Optimizer optimizer(model, optim::SGD{.learning_rate = 0.1});
  const Array<T> held = model.weight.value();
  const Tensor<T> read = model.weight;
  model.weight.set_gradient(Array<T>::of({{1, -1}}));
  optimizer.step();
  CHECK_AGREES(same_bits(held, Array<T>::zeros({1, 2})));
  CHECK_AGREES(same_bits(read.array(), Array<T>::zeros({1, 2})));
  CHECK(model.weight.value()[0] == T(-0.1));
}

TEST_CASE("a recorded value is not changed by a step before the sweep") {
  const Variable<double> w(Array<double>::of({3}));
  optim::Optimizer optimizer({w}, optim::SGD{.learning_rate = 1});
  Tape tape;
  const auto y = sum(square(w));
  w.share().set_gradient(Array<double>::of({1}));
  optimizer.step();
  optimizer.zero_grad();
  backward(y);
  CHECK(w.value()[0] == 2);
  CHECK(w.gradient()[0] == 6);  // at 3, where it was recorded
}

TEST_CASE("refuses bad options when it is made") {
  auto model = nn::Linear<float>::zeros(2, 1);
  const auto refuses = [&](auto rule, const char* text) {
    CHECK_THROWS_WITH(optim::Optimizer(model, rule), text);
  };
  refuses(optim::SGD{.learning_rate = -1}, "SGD: learning_rate must be at least 0, not -1");
  refuses(optim::SGD{.momentum = -0.5}, "SGD: momentum must be at least 0, not -0.5");
  refuses(optim::SGD{.nesterov = true}, "SGD: nesterov needs a momentum above 0, not 0");
  CHECK_THROWS_AS(optim::Optimizer(model, optim::SGD{.weight_decay = -1}), ArgumentError);
  CHECK_THROWS_AS(optim::Optimizer(model, optim::SGD{.learning_rate = std::nan("")}),
                  ArgumentError);
  CHECK_THROWS_AS(optim::Optimizer(model, optim::Adam{.learning_rate = -1}), ArgumentError);
  CHECK_THROWS_AS(optim::Optimizer(model, optim::Adam{.beta1 = 1}), ArgumentError);
  CHECK_THROWS_AS(optim::Optimizer(model, optim::Adam{.beta1 = -0.1}), ArgumentError);
  CHECK_THROWS_AS(optim::Optimizer(model, optim::Adam{.beta2 = 1}), ArgumentError);
  refuses(optim::Adam{.beta2 = -0.5}, "Adam: beta2 must be in [0, 1), not -0.5");
  CHECK_THROWS_AS(optim::Optimizer(model, optim::Adam{.epsilon = -1}), ArgumentError);
  CHECK_THROWS_AS(optim::Optimizer(model, optim::Adam{.weight_decay = -1}), ArgumentError);
  // Of every group, not only of the first.
  const Variable<double> a(Array<double>::of({1})), b(Array<double>::of({1}));
  using Groups = std::vector<optim::Group<optim::SGD>>;
  CHECK_THROWS_AS((optim::Optimizer(Groups{{{a}, {}}, {{b}, {.momentum = -1}}})), ArgumentError);
}

TEST_CASE("accepts options at the ends of their ranges") {
  auto model = nn::Linear<float>::zeros(2, 1);
  const auto accepts = [&](auto rule) { CHECK_NOTHROW(optim::Optimizer(model, rule)); };
  accepts(optim::SGD{.learning_rate = 0, .momentum = 0, .weight_decay = 0});
  accepts(optim::Adam{.learning_rate = 0, .beta1 = 0, .beta2 = 0, .epsilon = 0});
}

TEST_CASE("a model of two element types is trained as a whole") {
  struct Mixed {
    Variable<float> a{Array<float>::of({1})};
    Variable<double> b{Array<double>::of({1})};
    void each(Parts& part) {
      part("a", a);
      part("b", b);
    }
  };
  Mixed model;
  optim::Optimizer optimizer(model, optim::Adam{.learning_rate = 0.5});
  model.a.set_gradient(Array<float>::of({1}));
  model.b.set_gradient(Array<double>::of({1}));
  optimizer.step();
  // The first step of Adam is the learning rate, but for epsilon.
  CHECK(std::abs(model.a.value()[0] - 0.5f) < 1e-6f);
  CHECK(std::abs(model.b.value()[0] - 0.5) < 1e-7);
}

TEST_CASE_TEMPLATE("a tied parameter is updated once a step", T, float, double) {
  struct Tied {
    Variable<T> one{Array<T>::of({1})}, two = one.share();
    void each(Parts& part) {
      part("one", one);
      part("two", two);
    }
  };
  Tied model;
  optim::Optimizer optimizer(model, optim::SGD{.learning_rate = 0.25});
  model.one.set_gradient(Array<T>::of({1}));
  optimizer.step();
  CHECK(model.two.value()[0] == T(0.75));
}

TEST_CASE("a step with options out of their range changes nothing") {
  const Variable<double> a(Array<double>::of({1})), b(Array<double>::of({1}));
  optim::Optimizer optimizer(
      std::vector<optim::Group<optim::SGD>>{{{a}, {.learning_rate = 0.5}}, {{b}, {}}});
  optimizer.groups()[1].rule.momentum = -1;
  a.share().set_gradient(Array<double>::of({1}));
  CHECK_THROWS_AS(optimizer.step(), ArgumentError);
  CHECK(a.value()[0] == 1);
  CHECK(optimizer.steps() == 0);
}

TEST_CASE("momentum that is switched on between steps gets its velocity") {
  const Variable<double> w(Array<double>::of({1}));
  optim::Optimizer optimizer({w}, optim::SGD{.learning_rate = 0.1});
  w.share().set_gradient(Array<double>::of({1}));
  optimizer.step();
  optimizer.rule().momentum = 0.5;
  optimizer.step();
  optimizer.step();
  CHECK(std::abs(w.value()[0] - (1 - 0.1 - 0.1 - 0.1 * 1.5)) < 1e-15);
}

TEST_CASE_TEMPLATE("a scale is a factor of all gradients, which stay as they are", T, float,
                   double) {
  const Variable<T> w(Array<T>::of({1, 2}));
  optim::Optimizer optimizer({w}, optim::SGD{.learning_rate = 0.5});
  w.share().set_gradient(Array<T>::of({1, -1}));
  optimizer.step({.scale = 0.25});
  CHECK_AGREES(same_bits(w.value(), Array<T>::of({0.875, 2.125})));
  CHECK_AGREES(same_bits(w.gradient(), Array<T>::of({1, -1})));
  // With all digits of the element type.
  w.share().set_value(Array<T>::of({0, 0}));
  optimizer.step({.scale = 0.1});
  CHECK_AGREES(same_bits(w.value(), Array<T>::of({T(-0.5) * T(0.1), T(0.5) * T(0.1)})));
}

TEST_CASE("its parts are the steps, the options, and the state of each parameter, by name") {
  struct Seen : Parts {
    std::vector<std::string> names;
    void part(const std::string& path, Part) override { names.push_back(path); }
    void value(const std::string& path, Value) override { names.push_back(path); }
  };
  auto model = nn::Linear<float>::zeros(2, 1);
  optim::Optimizer adam(model, optim::Adam{});
  Seen seen;
  adam.each(seen);
  CHECK(seen.names == std::vector<std::string>{"steps", "options.0.learning_rate",
                                               "options.0.beta1", "options.0.beta2",
                                               "options.0.epsilon", "options.0.weight_decay",
                                               "options.0.amsgrad", "options.0.maximize",
                                               "0.weight.m", "0.weight.v", "0.bias.m", "0.bias.v"});
  optim::Optimizer plain(model, optim::SGD{});
  Seen few;
  plain.each(few);
  CHECK(few.names.size() == 8);
  CHECK(few.names.back() == "options.0.maximize");
}

TEST_CASE_TEMPLATE("its state can be carried to another optimizer, which then goes on alike", T,
                   float, double) {
  // One visitor takes the state out, another puts it in.
  struct Take : Parts {
    std::vector<Array<T>> arrays;
    std::int64_t steps = 0;
    void part(const std::string&, Part part) override {
      arrays.push_back(**std::get_if<Array<T>*>(&part));
    }
    void value(const std::string&, Value value) override {
      if (auto** whole = std::get_if<std::int64_t*>(&value)) steps = **whole;
    }
  };
  struct Put : Parts {
    Take& from;
    std::size_t next = 0;
    explicit Put(Take& take) : from(take) {}
    void part(const std::string&, Part part) override {
      **std::get_if<Array<T>*>(&part) = from.arrays[next++];
    }
    void value(const std::string&, Value value) override {
      if (auto** whole = std::get_if<std::int64_t*>(&value)) **whole = from.steps;
    }
  };
  auto model = nn::Linear<T>::zeros(2, 1), copy = nn::Linear<T>::zeros(2, 1);
  optim::Optimizer one(model, optim::Adam{});
  const auto step = [](auto& optimizer, auto& layer, T g) {
    layer.weight.set_gradient(Array<T>::of({{g, T(-2)}}));
    layer.bias.set_gradient(Array<T>::of({g}));
    optimizer.step();
  };
  for (int i = 0; i < 3; ++i) step(one, model, T(1 + i));
  copy.weight.set_value(model.weight.value());
  copy.bias.set_value(model.bias.value());
  optim::Optimizer two(copy, optim::Adam{});
  Take take;
  one.each(take);
  Put put(take);
  two.each(put);
  CHECK(two.steps() == 3);
  step(one, model, T(7));
  step(two, copy, T(7));
  CHECK_AGREES(same_bits(model.weight.value(), copy.weight.value()));
  CHECK_AGREES(same_bits(model.bias.value(), copy.bias.value()));
}

TEST_CASE("refuses a parameter that would be updated twice, and an empty list of parameters") {
  struct Empty {
    void each(Parts&) {}
  };
  const Variable<double> w(Array<double>::of({1}), "w");
  using Groups = std::vector<optim::Group<optim::SGD>>;
  CHECK_THROWS_WITH_AS((optim::Optimizer(Groups{{{w}, {}}, {{w}, {}}})),
                       "Optimizer: the parameter \"w\" of shape (1,) is in group 0 and in group 1; "
                       "it can be updated once a step",
                       ArgumentError);
  CHECK_THROWS_WITH_AS((optim::Optimizer({w, w}, optim::SGD{})),
                       "Optimizer: the parameter \"w\" of shape (1,) is twice in group 0; it can "
                       "be updated once a step",
                       ArgumentError);
  const Variable<float> unnamed(Array<float>::of({1}));
  CHECK_THROWS_WITH_AS(
      (optim::Optimizer({unnamed, unnamed}, optim::SGD{})),
      "Optimizer: a parameter of shape (1,) is twice in group 0; it can be updated "
      "once a step",
      ArgumentError);
  Empty empty;
  CHECK_THROWS_WITH_AS(optim::Optimizer(empty, optim::SGD{}),
                       "Optimizer: there is no parameter to update; does `each` of the model name "
                       "its Variables?",
                       ArgumentError);
  optim::Optimizer grown({w}, optim::SGD{});
  grown.groups()[0].parameters.push_back(Parameter(Variable<double>(Array<double>::of({1}))));
  CHECK_THROWS_WITH_AS(
      grown.step(),
      "Optimizer: the parameters of group 0 changed from 1 to 2 since it was made; "
      "make a new one",
      ArgumentError);
  struct Ignore : Parts {
    void part(const std::string&, Part) override {}
    void value(const std::string&, Value) override {}
  };
  Ignore ignore;
  CHECK_THROWS_AS(grown.each(ignore), ArgumentError);
  grown.groups()[0].parameters.clear();
  CHECK_THROWS_AS(grown.step(), ArgumentError);
}

TEST_CASE_TEMPLATE("every element of a large parameter is updated once", T, float, double) {
  constexpr std::int64_t n = 2 * (1 << 16) + 5;  // more than two blocks
  const Variable<T> w(Array<T>::zeros({n}));
  optim::Optimizer optimizer({w}, optim::SGD{.learning_rate = 1, .momentum = 0.5});
  w.share().set_gradient(Array<T>::full({n}, T(1)));
  optimizer.step();
  optimizer.step();
  CHECK_AGREES(same_bits(w.value(), Array<T>::full({n}, T(-2.5))));
}

TEST_CASE("an optimizer that is moved goes on with its state") {
  const Variable<double> w(Array<double>::of({0}));
  optim::Optimizer first({w}, optim::SGD{.learning_rate = 1, .momentum = 0.5});
  w.share().set_gradient(Array<double>::of({1}));
  first.step();
  optim::Optimizer second = std::move(first);
  second.step();
  const Variable<double> other(Array<double>::of({0}));
  optim::Optimizer third({other}, optim::SGD{});
  third = std::move(second);
  third.step();
  CHECK(w.value()[0] == -(1 + 1.5 + 1.75));
  CHECK(third.steps() == 3);
}

TEST_CASE_TEMPLATE("arrays that a parameter shares are copied before they are changed", T, float,
                   double) {
  const auto start = Array<T>::of({1, 2});
  const Variable<T> a(start), b(start);
  optim::Optimizer optimizer({a, b}, optim::SGD{.learning_rate = 0.5, .momentum = 0.5});
  a.share().set_gradient(a.value());
  b.share().set_gradient(start);
  optimizer.step();
  CHECK_AGREES(same_bits(start, Array<T>::of({1, 2})));
  CHECK_AGREES(same_bits(a.gradient(), start));
  CHECK_AGREES(same_bits(a.value(), Array<T>::of({0.5, 1})));
  CHECK_AGREES(same_bits(b.value(), a.value()));
  struct Take : Parts {
    std::vector<Array<T>> arrays;
    void part(const std::string&, Part part) override {
      arrays.push_back(**std::get_if<Array<T>*>(&part));
    }
    void value(const std::string&, Value) override {}
  };
  Take take;
  optimizer.each(take);
  optimizer.step();
  CHECK_AGREES(same_bits(take.arrays[0], start));  // the velocity of the first step
}

TEST_CASE("a parameter without elements is updated to itself") {
  const Variable<double> none(Array<double>::zeros({0, 3})), w(Array<double>::of({1}));
  optim::Optimizer optimizer({none, w}, optim::Adam{.learning_rate = 0.5});
  none.share().set_gradient(Array<double>::zeros({0, 3}));
  w.share().set_gradient(Array<double>::of({1}));
  optimizer.step();
  CHECK(none.shape() == Shape{0, 3});
  CHECK(std::abs(w.value()[0] - 0.5) < 1e-7);
}

TEST_CASE("a step with a state of another shape changes nothing") {
  struct Put : Parts {
    Array<double> last;
    void part(const std::string& path, Part part) override {
      if (path == "0.1.velocity") **std::get_if<Array<double>*>(&part) = last;
    }
    void value(const std::string&, Value) override {}
  };
  const Variable<double> a(Array<double>::of({1})), b(Array<double>::of({1, 2}));
  optim::Optimizer optimizer({a, b}, optim::SGD{.learning_rate = 1, .momentum = 0.5});
  Put put;
  put.last = Array<double>::of({5});
  optimizer.each(put);
  a.share().set_gradient(Array<double>::of({1}));
  b.share().set_gradient(Array<double>::of({1, 1}));
  CHECK_THROWS_WITH_AS(optimizer.step(),
                       "Optimizer: the state \"velocity\" has shape (1,), its parameter (2,); was "
                       "it loaded for another model?",
                       ShapeError);
  CHECK(a.value()[0] == 1);
  CHECK(optimizer.steps() == 0);
}

TEST_CASE("a step without any gradient is an error, and a gradient on some parameters is enough") {
  const Variable<double> a(Array<double>::of({1})), b(Array<double>::of({1}));
  optim::Optimizer optimizer({a, b}, optim::SGD{.learning_rate = 1});
  CHECK_THROWS_WITH_AS(optimizer.step(),
                       "Optimizer: no parameter has a gradient; call backward before step, "
                       "zero_grad after it, and compute the loss from the parameters themselves",
                       ArgumentError);
  CHECK(optimizer.steps() == 0);
  b.share().set_gradient(Array<double>::of({0.5}));
  optimizer.step();
  CHECK(a.value()[0] == 1);
  CHECK(b.value()[0] == 0.5);
}

TEST_CASE("Adam without epsilon leaves a weight whose gradients were all 0") {
  const Variable<float> a(Array<float>::of({1, 1}));
  optim::Optimizer optimizer({a}, optim::Adam{.learning_rate = 0.5, .epsilon = 0});
  a.share().set_gradient(Array<float>::of({0, 2}));
  optimizer.step();
  CHECK(a.value()[0] == 1);
  CHECK(a.value()[1] == 0.5F);
}

}  // TEST_SUITE("optimizer")
