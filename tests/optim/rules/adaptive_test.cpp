// SPDX-License-Identifier: BSD-3-Clause
// Rules with a rate of its own for each weight, and averaged descent.
#include "ebb/tests/optim/rules/follow.hpp"

using namespace ebb;
using namespace ebb::test;

TEST_SUITE("adaptive rules") {

TEST_CASE_TEMPLATE("Adagrad", T, float, double) {
  for (const double decay : {0.0, 0.3}) {
    follow<T>(optim::Adagrad{.learning_rate = 0.1,
                             .learning_rate_decay = 0.2,
                             .initial_accumulator = 0.5,
                             .epsilon = 1e-3,
                             .weight_decay = decay},
              each_element([=](double w, double g, int t, double& sum, auto&...) {
                g += decay * w;
                sum += g * g;
                return w - 0.1 / (1 + (t - 1) * 0.2) * g / (std::sqrt(sum + 0.5) + 1e-3);
              }));
  }
}

TEST_CASE_TEMPLATE("RMSProp, centred and with momentum", T, float, double) {
  for (const bool centered : {false, true}) {
    for (const double momentum : {0.0, 0.7}) {
      // The variance is a difference of two means; it keeps their absolute error.
      follow<T>(optim::RMSProp{.learning_rate = 0.01,
                               .alpha = 0.9,
                               .epsilon = 1e-2,
                               .momentum = momentum,
                               .centered = centered,
                               .weight_decay = 0.3},
                each_element([=](double w, double g, int, double& s, double& m, double& v) {
                  g += 0.3 * w;
                  s = 0.9 * s + 0.1 * g * g;
                  m = 0.9 * m + 0.1 * g;
                  const double root = std::sqrt(centered ? s - m * m : s) + 1e-2;
                  v = momentum * v + g / root;
                  return w - 0.01 * v;
                }),
                centered ? 10 : 1);
    }
  }
}

TEST_CASE_TEMPLATE("Adadelta: algorithm 1 of the paper", T, float, double) {
  follow<T>(optim::Adadelta{.learning_rate = 0.7, .rho = 0.8, .epsilon = 1e-3, .weight_decay = 0.3},
            each_element([=](double w, double g, int, double& square, double& step, double&) {
              g += 0.3 * w;
              square = 0.8 * square + 0.2 * g * g;
              const double d = std::sqrt(step + 1e-3) / std::sqrt(square + 1e-3) * g;
              step = 0.8 * step + 0.2 * d * d;
              return w - 0.7 * d;
            }));
}

TEST_CASE_TEMPLATE("Rprop grows and shrinks its steps by the sign", T, float, double) {
  follow<T>(optim::Rprop{.learning_rate = 0.05, .smallest = 0.02, .largest = 0.1},
            each_element([=](double w, double g, int t, double& before, double& step, double&) {
              if (t == 1) step = 0.05;
              if (g * before > 0) step = std::fmin(step * 1.2, 0.1);
              if (g * before < 0) step = std::fmax(step * 0.5, 0.02);
              before = g * before < 0 ? 0 : g;
              return w - ((before > 0) - (before < 0)) * step;
            }));
}

TEST_CASE_TEMPLATE("averaged descent: the weights, and their mean", T, float, double) {
  const optim::ASGD rule{
      .learning_rate = 0.1, .lambda = 0.05, .alpha = 0.6, .start = 10, .weight_decay = 0.3};
  const auto rate = [](int t) { return 0.1 / std::pow(1 + 0.05 * 0.1 * (t - 1), 0.6); };
  const auto next = [=](double w, double g, int t) {
    return w - rate(t) * ((g + 0.3 * w) + 0.05 * w);
  };
  follow<T>(rule, each_element([=](double w, double g, int t, auto&...) { return next(w, g, t); }));
  const Variable<T> w(Array<T>::of({1}));
  optim::Optimizer optimizer({w}, rule);
  double expected = 1, sum = 0;
  for (int t = 1; t <= 20; ++t) {
    w.share().set_gradient(Array<T>::of({T(gradient_at(t, 0))}));
    optimizer.step();
    expected = next(expected, double(T(gradient_at(t, 0))), t);
    sum += t >= 11 ? expected : 0;
    // The mean begins with the weight of step 11, which is the first of those that count.
    if (t == 10) CHECK_AGREES(same_bits(optimizer.state(w, "average"), w.value()));
  }
  const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;  // rounding of 20 steps
  CHECK_AGREES(close(double(optimizer.state(w, "average").item()), sum / 10, tolerance));
}

}  // TEST_SUITE("adaptive rules")
