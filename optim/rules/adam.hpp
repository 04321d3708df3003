// SPDX-License-Identifier: BSD-3-Clause
// Adam and Adamax.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "ebb/optim/rules/options.hpp"

namespace ebb::inline v0::optim {

/// Adam (Kingma and Ba 2015, algorithm 1): m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2)
/// g^2, w <- w - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon). AMSGrad (Reddi,
/// Kale and Kumar 2018) takes the largest v so far.
struct Adam {
  double learning_rate = 1e-3;  ///< at least 0
  double beta1 = 0.9;           ///< in [0, 1): decay of the mean of gradients
  double beta2 = 0.999;         ///< in [0, 1): decay of the mean of their squares
  double epsilon = 1e-8;        ///< at least 0; added to the root
  double weight_decay = 0;      ///< at least 0; adds weight_decay w to the gradient
  bool amsgrad = false;         ///< the largest mean of squares so far, corrected for its bias
  bool maximize = false;        ///< ascends

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
    double rate, root, beta1, beta2, epsilon, decay;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  EBB_HOT Step prepare(std::int64_t step) const {
    detail::check_common("Adam", learning_rate, weight_decay);
    detail::check_moments("Adam", beta1, beta2, epsilon);
    return {learning_rate / (1 - std::pow(beta1, double(step))),
            1 / std::sqrt(1 - std::pow(beta2, double(step))),
            beta1,
            beta2,
            epsilon,
            weight_decay};
  }

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, V& m, V& v,
                                auto&... v_max) {
    V g = gradient;
    if (s.decay != 0) g = g + V(s.decay) * w;
    w = w - detail::adam_update(s, g, m, v, v_max...);
  }
};

/// Adamax (Kingma and Ba 2015, algorithm 2): m <- beta1 m + (1 - beta1) g, u <- max(beta2 u, |g|),
/// w <- w - rate / (1 - beta1^t) m / u.
struct Adamax {
  double learning_rate = 2e-3;  ///< at least 0
  double beta1 = 0.9;           ///< in [0, 1): decay of the mean of gradients
  double beta2 = 0.999;         ///< in [0, 1): decay of the largest gradient
  double weight_decay = 0;      ///< at least 0; adds weight_decay w to the gradient
  bool maximize = false;        ///< ascends

  /// Visits the options by their names.
  void each(Fields& field) {
    field("learning_rate", learning_rate);
    field("beta1", beta1);
    field("beta2", beta2);
    field("weight_decay", weight_decay);
    field("maximize", maximize);
  }

  static constexpr std::array<std::string_view, 2> states = {"m", "u"};

  struct Step {
    double rate, beta1, beta2, decay;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  Step prepare(std::int64_t step) const {
    detail::check_common("Adamax", learning_rate, weight_decay);
    detail::check_moments("Adamax", beta1, beta2, 0);
    return {learning_rate / (1 - std::pow(beta1, double(step))), beta1, beta2, weight_decay};
  }

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, V& m, V& u) {
    V g = gradient;
    if (s.decay != 0) g = g + V(s.decay) * w;
    m = V(s.beta1) * m + V(1 - s.beta1) * g;
    u = maximum(V(s.beta2) * u, abs(g));
    w = w - V(s.rate) * detail::quotient(m, u);
  }
};

}  // namespace ebb::inline v0::optim
