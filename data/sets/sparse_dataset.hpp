// SPDX-License-Identifier: BSD-3-Clause
// Sparse rows as a data set.
#pragma once
#include "ebb/autodiff/sparse/sparse_rows.hpp"
#include "ebb/data/sets/dataset.hpp"

namespace ebb::inline v0::data {

/// Some rows of a sparse data set: x (b, d) and y (b, ...). Destructures: `const auto& [x, y] =
/// batch`.
template <Real T, class U = T>
struct SparseBatch {
  SparseRows<T> x;                ///< which shares the elements of the data set
  typename BatchPart<U>::type y;  ///< targets, one row an example
};

/// Sparse inputs and their targets in memory, for a `Loader`. T is float or double; U is T, or
/// std::int64_t for labels. Destructures: `auto [x, y] = dataset`.
template <Real T, class U = T>
struct EBB_API SparseDataset {
  SparseRows<T> x;  ///< inputs (n, d)
  Array<U> y;       ///< targets (n, ...)

  /// @throws ShapeError unless both have the same number of rows.
  SparseDataset(SparseRows<T> inputs, Array<U> targets);

  /// The number of rows.
  EBB_INLINE std::int64_t size() const { return x.rows(); }
  /// The rows with these indices. Elements of x are not copied.
  /// @throws ArgumentError for an index outside of the data.
  SparseBatch<T, U> rows(std::span<const std::int64_t> indices) const;
  /// Loads the first of these rows into the processor's cache.
  void prefetch(std::span<const std::int64_t> indices) const;
};

}  // namespace ebb::inline v0::data
