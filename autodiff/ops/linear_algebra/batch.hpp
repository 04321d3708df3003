// SPDX-License-Identifier: BSD-3-Clause
// Arrays of matrices: the last two axes of (..., m, n) are those of a matrix, and the axes before
// them count matrices, which stand one after the other.
#pragma once
#include <initializer_list>
#include <string>

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/ops.hpp"

namespace ebb::inline v0::detail {

/// What an array (..., m, n) consists of.
struct Matrices {
  Shape batch;  ///< the axes before the last two
  std::int64_t rows, columns;

  /// The shape must have two axes or more.
  explicit Matrices(const Shape& shape);
  std::int64_t count() const { return batch.size(); }
  std::int64_t size() const { return rows * columns; }
};

/// The axes of a batch, then at most two others.
/// @throws ShapeError, which names the operation, for more axes than an array can have.
Shape batch_of(std::string_view operation, const Shape& batch,
               std::initializer_list<std::int64_t> others);
/// "the matrix"; or, of a batch, "the matrix at [1, 0]".
std::string name_of_matrix(const Shape& batch, std::int64_t i);

/// The transpose of each matrix.
template <class T>
Tensor<T> swap_last(const Tensor<T>& x);
/// x (..., n) as (..., 1, n) or (..., n, 1).
template <class T>
Tensor<T> as_row(const Tensor<T>& x) {
  return unsqueeze(x, x.shape().rank() - 1);
}
template <class T>
Tensor<T> as_column(const Tensor<T>& x) {
  return unsqueeze(x, x.shape().rank());
}
/// An operand with the axes of its batch, which must broadcast to these.
template <class T>
Tensor<T> with_batch(std::string_view operation, const Operand<T>& x, const Shape& batch);

/// Calls f for a right-hand side that has columns; a vector becomes one column, and the results
/// (..., n, 1) vectors.
template <class T, class F>
Tensor<T> with_columns(const Operand<T>& b, F f) {
  const Shape shape = Access::shape(b);
  if (shape.rank() > 1) return f(Access::as_tensor(b));
  const Tensor<T> y = f(reshape(b, {shape[0], 1}));
  return reshape(y, y.shape().without(y.shape().rank() - 1));
}

/// The axes to which those of two batches broadcast.
/// @throws ShapeError, which names the operation and the whole shapes.
Shape common_batch(std::string_view operation, const Shape& a, const Shape& b);

/// Identity matrices.
template <class T>
Array<T> identity(const Shape& shape);
template <class T>
Array<T> identity(std::int64_t n) {
  return identity<T>(Shape{n, n});
}

}  // namespace ebb::inline v0::detail
