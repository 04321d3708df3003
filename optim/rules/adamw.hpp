// SPDX-License-Identifier: BSD-3-Clause
// AdamW.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "ebb/optim/rules/options.hpp"

namespace ebb::inline v0::optim {

/// AdamW (Loshchilov and Hutter 2019, algorithm 2): Adam's step, and beside it, decoupled from the
/// gradient, w <- w - rate weight_decay w.
struct AdamW {
  double learning_rate = 1e-3;  ///< at least 0
  double beta1 = 0.9;           ///< in [0, 1): decay of the mean of gradients
  double beta2 = 0.999;         ///< in [0, 1): decay of the mean of their squares
  double epsilon = 1e-8;        ///< at least 0; added to the root
  double weight_decay = 1e-2;   ///< at least 0; a step takes away rate weight_decay w
  bool amsgrad = false;         ///< the largest mean of squares so far, corrected for its bias
  bool maximize = false;        ///< ascends; the weights decay all the same

  /// Visits the options by their names.
  void each(Fields& field) {
    field("learning_rate", learning_rate);
    field("beta1", beta1);
    field("beta2", beta2);
    field("epsilon", epsilon);
    field("weight_decay", weight_decay);
    field("amsgrad", amsgrad);
    field("maximize", maximize);
  }

  static constexpr std::array<std::string_view, 3> states = {"m", "v", "v_max"};
  static constexpr int fewest_states = 2;
  /// The largest mean of squares is needed for AMSGrad only.
  int used_states() const { return amsgrad ? 3 : 2; }

  struct Step {
    double rate, root, beta1, beta2, epsilon, shrink;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  Step prepare(std::int64_t step) const {
    detail::check_common("AdamW", learning_rate, weight_decay);
    detail::check_moments("AdamW", beta1, beta2, epsilon);
    return {learning_rate / (1 - std::pow(beta1, double(step))),
            1 / std::sqrt(1 - std::pow(beta2, double(step))),
            beta1,
            beta2,
            epsilon,
            learning_rate * weight_decay};
  }

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& g, V& m, V& v, auto&... v_max) {
    if (s.shrink != 0) w = w - V(s.shrink) * w;
    w = w - detail::adam_update(s, g, m, v, v_max...);
  }
};

}  // namespace ebb::inline v0::optim
