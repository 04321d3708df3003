// SPDX-License-Identifier: BSD-3-Clause
// Gradient descent with momentum.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "ebb/autodiff/formula/formula.hpp"

namespace ebb::inline v0::optim {

/// Gradient descent with optional momentum: v <- momentum * v + g, w <- w - rate * v. Nesterov's
/// form looks ahead: w <- w - rate * (g + momentum * v) (Sutskever et al. 2013, as PyTorch has it).
struct SGD {
  double learning_rate = 1e-2;  ///< at least 0
  double momentum = 0;          ///< at least 0; above 0 for Nesterov's form
  bool nesterov = false;        ///< Nesterov's form of the momentum
  double weight_decay = 0;      ///< at least 0; adds weight_decay * w to the gradient

  static constexpr std::array<std::string_view, 1> states = {"velocity"};
  /// The velocity is needed with momentum only.
  EBB_INLINE int used_states() const { return momentum != 0 ? 1 : 0; }

  EBB_INLINE bool skips_zero_gradients() const { return momentum == 0 && weight_decay == 0; }

  struct Step {
    double rate, momentum, decay;
    bool nesterov;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  EBB_API Step prepare(std::int64_t step) const;

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, auto&... velocity) {
    V g = gradient;
    if (s.decay != 0) g = g + V(s.decay) * w;
    // With a velocity, the direction is the velocity or what lies ahead of it.
    [[maybe_unused]] const auto follow = [&](V& v) EBB_LAMBDA {
      v = V(s.momentum) * v + g;
      g = s.nesterov ? g + V(s.momentum) * v : v;
    };
    (follow(velocity), ...);
    w = w - V(s.rate) * g;
  }
};

}  // namespace ebb::inline v0::optim
