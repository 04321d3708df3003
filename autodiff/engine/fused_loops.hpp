// SPDX-License-Identifier: BSD-3-Clause
// The compiled loops of one formula, as `fuse` makes them and a run calls them.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "ebb/autodiff/values/tensor.hpp"

namespace ebb::inline v0::detail {

/// The most elements of one fused loop: the block of a sum, and the task of a thread.
inline constexpr std::int64_t fused_block = 4096;

/// The elements of an argument or of its gradient. With step 0, one row that is used for every
/// block.
template <class T>
struct FusedRow {
  T* data;
  std::int64_t step;  ///< 1 or 0

  EBB_INLINE T* at(std::int64_t i) const { return data + i * step; }
};

/// The values that a loop reads of an argument, and the place for its gradient.
template <class T>
struct FusedArgument {
  T number;  ///< the value of a plain number; the other members are then unused
  FusedRow<const T> values;
  FusedRow<T> gradient;  ///< step 0: a scratch row for a gradient that is not wanted
  Block* owned;          ///< the gradient; null if it is not wanted
};

/// The rows that the loops of one formula read and write, in whole vectors.
template <class T>
struct FusedBlock {
  const FusedArgument<T>* arguments;
  FusedRow<const T> g;  ///< the upstream gradient
  T* y;
  T scale;       ///< factor of the gradients that a reduction computes in its forward pass
  int only;      ///< the only argument to differentiate; -1: all
  bool streams;  ///< outputs are written past the caches
};

/// The compiled loops of one formula for each instruction set. A reduction has only the last two
/// loops, any other formula only the first two.
template <class T>
struct FusedLoops {
  std::string_view name = "fuse";  ///< used in errors
  /// The error for shapes that differ, if arguments must not broadcast.
  const char* equal_shapes = nullptr;
  /// A loop over n elements, the first at `begin`.
  using Loops =
      std::array<double (*)(const FusedBlock<T>& block, std::int64_t begin, std::int64_t n), 3>;
  Loops value;                 ///< y = f(x...)
  Loops pull;                  ///< gradient of x[k] = g * df/dx[k]
  Loops reduce;                ///< returns the sum of f; no gradients
  Loops reduce_with_gradient;  ///< as `reduce`, with gradient of x[k] = scale * df/dx[k]
  Tensor<T> (*on_tensors)(std::span<const Tensor<T>> arguments);
  /// The gradient of argument i, for a formula with given slopes; otherwise null.
  Tensor<T> (*pull_on_tensors)(int i, const Tensor<T>& g, std::span<const Tensor<T>> arguments);
};

}  // namespace ebb::inline v0::detail
