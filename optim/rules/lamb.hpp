// SPDX-License-Identifier: BSD-3-Clause
// LAMB.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "ebb/optim/rules/options.hpp"

namespace ebb::inline v0::optim {

/// LAMB (You et al. 2020, algorithm 2): Adam's direction with decay, d = (m / (1 - beta1^t)) /
/// (sqrt(v / (1 - beta2^t)) + epsilon) + weight_decay w, and a step of the size of the parameter:
/// w <- w - rate |w| / |d| d. Where w or d is 0 as a whole, w <- w - rate d.
struct LAMB {
  double learning_rate = 1e-3;  ///< at least 0
  double beta1 = 0.9;           ///< in [0, 1): decay of the mean of gradients
  double beta2 = 0.999;         ///< in [0, 1): decay of the mean of their squares
  double epsilon = 1e-6;        ///< at least 0; added to the root
  double weight_decay = 0;      ///< at least 0; adds weight_decay w to the direction
  bool maximize = false;        ///< ascends; the weights decay all the same

  /// Visits the options by their names.
  void each(Fields& field) {
    field("learning_rate", learning_rate);
    field("beta1", beta1);
    field("beta2", beta2);
    field("epsilon", epsilon);
    field("weight_decay", weight_decay);
    field("maximize", maximize);
  }

  static constexpr std::array<std::string_view, 2> states = {"m", "v"};

  struct Step {
    double rate, mean, root, beta1, beta2, epsilon, decay;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  Step prepare(std::int64_t step) const {
    detail::check_common("LAMB", learning_rate, weight_decay);
    detail::check_moments("LAMB", beta1, beta2, epsilon);
    return {learning_rate,
            1 / (1 - std::pow(beta1, double(step))),
            1 / std::sqrt(1 - std::pow(beta2, double(step))),
            beta1,
            beta2,
            epsilon,
            weight_decay};
  }
  /// Whose norms, over a whole parameter, a step needs: those of w and d.
  template <class V>
  static EBB_INLINE V measure(const Step& s, const V& w, const V& g, V& m, V& v) {
    m = V(s.beta1) * m + V(1 - s.beta1) * g;
    v = V(s.beta2) * v + V(1 - s.beta2) * (g * g);
    return direction(s, w, m, v);
  }
  static Step measured(Step s, double weight, double direction) {
    if (weight > 0 && direction > 0) s.rate *= weight / direction;
    return s;
  }

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V&, V& m, V& v) {
    w = w - V(s.rate) * direction(s, w, m, v);
  }

 private:
  template <class V>
  static EBB_INLINE V direction(const Step& s, const V& w, const V& m, const V& v) {
    const V d = detail::quotient(V(s.mean) * m, sqrt(v) * V(s.root) + V(s.epsilon));
    return s.decay != 0 ? d + V(s.decay) * w : d;
  }
};

}  // namespace ebb::inline v0::optim
