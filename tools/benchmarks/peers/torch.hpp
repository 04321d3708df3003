// SPDX-License-Identifier: BSD-3-Clause
// What libtorch does on the same data. Only torch.cpp includes its headers.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "../limits/limits.hpp"

namespace torch_side {

/// Work that is measured, and a number by which it can be compared with the same work of ebb.
class Work {
 public:
  virtual ~Work() = default;
  /// One training step, or one epoch of batches.
  virtual void run() = 0;
  /// Of training: the loss of the last step. Of an epoch: `epoch_loss` of a further one.
  virtual double loss() const = 0;
};

/// SGD steps of linear regression with 10 features on 32 rows, starting at zeros. `as_modules` uses
/// torch::nn::Linear and torch::optim::SGD; otherwise tensors alone, with the fewest calls.
std::unique_ptr<Work> linear_steps(const float* x, const float* y, double rate, bool as_modules);

using limits::Mlp;  // its sizes
/// The weights (out, in) and biases of three layers.
struct MlpParameters {
  const float *w1, *b1, *w2, *b2, *w3, *b3;
};
/// Adam steps on the mean cross-entropy of x (batch, in) and labels (batch).
std::unique_ptr<Work> mlp_steps(const MlpParameters& parameters, std::int64_t batch, const float* x,
                                const std::int64_t* labels, double rate);

/// Epochs of x (rows, features) and y (rows, 1) in batches, in a new random order each. By the
/// DataLoader, or by randperm and index_select of whole batches. The loss of an epoch is the mean
/// over rows of (sum of the row of x - y)^2, whatever the order.
std::unique_ptr<Work> epochs(const float* x, const float* y, std::int64_t rows,
                             std::int64_t features, std::int64_t batch, bool by_data_loader);

/// Lets libtorch and OpenBLAS use one thread, and makes malloc as good for libtorch as it can be.
/// @throws std::runtime_error if the products of libtorch go to another library than those of ebb.
void set_up();
/// The versions of libtorch and of the BLAS that both use.
std::string description();

}  // namespace torch_side
