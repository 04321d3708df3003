// SPDX-License-Identifier: BSD-3-Clause
// Update rules: options, the number of state arrays, and one formula each. A formula runs on SIMD
// lanes in one pass over weights, gradients and state, and on plain numbers in the tests.
#pragma once
#include <cmath>
#include <cstdint>

#include "ebb/autodiff/formula/formula.hpp"

namespace ebb::inline v0::optim {

/// Gradient descent with optional momentum: v <- momentum * v + g, w <- w - rate * v. Nesterov's
/// form looks ahead: w <- w - rate * (g + momentum * v) (Sutskever et al. 2013, as PyTorch has it).
struct SGD {
  double learning_rate = 1e-2;
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;  ///< adds weight_decay * w to the gradient

  /// State arrays a parameter needs.
  int states() const { return momentum != 0 ? 1 : 0; }

  struct Step {
    double rate, momentum, ahead, decay;
  };
  /// The numbers of step 1, 2, ...; also checks the options.
  EBB_API Step prepare(std::int64_t step) const;

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& g) {
    w = w - V(s.rate) * (g + V(s.decay) * w);
  }
  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, V& velocity) {
    const V g = gradient + V(s.decay) * w;
    velocity = V(s.momentum) * velocity + g;
    // ahead is 1 for Nesterov's form and 0 for the classical one.
    w = w - V(s.rate) * (V(s.ahead) * (g + V(s.momentum) * velocity) + V(1 - s.ahead) * velocity);
  }
};

/// Adam (Kingma and Ba 2015, algorithm 1): m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2)
/// g^2, w <- w - rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon).
struct Adam {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;  ///< adds weight_decay * w to the gradient

  int states() const { return 2; }

  struct Step {
    double rate, root, beta1, beta2, epsilon, decay;
  };
  EBB_API Step prepare(std::int64_t step) const;

  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& gradient, V& m, V& v) {
    const V g = gradient + V(s.decay) * w;
    m = V(s.beta1) * m + V(1 - s.beta1) * g;
    v = V(s.beta2) * v + V(1 - s.beta2) * (g * g);
    w = w - V(s.rate) * m / (sqrt(v) * V(s.root) + V(s.epsilon));
  }
};

}  // namespace ebb::inline v0::optim
