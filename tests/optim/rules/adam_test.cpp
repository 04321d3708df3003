// SPDX-License-Identifier: BSD-3-Clause
// Adam and what came of it.
#include "ebb/optim/rules/adam.hpp"

#include "ebb/tests/optim/rules/follow.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

constexpr double rate = 0.05, b1 = 0.8, b2 = 0.95, epsilon = 1e-3;

/// The corrected means of gradients and their squares after step t.
struct Means {
  double m, v;
};
Means means(double g, int t, double& m, double& v) {
  m = b1 * m + (1 - b1) * g;
  v = b2 * v + (1 - b2) * g * g;
  return {m / (1 - std::pow(b1, t)), v / (1 - std::pow(b2, t))};
}

}  // namespace

TEST_SUITE("Adam") {

TEST_CASE_TEMPLATE("algorithm 1 of the paper", T, float, double) {
  for (const double decay : {0.0, 0.3}) {
    follow<T>(optim::Adam{.learning_rate = rate,
                          .beta1 = b1,
                          .beta2 = b2,
                          .epsilon = epsilon,
                          .weight_decay = decay},
              each_element([=](double w, double g, int t, double& m, double& v, double&) {
                const Means hat = means(g + decay * w, t, m, v);
                return w - rate * hat.m / (std::sqrt(hat.v) + epsilon);
              }));
  }
}

TEST_CASE("an epsilon of 0 divides by the root alone") {
  follow<double>(optim::Adam{.learning_rate = rate, .beta1 = b1, .beta2 = b2, .epsilon = 0},
                 each_element([=](double w, double g, int t, double& m, double& v, double&) {
                   const Means hat = means(g, t, m, v);
                   return w - rate * hat.m / std::sqrt(hat.v);
                 }));
}

TEST_CASE_TEMPLATE("AMSGrad takes the largest mean of squares so far", T, float, double) {
  follow<T>(optim::Adam{.learning_rate = rate,
                        .beta1 = b1,
                        .beta2 = b2,
                        .epsilon = epsilon,
                        .weight_decay = 0.3,
                        .amsgrad = true},
            each_element([=](double w, double g, int t, double& m, double& v, double& largest) {
              const Means hat = means(g + 0.3 * w, t, m, v);
              largest = std::fmax(largest, v);
              const double corrected = largest / (1 - std::pow(b2, t));
              return w - rate * hat.m / (std::sqrt(corrected) + epsilon);
            }));
}

TEST_CASE_TEMPLATE("Adamax: algorithm 2 of the paper", T, float, double) {
  for (const double decay : {0.0, 0.3}) {
    follow<T>(optim::Adamax{.learning_rate = rate, .beta1 = b1, .beta2 = b2, .weight_decay = decay},
              each_element([=](double w, double g, int t, double& m, double& u, double&) {
                g += decay * w;
                m = b1 * m + (1 - b1) * g;
                u = std::fmax(b2 * u, std::fabs(g));
                return w - rate / (1 - std::pow(b1, t)) * m / u;
              }));
  }
}

TEST_CASE_TEMPLATE("AdamW decays beside the gradient", T, float, double) {
  for (const bool amsgrad : {false, true}) {
    follow<T>(optim::AdamW{.learning_rate = rate,
                           .beta1 = b1,
                           .beta2 = b2,
                           .epsilon = epsilon,
                           .weight_decay = 0.3,
                           .amsgrad = amsgrad},
              each_element([=](double w, double g, int t, double& m, double& v, double& largest) {
                const Means hat = means(g, t, m, v);
                largest = std::fmax(largest, v);
                const double square = amsgrad ? largest / (1 - std::pow(b2, t)) : hat.v;
                return w - rate * (hat.m / (std::sqrt(square) + epsilon) + 0.3 * w);
              }));
  }
}

TEST_CASE_TEMPLATE("NAdam: algorithm 8 of the report", T, float, double) {
  const double psi = 0.04;
  const auto mu = [=](int t) { return b1 * (1 - 0.5 * std::pow(0.96, t * psi)); };
  for (const double decay : {0.0, 0.3}) {
    follow<T>(optim::NAdam{.learning_rate = rate,
                           .beta1 = b1,
                           .beta2 = b2,
                           .epsilon = epsilon,
                           .weight_decay = decay,
                           .momentum_decay = psi},
              each_element([=](double w, double g, int t, double& m, double& v, double&) {
                g += decay * w;
                const Means hat = means(g, t, m, v);
                double product = 1;
                for (int i = 1; i <= t; ++i) product *= mu(i);
                const double ahead =
                    mu(t + 1) * m / (1 - product * mu(t + 1)) + (1 - mu(t)) * g / (1 - product);
                return w - rate * ahead / (std::sqrt(hat.v) + epsilon);
              }));
  }
}

TEST_CASE("NAdam's momenta are multiplied as exactly after a million steps") {
  const optim::NAdam rule;
  double product = 1;
  for (int t = 1; t <= 20; ++t)
    product *= rule.beta1 * (1 - 0.5 * std::pow(0.96, t * rule.momentum_decay));
  const double next = rule.beta1 * (1 - 0.5 * std::pow(0.96, 21 * rule.momentum_decay));
  // Sixty terms, each right to a few ulp.
  CHECK_AGREES(
      close(rule.prepare(20).mean_rate, rule.learning_rate * next / (1 - product * next), 1e-14));
  CHECK_AGREES(close(rule.prepare(1'000'000).mean_rate, rule.learning_rate * rule.beta1, 1e-5));
}

TEST_CASE_TEMPLATE("RAdam: algorithm 2 of the paper", T, float, double) {
  for (const bool decoupled : {false, true}) {
    follow<T>(optim::RAdam{.learning_rate = rate,
                           .beta1 = b1,
                           .beta2 = b2,
                           .epsilon = epsilon,
                           .weight_decay = 0.3,
                           .decoupled = decoupled},
              each_element([=](double w, double g, int t, double& m, double& v, double&) {
                const Means hat = means(decoupled ? g : g + 0.3 * w, t, m, v);
                const double before = decoupled ? w - rate * 0.3 * w : w;
                const double most = 2 / (1 - b2) - 1;
                const double now = most - 2 * t * std::pow(b2, t) / (1 - std::pow(b2, t));
                if (!(now > 4)) return before - rate * hat.m;
                const double r =
                    std::sqrt((now - 4) * (now - 2) * most / ((most - 4) * (most - 2) * now));
                return before - rate * r * hat.m / (std::sqrt(hat.v) + epsilon);
              }));
  }
}

TEST_CASE("RAdam adapts where the paper says: from the fifth step on, with its numbers") {
  CHECK_FALSE(optim::RAdam{}.prepare(4).adapts);
  CHECK(optim::RAdam{}.prepare(5).adapts);
}

TEST_CASE_TEMPLATE("Lion: algorithm 2 of the paper", T, float, double) {
  follow<T>(optim::Lion{.learning_rate = rate, .beta1 = b1, .beta2 = b2, .weight_decay = 0.3},
            each_element([=](double w, double g, int, double& m, double&, double&) {
              const double c = b1 * m + (1 - b1) * g;
              m = b2 * m + (1 - b2) * g;
              return w - rate * ((c > 0) - (c < 0) + 0.3 * w);
            }));
}

}  // TEST_SUITE("Adam")
