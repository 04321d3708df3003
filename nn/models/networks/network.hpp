// SPDX-License-Identifier: BSD-3-Clause
// What networks as estimators are made of, and how they are trained.
#pragma once
#include "ebb/nn/layers/stack.hpp"

namespace ebb::inline v0::nn {

/// What stands between the linear layers of a network.
enum class Activation {
  relu,      ///< max(x, 0)
  tanh,      ///< the hyperbolic tangent
  logistic,  ///< 1 / (1 + e^-x)
  gelu,      ///< x Phi(x)
  silu,      ///< x / (1 + e^-x)
  identity,  ///< nothing, so that the network is linear
};

/// How the weights of a network are found.
enum class NetworkSolver {
  adam,   ///< steps of optim::Adam on mini-batches
  sgd,    ///< steps of optim::SGD with Nesterov's momentum on mini-batches
  lbfgs,  ///< optim::LBFGS on all rows: for a few thousand rows at most
};

/// Layers one after another that are copied with their weights.
struct EBB_API Network {
  Stack<double> layers;

  Network();
  explicit Network(Stack<double> given);
  Network(const Network& other);
  Network(Network&&) noexcept;
  Network& operator=(Network other) noexcept;
  ~Network();

  EBB_INLINE bool empty() const { return layers.size() == 0; }
  /// Visits the layers as a text and a list of all weights, so that a network that is empty can be
  /// given one that is not.
  void each(Parts& part);
};

}  // namespace ebb::inline v0::nn
