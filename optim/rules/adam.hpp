// SPDX-License-Identifier: BSD-3-Clause
// Adam.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "ebb/autodiff/formula/formula.hpp"

namespace ebb::inline v0::optim {

/// Adam (Kingma and Ba 2015, algorithm 1): m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2)
/// g^2, w <- w - rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon).
struct Adam {
  double learning_rate = 1e-3;  ///< at least 0
  double beta1 = 0.9;           ///< in [0, 1): decay of the mean of gradients
  double beta2 = 0.999;         ///< in [0, 1): decay of the mean of their squares
  double epsilon = 1e-8;        ///< at least 0; added to the root
  double weight_decay = 0;      ///< at least 0; adds weight_decay * w to the gradient

  static constexpr std::array<std::string_view, 2> states = {"m", "v"};

  struct Step {
    double rate, root, beta1, beta2, epsilon, decay;
  };
  /// The numbers of step 1, 2, ... @throws ArgumentError for options out of their range.
  EBB_API Step prepare(std::int64_t step) const;

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, V& m, V& v) {
    V g = gradient;
    if (s.decay != 0) g = g + V(s.decay) * w;
    m = V(s.beta1) * m + V(1 - s.beta1) * g;
    v = V(s.beta2) * v + V(1 - s.beta2) * (g * g);
    V update = V(s.rate) * m / (sqrt(v) * V(s.root) + V(s.epsilon));
    if (s.epsilon == 0) update = select(m == V(0), V(0), update);  // 0 / 0 is no step
    w = w - update;
  }
};

}  // namespace ebb::inline v0::optim
