// SPDX-License-Identifier: BSD-3-Clause
// Update rules against a restatement of their papers in plain numbers.
#include "ebb/optim/rules/rules.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "ebb/optim/optimizer.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::close, ebb::test::same_bits;

namespace {

constexpr int n = 37;  // no multiple of a vector

/// A gradient that changes with the step, and so does its sign.
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
  const Variable<T> w(start);
  optim::Optimizer optimizer({w}, rule);
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

TEST_SUITE("SGD") {

TEST_CASE_TEMPLATE("plain descent, with weight decay", T, float, double) {
  follow<T>(optim::SGD{.learning_rate = 0.1},
            [](double w, double g, int, int) { return w - 0.1 * g; });
  follow<T>(optim::SGD{.learning_rate = 0.1, .weight_decay = 0.3},
            [](double w, double g, int, int) { return w - 0.1 * (g + 0.3 * w); });
}

TEST_CASE_TEMPLATE("momentum, with weight decay", T, float, double) {
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

TEST_CASE_TEMPLATE("Nesterov's momentum, with weight decay", T, float, double) {
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
  const Variable<double> w(Array<double>::of({1}));
  optim::Optimizer optimizer({w},
                             optim::SGD{.learning_rate = rate, .momentum = mu, .nesterov = true});
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

TEST_CASE_TEMPLATE("an infinite gradient moves the weight to infinity, not to NaN", T, float,
                   double) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  for (const auto& rule :
       {optim::SGD{.learning_rate = 0.1}, optim::SGD{.learning_rate = 0.1, .momentum = 0.9},
        optim::SGD{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}}) {
    const Variable<T> w(Array<T>::of({1, 1}));
    optim::Optimizer optimizer({w}, rule);
    w.share().set_gradient(Array<T>::of({T(inf), 1}));
    optimizer.step();
    CHECK(w.value()[0] == -T(inf));
    CHECK(std::isfinite(w.value()[1]));
  }
}

TEST_CASE_TEMPLATE("an infinite weight stays infinite where nothing decays it", T, float, double) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const Variable<T> w(Array<T>::of({T(inf)}));
  optim::Optimizer optimizer({w}, optim::SGD{.learning_rate = 0.1});
  w.share().set_gradient(Array<T>::of({1}));
  optimizer.step();
  CHECK(w.value()[0] == T(inf));
}

TEST_CASE("without options, the rate is 0.01 and there is neither momentum nor decay") {
  const optim::SGD::Step step = optim::SGD{}.prepare(1);
  CHECK(step.rate == 0.01);
  CHECK(step.momentum == 0);
  CHECK(step.decay == 0);
  CHECK_FALSE(step.nesterov);
}

}  // TEST_SUITE("SGD")

TEST_SUITE("Adam") {

TEST_CASE_TEMPLATE("algorithm 1 of the paper", T, float, double) {
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

TEST_CASE("without options, the numbers are those that the paper recommends") {
  const optim::Adam adam;
  CHECK(adam.learning_rate == 0.001);
  CHECK(adam.beta1 == 0.9);
  CHECK(adam.beta2 == 0.999);
  CHECK(adam.epsilon == 1e-8);
  CHECK(adam.weight_decay == 0);
}

}  // TEST_SUITE("Adam")
