// SPDX-License-Identifier: BSD-3-Clause
// NAdam.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "ebb/optim/rules/options.hpp"

namespace ebb::inline v0::optim {

/// NAdam (Dozat 2016, algorithm 8): Adam with Nesterov's momentum, which grows with the step: mu_t
/// = beta1 (1 - 0.96^(t momentum_decay) / 2). w <- w - rate / (sqrt(v / (1 - beta2^t)) + epsilon)
/// (mu_(t+1) m / (1 - mu_1 ... mu_(t+1)) + (1 - mu_t) g / (1 - mu_1 ... mu_t)).
struct NAdam {
  double learning_rate = 2e-3;   ///< at least 0
  double beta1 = 0.9;            ///< in [0, 1): decay of the mean of gradients
  double beta2 = 0.999;          ///< in [0, 1): decay of the mean of their squares
  double epsilon = 1e-8;         ///< at least 0; added to the root
  double weight_decay = 0;       ///< at least 0; adds weight_decay w to the gradient
  double momentum_decay = 4e-3;  ///< above 0; how fast the momentum grows
  bool maximize = false;         ///< ascends

  /// Visits the options by their names.
  void each(Fields& field) {
    field("learning_rate", learning_rate);
    field("beta1", beta1);
    field("beta2", beta2);
    field("epsilon", epsilon);
    field("weight_decay", weight_decay);
    field("momentum_decay", momentum_decay);
    field("maximize", maximize);
  }

  static constexpr std::array<std::string_view, 2> states = {"m", "v"};

  struct Step {
    double mean_rate, gradient_rate, root, beta1, beta2, epsilon, decay;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  Step prepare(std::int64_t step) const {
    detail::check_common("NAdam", learning_rate, weight_decay);
    detail::check_moments("NAdam", beta1, beta2, epsilon);
    detail::check_option(momentum_decay > 0, "NAdam", "momentum_decay must be above 0",
                         momentum_decay);
    const auto t = double(step);
    const double product = product_of_momenta(t), next = momentum(t + 1);
    return {learning_rate * next / (1 - product * next),
            learning_rate * (1 - momentum(t)) / (1 - product),
            1 / std::sqrt(1 - std::pow(beta2, t)),
            beta1,
            beta2,
            epsilon,
            weight_decay};
  }

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, V& m, V& v) {
    V g = gradient;
    if (s.decay != 0) g = g + V(s.decay) * w;
    m = V(s.beta1) * m + V(1 - s.beta1) * g;
    v = V(s.beta2) * v + V(1 - s.beta2) * (g * g);
    w = w - detail::quotient(V(s.mean_rate) * m + V(s.gradient_rate) * g,
                             sqrt(v) * V(s.root) + V(s.epsilon));
  }

 private:
  double momentum(double t) const { return beta1 * (1 - std::pow(0.96, t * momentum_decay) / 2); }
  /// mu_1 ... mu_t = beta1^t prod (1 - q^i / 2), q = 0.96^momentum_decay. The logarithm of the
  /// product is -sum over k of (1 / 2)^k / k (q^k + q^2k + ... + q^tk), whose terms fall by half.
  double product_of_momenta(double t) const {
    const double log_q = std::log(0.96) * momentum_decay;
    double sum = 0, half = 1;
    for (int k = 1; k <= 60; ++k) {
      half /= 2;
      const double q = k * log_q;
      sum += half / k * std::exp(q) * std::expm1(t * q) / std::expm1(q);
    }
    return std::pow(beta1, t) * std::exp(-sum);
  }
};

}  // namespace ebb::inline v0::optim
