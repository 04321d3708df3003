// SPDX-License-Identifier: BSD-3-Clause
// LARS.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "ebb/optim/rules/options.hpp"

namespace ebb::inline v0::optim {

/// LARS (You, Gitman and Ginsburg 2017, algorithm 1): momentum with a rate of its own for each
/// parameter, r = rate trust |w| / (|g| + weight_decay |w|), v <- momentum v + r (g + weight_decay
/// w), w <- w - v. Where w or g is 0 as a whole, r = rate.
struct LARS {
  double learning_rate = 0.1;  ///< at least 0
  double momentum = 0.9;       ///< at least 0
  double trust = 1e-3;         ///< at least 0: a step is about this part of the weights
  double weight_decay = 0;     ///< at least 0; adds weight_decay w to the gradient
  bool maximize = false;       ///< ascends

  /// Visits the options by their names.
  void each(Fields& field) {
    field("learning_rate", learning_rate);
    field("momentum", momentum);
    field("trust", trust);
    field("weight_decay", weight_decay);
    field("maximize", maximize);
  }

  static constexpr std::array<std::string_view, 1> states = {"velocity"};

  struct Step {
    double rate, momentum, trust, decay;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  Step prepare(std::int64_t) const {
    using detail::check_option;
    detail::check_common("LARS", learning_rate, weight_decay);
    check_option(momentum >= 0, "LARS", "momentum must be at least 0", momentum);
    check_option(trust >= 0, "LARS", "trust must be at least 0", trust);
    return {learning_rate, momentum, trust, weight_decay};
  }
  /// Whose norms, over a whole parameter, a step needs: those of w and g.
  template <class V>
  static EBB_INLINE V measure(const Step&, const V&, const V& g, V&) {
    return g;
  }
  static Step measured(Step s, double weight, double gradient) {
    if (weight > 0 && gradient > 0) s.rate *= s.trust * weight / (gradient + s.decay * weight);
    return s;
  }

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, V& velocity) {
    V g = gradient;
    if (s.decay != 0) g = g + V(s.decay) * w;
    velocity = V(s.momentum) * velocity + V(s.rate) * g;
    w = w - velocity;
  }
};

}  // namespace ebb::inline v0::optim
