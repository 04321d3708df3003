// SPDX-License-Identifier: BSD-3-Clause
// Lion.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "ebb/optim/rules/options.hpp"

namespace ebb::inline v0::optim {

/// Lion (Chen et al. 2023, algorithm 2): c = beta1 m + (1 - beta1) g, w <- w - rate (sign(c) +
/// weight_decay w), m <- beta2 m + (1 - beta2) g.
struct Lion {
  double learning_rate = 1e-4;  ///< at least 0
  double beta1 = 0.9;           ///< in [0, 1): share of the mean in the direction
  double beta2 = 0.99;          ///< in [0, 1): decay of the mean
  double weight_decay = 0;      ///< at least 0; a step takes away rate weight_decay w
  bool maximize = false;        ///< ascends; the weights decay all the same

  /// Visits the options by their names.
  void each(Fields& field) {
    field("learning_rate", learning_rate);
    field("beta1", beta1);
    field("beta2", beta2);
    field("weight_decay", weight_decay);
    field("maximize", maximize);
  }

  static constexpr std::array<std::string_view, 1> states = {"m"};

  struct Step {
    double rate, beta1, beta2, shrink;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  Step prepare(std::int64_t) const {
    detail::check_common("Lion", learning_rate, weight_decay);
    detail::check_moments("Lion", beta1, beta2, 0);
    return {learning_rate, beta1, beta2, learning_rate * weight_decay};
  }

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& g, V& m) {
    if (s.shrink != 0) w = w - V(s.shrink) * w;
    w = w - V(s.rate) * sign(V(s.beta1) * m + V(1 - s.beta1) * g);
    m = V(s.beta2) * m + V(1 - s.beta2) * g;
  }
};

}  // namespace ebb::inline v0::optim
