// SPDX-License-Identifier: BSD-3-Clause
// Update rules against a restatement of their papers in plain numbers.
#include "ebb/optim/rules.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/linear.hpp"
#include "ebb/optim/optimizer.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::close, ebb::test::same_bits;

namespace {

constexpr int n = 37;  // no multiple of a vector

/// A gradient that changes with the step, its sign too.
double gradient_at(int step, int i) { return std::sin(1.7 * step + 0.3 * i) + 0.1 * i; }

/// The next weight of a rule of the literature, for element i with gradient g.
using Restated = std::function<double(double w, double g, int step, int i)>;

/// 20 steps of the optimizer and of the restatement, compared after each.
template <class T, class Rule>
void follow(Rule rule, const Restated& restated) {
  // Rounding accumulates over the steps: a few ulp each, and the weights are of size 1.
  const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;
  auto start = Array<T>::uninitialized({n});
  for (int i = 0; i < n; ++i) start.mutate()[i] = T(0.5 - 0.05 * i);
  std::vector<Variable<T>> parameters;
  parameters.emplace_back(start);
  const Variable<T> w = parameters[0].share();
  optim::Optimizer<Rule, T> optimizer(std::move(parameters), rule);
  std::vector<double> expected(start.begin(), start.end());
  for (int step = 1; step <= 20; ++step) {
    CAPTURE(step);
    auto g = Array<T>::uninitialized({n});
    for (int i = 0; i < n; ++i) {
      g.mutate()[i] = T(gradient_at(step, i));
      auto& e = expected[std::size_t(i)];
      e = restated(e, double(g[i]), step, i);
    }
    w.share().set_gradient(g);
    optimizer.step();
    CHECK_AGREES(close(w.value(), Array<double>({n}, std::span<const double>(expected)), tolerance,
                       tolerance));
    CHECK_AGREES(same_bits(w.gradient(), g));
    CHECK(optimizer.steps() == step);
    optimizer.zero_grad();
    CHECK_FALSE(w.has_gradient());
  }
}

}  // namespace

TEST_SUITE("sgd") {

TEST_CASE_TEMPLATE("plain steps take weight decay", T, float, double) {
  follow<T>(optim::SGD{.learning_rate = 0.1},
            [](double w, double g, int, int) { return w - 0.1 * g; });
  follow<T>(optim::SGD{.learning_rate = 0.1, .weight_decay = 0.3},
            [](double w, double g, int, int) { return w - 0.1 * (g + 0.3 * w); });
}

TEST_CASE_TEMPLATE("momentum adds earlier gradients", T, float, double) {
  for (const double decay : {0.0, 0.3}) {
    std::vector<double> v(n, 0.0);
    follow<T>(optim::SGD{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = decay},
              [&](double w, double g, int, int i) {
                auto& velocity = v[std::size_t(i)];
                velocity = 0.9 * velocity + (g + decay * w);
                return w - 0.1 * velocity;
              });
  }
}

TEST_CASE_TEMPLATE("Nesterov's momentum follows its formula", T, float, double) {
  for (const double decay : {0.0, 0.3}) {
    std::vector<double> v(n, 0.0);
    follow<T>(
        optim::SGD{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = decay},
        [&](double w, double g, int, int i) {
          auto& velocity = v[std::size_t(i)];
          const double total = g + decay * w;
          velocity = 0.9 * velocity + total;
          return w - 0.1 * (total + 0.9 * velocity);
        });
  }
}

TEST_CASE("Nesterov's form is the gradient taken ahead") {
  // Sutskever et al. 2013, equations 3 and 4, on f(w) = w^2 / 2 * c: their parameter theta is
  // behind the stored weight by the momentum, w = theta + mu v.
  const double c = 3, mu = 0.8, rate = 0.05;
  std::vector<Variable<double>> parameters;
  parameters.emplace_back(Array<double>::of({1}));
  const auto w = parameters[0].share();
  optim::Optimizer<optim::SGD, double> optimizer(
      std::move(parameters), {.learning_rate = rate, .momentum = mu, .nesterov = true});
  double theta = 1, v = 0;
  for (int step = 0; step < 20; ++step) {
    v = mu * v - rate * c * (theta + mu * v);
    theta += v;
    w.share().set_gradient(Array<double>::of({c * w.value()[0]}));
    optimizer.step();
    // Both count the same products in another order.
    CHECK_AGREES(close(w.value(), Array<double>::of({theta + mu * v}), 1e-12, 1e-14));
  }
}

}  // TEST_SUITE("sgd")

TEST_SUITE("adam") {

TEST_CASE_TEMPLATE("steps are those of algorithm 1 of the paper", T, float, double) {
  for (const double decay : {0.0, 0.3}) {
    std::vector<double> first(n, 0.0), second(n, 0.0);
    const double a = 0.05, b1 = 0.8, b2 = 0.95, epsilon = 1e-3;
    follow<T>(optim::Adam{.learning_rate = a,
                          .beta1 = b1,
                          .beta2 = b2,
                          .epsilon = epsilon,
                          .weight_decay = decay},
              [&](double w, double g, int t, int i) {
                auto &m = first[std::size_t(i)], &v = second[std::size_t(i)];
                g += decay * w;
                m = b1 * m + (1 - b1) * g;
                v = b2 * v + (1 - b2) * g * g;
                const double m_hat = m / (1 - std::pow(b1, t)), v_hat = v / (1 - std::pow(b2, t));
                return w - a * m_hat / (std::sqrt(v_hat) + epsilon);
              });
  }
}

}  // TEST_SUITE("adam")

TEST_SUITE("optimizer") {

TEST_CASE_TEMPLATE("the learning rate may change between steps", T, float, double) {
  std::vector<Variable<T>> parameters;
  parameters.emplace_back(Array<T>::of({1}));
  const auto w = parameters[0].share();
  optim::Optimizer optimizer(std::move(parameters), optim::SGD{.learning_rate = 0.5});
  w.share().set_gradient(Array<T>::of({1}));
  optimizer.step();
  CHECK(w.value()[0] == T(0.5));
  optimizer.rule().learning_rate = 0.25;
  optimizer.step();
  CHECK(w.value()[0] == T(0.25));
}

TEST_CASE_TEMPLATE("each parameter has its own state, also after one that is skipped", T, float,
                   double) {
  nn::Linear<T> model(2, 1), alone(2, 1);
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

TEST_CASE_TEMPLATE("parameters without a gradient are skipped", T, float, double) {
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
    optimizer.step();
    CHECK_AGREES(same_bits(model.weight.value(), before));
    CHECK(optimizer.steps() == 2);
  };
  run(optim::SGD{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.1});
  run(optim::Adam{.learning_rate = 0.1, .weight_decay = 0.1});
}

TEST_CASE_TEMPLATE("a copy of a value is not changed by a step", T, float, double) {
  nn::Linear<T> model(2, 1);
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
  std::vector<Variable<double>> parameters;
  parameters.emplace_back(Array<double>::of({3}));
  const auto w = parameters[0].share();
  optim::Optimizer optimizer(std::move(parameters), optim::SGD{.learning_rate = 1});
  Tape tape;
  const auto y = sum(square(w));
  w.share().set_gradient(Array<double>::of({1}));
  optimizer.step();
  optimizer.zero_grad();
  backward(y);
  CHECK(w.value()[0] == 2);
  CHECK(w.gradient()[0] == 6);  // at 3, where it was recorded
}

TEST_CASE("bad options are refused by the constructor") {
  nn::Linear<float> model(2, 1);
  const auto refuses = [&](auto rule, const char* text) {
    CHECK_THROWS_WITH(optim::Optimizer(model, rule), text);
  };
  refuses(optim::SGD{.learning_rate = -1}, "SGD: learning_rate must be at least 0, not -1.000000");
  refuses(optim::SGD{.momentum = -0.5}, "SGD: momentum must be at least 0, not -0.500000");
  refuses(optim::SGD{.nesterov = true}, "SGD: nesterov needs a momentum above 0, not 0.000000");
  CHECK_THROWS_AS(optim::Optimizer(model, optim::SGD{.weight_decay = -1}), ArgumentError);
  CHECK_THROWS_AS(optim::Optimizer(model, optim::SGD{.learning_rate = std::nan("")}),
                  ArgumentError);
  CHECK_THROWS_AS(optim::Optimizer(model, optim::Adam{.learning_rate = -1}), ArgumentError);
  CHECK_THROWS_AS(optim::Optimizer(model, optim::Adam{.beta1 = 1}), ArgumentError);
  CHECK_THROWS_AS(optim::Optimizer(model, optim::Adam{.beta2 = -0.1}), ArgumentError);
  CHECK_THROWS_AS(optim::Optimizer(model, optim::Adam{.epsilon = -1}), ArgumentError);
}

}  // TEST_SUITE("optimizer")
