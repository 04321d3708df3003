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

/// The elements of an argument. With step 0, one row that is used for every block.
template <class T>
struct FusedRow {
  const T* data;
  std::int64_t step;  ///< 1 or 0

  EBB_INLINE const T* at(std::int64_t i) const { return data + i * step; }
};

/// The values that a loop reads of an argument, and the place for its gradient.
template <class T>
struct FusedArgument {
  T number;  ///< the value of a plain number; the other members are then unused
  FusedRow<T> values;
  T* gradient;   ///< null if it is not wanted
  bool adds;     ///< the loop adds to the gradient that is there
  Block* owned;  ///< the gradient, unless it is null or another's
};

/// The rows that the loops of one formula read and write, in whole vectors.
template <class T>
struct FusedBlock {
  const FusedArgument<T>* arguments;
  const FusedRow<T>* g;  ///< the upstream gradient of each result
  T* const* y;           ///< the results
  T* const* kept;        ///< rows of steps that are kept for the pass back; null to keep nothing
  T scale;               ///< factor of the gradients that a reduction computes in its forward pass
  bool first_only;       ///< no gradient but that of the first argument is wanted
  bool adds;             ///< a loop adds to a gradient
  bool streams;          ///< outputs are written past the caches
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
  Loops pull;                  ///< gradient of x[k] = the sum of g * df/dx[k] over all results
  Loops reduce;                ///< returns the sum of f; no gradients
  Loops reduce_with_gradient;  ///< as `reduce`, with gradient of x[k] = scale * df/dx[k]
  int results;
  /// The number of steps that are kept from a pass forward to the pass back, and for each the
  /// result that it is, or -1. A reduction keeps nothing.
  int kept_count;
  const int* kept_results;
  /// For each argument, the result whose gradient it gets as it is, or -1.
  const int* passes;
  void (*on_tensors)(std::span<const Tensor<T>> arguments, std::span<Tensor<T>> results);
  /// The gradient of argument i, for a formula with given slopes; otherwise null.
  Tensor<T> (*pull_on_tensors)(int i, const Tensor<T>& g, std::span<const Tensor<T>> arguments);
};

}  // namespace ebb::inline v0::detail
