// SPDX-License-Identifier: BSD-3-Clause
// RAdam.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "ebb/optim/rules/options.hpp"

namespace ebb::inline v0::optim {

/// RAdam (Liu et al. 2020, algorithm 2): Adam whose first steps do without the mean of squares, as
/// long as its variance is unbounded, and whose next ones are shorter by what is known of it.
struct RAdam {
  double learning_rate = 1e-3;  ///< at least 0
  double beta1 = 0.9;           ///< in [0, 1): decay of the mean of gradients
  double beta2 = 0.999;         ///< in [0, 1): decay of the mean of their squares
  double epsilon = 1e-8;        ///< at least 0; added to the root
  double weight_decay = 0;      ///< at least 0; adds weight_decay w to the gradient
  bool decoupled = false;       ///< takes away rate weight_decay w instead, as AdamW does
  bool maximize = false;        ///< ascends

  /// Visits the options by their names.
  void each(Fields& field) {
    field("learning_rate", learning_rate);
    field("beta1", beta1);
    field("beta2", beta2);
    field("epsilon", epsilon);
    field("weight_decay", weight_decay);
    field("decoupled", decoupled);
    field("maximize", maximize);
  }

  static constexpr std::array<std::string_view, 2> states = {"m", "v"};

  struct Step {
    double rate, root, beta1, beta2, epsilon, decay, shrink;
    bool adapts;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  Step prepare(std::int64_t step) const {
    detail::check_common("RAdam", learning_rate, weight_decay);
    detail::check_moments("RAdam", beta1, beta2, epsilon);
    const auto t = double(step);
    const double power = std::pow(beta2, t), longest = 2 / (1 - beta2) - 1;
    const double length = longest - 2 * t * power / (1 - power);
    const bool adapts = length > 4;
    double rate = learning_rate / (1 - std::pow(beta1, t));
    if (adapts) {
      rate *= std::sqrt((length - 4) * (length - 2) * longest /
                        ((longest - 4) * (longest - 2) * length));
    }
    return {rate,
            1 / std::sqrt(1 - power),
            beta1,
            beta2,
            epsilon,
            decoupled ? 0 : weight_decay,
            decoupled ? learning_rate * weight_decay : 0,
            adapts};
  }

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, V& m, V& v) {
    V g = gradient;
    if (s.decay != 0) g = g + V(s.decay) * w;
    if (s.shrink != 0) w = w - V(s.shrink) * w;
    m = V(s.beta1) * m + V(1 - s.beta1) * g;
    v = V(s.beta2) * v + V(1 - s.beta2) * (g * g);
    const V step = V(s.rate) * m;
    w = w - (s.adapts ? detail::quotient(step, sqrt(v) * V(s.root) + V(s.epsilon)) : step);
  }
};

}  // namespace ebb::inline v0::optim
