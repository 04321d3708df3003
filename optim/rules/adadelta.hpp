// SPDX-License-Identifier: BSD-3-Clause
// Adadelta.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "ebb/optim/rules/options.hpp"

namespace ebb::inline v0::optim {

/// Adadelta (Zeiler 2012, algorithm 1): s <- rho s + (1 - rho) g^2, d = sqrt(u + epsilon) /
/// sqrt(s + epsilon) g, u <- rho u + (1 - rho) d^2, w <- w - rate d.
struct Adadelta {
  double learning_rate = 1;  ///< at least 0; the paper has none
  double rho = 0.9;          ///< in [0, 1): decay of the means
  double epsilon = 1e-6;     ///< at least 0; added under the roots
  double weight_decay = 0;   ///< at least 0; adds weight_decay w to the gradient
  bool maximize = false;     ///< ascends

  /// Visits the options by their names.
  void each(Fields& field) {
    field("learning_rate", learning_rate);
    field("rho", rho);
    field("epsilon", epsilon);
    field("weight_decay", weight_decay);
    field("maximize", maximize);
  }

  static constexpr std::array<std::string_view, 2> states = {"square", "step"};

  struct Step {
    double rate, rho, epsilon, decay;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  Step prepare(std::int64_t) const {
    using detail::check_option;
    detail::check_common("Adadelta", learning_rate, weight_decay);
    check_option(rho >= 0 && rho < 1, "Adadelta", "rho must be in [0, 1)", rho);
    check_option(epsilon >= 0, "Adadelta", "epsilon must be at least 0", epsilon);
    return {learning_rate, rho, epsilon, weight_decay};
  }

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, V& square, V& step) {
    V g = gradient;
    if (s.decay != 0) g = g + V(s.decay) * w;
    square = V(s.rho) * square + V(1 - s.rho) * (g * g);
    const V d = detail::quotient(sqrt(step + V(s.epsilon)) * g, sqrt(square + V(s.epsilon)));
    step = V(s.rho) * step + V(1 - s.rho) * (d * d);
    w = w - V(s.rate) * d;
  }
};

}  // namespace ebb::inline v0::optim
