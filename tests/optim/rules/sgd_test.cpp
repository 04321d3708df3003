// SPDX-License-Identifier: BSD-3-Clause
// Gradient descent with momentum.
#include "ebb/optim/rules/sgd.hpp"

#include <limits>

#include "ebb/tests/optim/rules/follow.hpp"

using namespace ebb;
using namespace ebb::test;

TEST_SUITE("SGD") {

TEST_CASE_TEMPLATE("plain descent, with weight decay", T, float, double) {
  follow<T>(optim::SGD{.learning_rate = 0.1},
            each_element([](double w, double g, auto...) { return w - 0.1 * g; }));
  follow<T>(optim::SGD{.learning_rate = 0.1, .weight_decay = 0.3},
            each_element([](double w, double g, auto...) { return w - 0.1 * (g + 0.3 * w); }));
}

TEST_CASE_TEMPLATE("momentum, with weight decay", T, float, double) {
  for (const double decay : {0.0, 0.3}) {
    follow<T>(optim::SGD{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = decay},
              each_element([=](double w, double g, int, double& v, auto&...) {
                v = 0.9 * v + (g + decay * w);
                return w - 0.1 * v;
              }));
  }
}

TEST_CASE_TEMPLATE("dampening spares the first gradient only", T, float, double) {
  follow<T>(
      optim::SGD{.learning_rate = 0.1, .momentum = 0.9, .dampening = 0.4, .weight_decay = 0.3},
      each_element([=](double w, double g, int t, double& v, auto&...) {
        const double total = g + 0.3 * w;
        v = t == 1 ? total : 0.9 * v + (1 - 0.4) * total;
        return w - 0.1 * v;
      }));
}

TEST_CASE_TEMPLATE("the averaging form is a mean of gradients", T, float, double) {
  for (const bool nesterov : {false, true}) {
    follow<T>(optim::SGD{.learning_rate = 0.1,
                         .momentum = 0.9,
                         .averaging = true,
                         .nesterov = nesterov,
                         .weight_decay = 0.3},
              each_element([=](double w, double g, int, double& v, auto&...) {
                const double total = g + 0.3 * w;
                v = 0.9 * v + 0.1 * total;
                return w - 0.1 * (nesterov ? 0.1 * total + 0.9 * v : v);
              }));
  }
}

TEST_CASE_TEMPLATE("Nesterov's momentum, with weight decay", T, float, double) {
  for (const double decay : {0.0, 0.3}) {
    follow<T>(
        optim::SGD{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = decay},
        each_element([=](double w, double g, int, double& v, auto&...) {
          const double total = g + decay * w;
          v = 0.9 * v + total;
          return w - 0.1 * (total + 0.9 * v);
        }));
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

}  // TEST_SUITE("SGD")
