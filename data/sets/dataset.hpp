// SPDX-License-Identifier: BSD-3-Clause
// Data sets: rows read by index.
#pragma once
#include <concepts>
#include <cstdint>
#include <span>
#include <type_traits>

#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/data/tables/rows.hpp"

namespace ebb::inline v0::data {

/// The type of the values in a batch: a Tensor of real numbers, or an Array of labels.
template <class T>
struct BatchPart {
  using type = Array<T>;
};
template <Real T>
struct BatchPart<T> {
  using type = Tensor<T>;
};

/// Some rows of a data set: x (b, ...) and y (b, ...). Destructures: `const auto& [x, y] = batch`.
template <Real T, class U = T>
struct Batch {
  Tensor<T> x;                    ///< inputs, one row an example
  typename BatchPart<U>::type y;  ///< targets, one row an example
};

/// A type with a number of rows, `size()`, and a function `rows(indices)` that returns a batch of
/// the rows with these indices, each in [0, size()), in their order. A `Loader` goes over it. If
/// there is a function `prefetch(indices)`, the loader calls it with the rows that it will read
/// next.
template <class D>
concept Dataset = requires(const D& dataset, std::span<const std::int64_t> indices) {
  { dataset.size() } -> std::convertible_to<std::int64_t>;
  dataset.rows(indices);
};

/// Inputs and targets in memory. T is float or double; U is T, or std::int64_t for labels.
/// Destructures: `auto [x, y] = dataset`.
template <Real T, class U = T>
struct EBB_API TensorDataset {
  Array<T> x;  ///< inputs (n, ...)
  Array<U> y;  ///< targets (n, ...)

  /// @throws ShapeError unless both have the same number of rows.
  TensorDataset(Array<T> inputs, Array<U> targets);

  /// The number of rows.
  EBB_INLINE std::int64_t size() const { return x.shape()[0]; }
  /// Copies of the rows with these indices.
  /// @throws ArgumentError for an index outside of the data.
  Batch<T, U> rows(std::span<const std::int64_t> indices) const;
  /// Loads the first of these rows into the processor's cache.
  void prefetch(std::span<const std::int64_t> indices) const;
};

struct SplitOptions {
  double test = 0.2;       ///< the fraction of rows held out, rounded to the nearest row
  std::uint64_t seed = 0;  ///< seed of the random choice
};

/// The training and test rows of a data set. Destructures: `auto [train, test] = split`.
template <Real T, class U = T>
struct Split {
  TensorDataset<T, U> train, test;
};

/// Divides the rows of x (n, ...) and y (n, ...) at random into two parts, as `split_rows` does.
/// Equal seed and n give equal parts.
/// @throws ShapeError if x and y differ in rows; ArgumentError if the fraction is not inside (0,
/// 1), and if a part gets no row.
template <Real T, class U>
EBB_API Split<T, U> train_test_split(const Array<T>& x, const Array<U>& y,
                                     SplitOptions options = {});

namespace detail {

/// Copies of rows of an array. `operation` names the caller in errors.
template <class T>
EBB_API Array<T> take_rows(const char* operation, const Array<T>& array,
                           std::span<const std::int64_t> indices);

/// Loads the first of these rows into the processor's cache.
template <class T>
void prefetch_rows(const Array<T>& array, std::span<const std::int64_t> indices);

/// @throws ArgumentError, "operation: row 7 of `what` with 5 rows", for an index outside of [0, n).
EBB_API void check_indices(const char* operation, std::span<const std::int64_t> indices,
                           std::int64_t n, const char* what);

/// @throws ShapeError, which names the operation, unless both have the same number of rows.
EBB_API void check_rows(const char* operation, const Shape& x, const Shape& y);

}  // namespace detail

}  // namespace ebb::inline v0::data
