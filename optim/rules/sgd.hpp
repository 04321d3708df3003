// SPDX-License-Identifier: BSD-3-Clause
// Gradient descent with momentum.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "ebb/optim/rules/options.hpp"

namespace ebb::inline v0::optim {

/// Gradient descent with optional momentum: v <- momentum v + g, w <- w - rate v. Nesterov's form
/// looks ahead: w <- w - rate (g + momentum v) (Sutskever et al. 2013, as PyTorch has it).
/// Dampening weakens every gradient after the first: v <- momentum v + (1 - dampening) g. The
/// averaging form is v <- momentum v + (1 - momentum) g from the first step on.
struct SGD {
  double learning_rate = 1e-2;  ///< at least 0
  double momentum = 0;          ///< at least 0; above 0 for Nesterov's form and for averaging
  double dampening = 0;         ///< in [0, 1]; with momentum only
  bool averaging = false;       ///< the velocity is a mean of gradients; excludes dampening
  bool nesterov = false;        ///< Nesterov's form of the momentum; excludes dampening
  double weight_decay = 0;      ///< at least 0; adds weight_decay w to the gradient
  bool maximize = false;        ///< ascends

  /// Visits the options by their names.
  void each(Fields& field) {
    field("learning_rate", learning_rate);
    field("momentum", momentum);
    field("dampening", dampening);
    field("averaging", averaging);
    field("nesterov", nesterov);
    field("weight_decay", weight_decay);
    field("maximize", maximize);
  }

  static constexpr std::array<std::string_view, 1> states = {"velocity"};
  /// The velocity is needed with momentum only.
  int used_states() const { return momentum != 0 ? 1 : 0; }
  bool skips_zero_gradients() const { return momentum == 0 && weight_decay == 0; }

  struct Step {
    double rate, momentum, share, decay;
    bool nesterov;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  Step prepare(std::int64_t step) const {
    detail::check_common("SGD", learning_rate, weight_decay);
    // A plain step costs so little that every check counts.
    if (momentum != 0 || dampening != 0 || averaging || nesterov) check_momentum();
    const double share = averaging ? 1 - momentum : step > 1 ? 1 - dampening : 1;
    return {learning_rate, momentum, share, weight_decay, nesterov};
  }

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, auto&... velocity) {
    V g = gradient;
    if (s.decay != 0) g = g + V(s.decay) * w;
    // With a velocity, the direction is the velocity or what lies ahead of it.
    [[maybe_unused]] const auto follow = [&](V& v) EBB_LAMBDA {
      if (s.share != 1) g = V(s.share) * g;
      v = V(s.momentum) * v + g;
      g = s.nesterov ? g + V(s.momentum) * v : v;
    };
    (follow(velocity), ...);
    w = w - V(s.rate) * g;
  }

 private:
  EBB_API void check_momentum() const;
};

}  // namespace ebb::inline v0::optim
