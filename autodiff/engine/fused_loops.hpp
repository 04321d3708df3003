// SPDX-License-Identifier: BSD-3-Clause
// The compiled loops of one formula, as `fuse` makes them and a run calls them.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "ebb/autodiff/values/tensor.hpp"

namespace ebb::inline v0::detail {

/// A fused loop runs over so many elements at most: a sum's blocks, and a task for a thread.
inline constexpr std::int64_t fused_block = 4096;

/// The elements of an argument or of its gradient; or a row that stands for every block, without a
/// step from one to the next.
template <class T>
struct FusedRow {
  T* data;
  std::int64_t step;  ///< 1 or 0

  EBB_INLINE T* at(std::int64_t i) const { return data + i * step; }
};

/// What a loop reads of an argument, and where it writes its gradient.
template <class T>
struct FusedArgument {
  T number;  ///< of a number, which has no more than that
  FusedRow<const T> values;
  FusedRow<T> gradient;  ///< without a step: to be forgotten
  Block* owned;          ///< the gradient, or null where none is wanted
};

/// What the loops of one formula read and write, in whole vectors.
template <class T>
struct FusedBlock {
  const FusedArgument<T>* arguments;
  FusedRow<const T> g;  ///< the upstream gradient
  T* y;
  T scale;       ///< of the gradients that a reduction writes on its way forward
  int only;      ///< the one argument that is differentiated, or -1 for all
  bool streams;  ///< outputs go past the caches
};

/// The compiled loops of one formula, for each instruction set. Those of a reduction, or all
/// others, are absent.
template <class T>
struct FusedLoops {
  std::string_view name = "fuse";      ///< for errors
  const char* equal_shapes = nullptr;  ///< of arguments that must not broadcast: what is said then
  /// Over n elements from `begin` on.
  using Loops =
      std::array<double (*)(const FusedBlock<T>& block, std::int64_t begin, std::int64_t n), 3>;
  Loops value;                 ///< y = f(x...)
  Loops pull;                  ///< gradient of x[k] = g * df/dx[k]
  Loops reduce;                ///< returns the sum of f; no gradients
  Loops reduce_with_gradient;  ///< the same, and gradient of x[k] = scale * df/dx[k]
  Tensor<T> (*on_tensors)(std::span<const Tensor<T>> arguments);
  /// The gradient of argument i, of a formula that says its slopes itself; else null.
  Tensor<T> (*pull_on_tensors)(int i, const Tensor<T>& g, std::span<const Tensor<T>> arguments);
};

}  // namespace ebb::inline v0::detail
