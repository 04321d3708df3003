// SPDX-License-Identifier: BSD-3-Clause
// Adagrad.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "ebb/optim/rules/options.hpp"

namespace ebb::inline v0::optim {

/// Adagrad (Duchi, Hazan and Singer 2011): s <- s + g^2, w <- w - rate g / (sqrt(s) + epsilon).
struct Adagrad {
  double learning_rate = 1e-2;     ///< at least 0
  double learning_rate_decay = 0;  ///< at least 0; step t has rate / (1 + (t - 1) decay)
  double initial_accumulator = 0;  ///< at least 0; added to the sum of squares
  double epsilon = 1e-10;          ///< at least 0; added to the root
  double weight_decay = 0;         ///< at least 0; adds weight_decay w to the gradient
  bool maximize = false;           ///< ascends

  /// Visits the options by their names.
  void each(Fields& field) {
    field("learning_rate", learning_rate);
    field("learning_rate_decay", learning_rate_decay);
    field("initial_accumulator", initial_accumulator);
    field("epsilon", epsilon);
    field("weight_decay", weight_decay);
    field("maximize", maximize);
  }

  static constexpr std::array<std::string_view, 1> states = {"sum"};
  bool skips_zero_gradients() const { return weight_decay == 0; }

  struct Step {
    double rate, initial, epsilon, decay;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  Step prepare(std::int64_t step) const {
    using detail::check_option;
    detail::check_common("Adagrad", learning_rate, weight_decay);
    check_option(learning_rate_decay >= 0, "Adagrad", "learning_rate_decay must be at least 0",
                 learning_rate_decay);
    check_option(initial_accumulator >= 0, "Adagrad", "initial_accumulator must be at least 0",
                 initial_accumulator);
    check_option(epsilon >= 0, "Adagrad", "epsilon must be at least 0", epsilon);
    return {learning_rate / (1 + double(step - 1) * learning_rate_decay), initial_accumulator,
            epsilon, weight_decay};
  }

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, V& sum) {
    V g = gradient;
    if (s.decay != 0) g = g + V(s.decay) * w;
    sum = sum + g * g;
    w = w - V(s.rate) * detail::quotient(g, sqrt(sum + V(s.initial)) + V(s.epsilon));
  }
};

}  // namespace ebb::inline v0::optim
