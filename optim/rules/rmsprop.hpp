// SPDX-License-Identifier: BSD-3-Clause
// RMSProp.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "ebb/optim/rules/options.hpp"

namespace ebb::inline v0::optim {

/// RMSProp (Tieleman and Hinton 2012, lecture 6.5): s <- alpha s + (1 - alpha) g^2,
/// w <- w - rate g / (sqrt(s) + epsilon). Centred (Graves 2013), the root is that of s - m^2 with
/// the mean m of the gradients. With momentum, v <- momentum v + g / root and w <- w - rate v.
struct RMSProp {
  double learning_rate = 1e-2;  ///< at least 0
  double alpha = 0.99;          ///< in [0, 1): decay of the means
  double epsilon = 1e-8;        ///< at least 0; added to the root
  double momentum = 0;          ///< at least 0
  bool centered = false;        ///< divides by the estimated deviation, not by the root mean square
  double weight_decay = 0;      ///< at least 0; adds weight_decay w to the gradient
  bool maximize = false;        ///< ascends

  /// Visits the options by their names.
  void each(Fields& field) {
    field("learning_rate", learning_rate);
    field("alpha", alpha);
    field("epsilon", epsilon);
    field("momentum", momentum);
    field("centered", centered);
    field("weight_decay", weight_decay);
    field("maximize", maximize);
  }

  static constexpr std::array<std::string_view, 3> states = {"square", "velocity", "mean"};
  static constexpr int fewest_states = 1;
  /// The velocity is needed with momentum, and the mean, which comes after it, for centring.
  int used_states() const { return centered ? 3 : momentum != 0 ? 2 : 1; }

  struct Step {
    double rate, alpha, epsilon, momentum, decay;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  Step prepare(std::int64_t) const {
    using detail::check_option;
    detail::check_common("RMSProp", learning_rate, weight_decay);
    check_option(alpha >= 0 && alpha < 1, "RMSProp", "alpha must be in [0, 1)", alpha);
    check_option(epsilon >= 0, "RMSProp", "epsilon must be at least 0", epsilon);
    check_option(momentum >= 0, "RMSProp", "momentum must be at least 0", momentum);
    return {learning_rate, alpha, epsilon, momentum, weight_decay};
  }

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, V& square) {
    w = w - V(s.rate) * direction(s, w, gradient, square);
  }
  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, V& square, V& velocity,
                                auto&... mean) {
    velocity = V(s.momentum) * velocity + direction(s, w, gradient, square, mean...);
    w = w - V(s.rate) * velocity;
  }

 private:
  template <class V>
  static EBB_INLINE V direction(const Step& s, const V& w, const V& gradient, V& square,
                                auto&... mean) {
    V g = gradient;
    if (s.decay != 0) g = g + V(s.decay) * w;
    square = V(s.alpha) * square + V(1 - s.alpha) * (g * g);
    V variance = square;
    [[maybe_unused]] const auto centre = [&](V& m) EBB_LAMBDA {
      m = V(s.alpha) * m + V(1 - s.alpha) * g;
      variance = maximum(square - m * m, V(0));  // rounding may take it below 0
    };
    (centre(mean), ...);
    return detail::quotient(g, sqrt(variance) + V(s.epsilon));
  }
};

}  // namespace ebb::inline v0::optim
