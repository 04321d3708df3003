// SPDX-License-Identifier: BSD-3-Clause
// Rows of features of which most are 0.
#pragma once
#include <cstdint>
#include <iosfwd>
#include <span>

#include "ebb/autodiff/values/array.hpp"

namespace ebb::inline v0 {

/// The three arrays of compressed sparse rows, as other libraries take them.
template <Real T>
struct CompressedRows {
  Array<std::int64_t> offsets;  ///< (n + 1,): row i has the elements [offsets[i], offsets[i + 1])
  Array<std::int64_t> indices;  ///< (non-zeros,): the column of each element, ascending in a row
  Array<T> values;              ///< (non-zeros,)
};

/// A constant matrix (n, d) that lists its non-zeros, row by row. It is cheap to copy: copies,
/// parts and selected rows share one list. `linear` and `matmul` take it in place of x, and have no
/// gradient in it.
template <Real T>
class EBB_API SparseRows {
 public:
  using value_type = T;

  /// No rows of no columns.
  SparseRows();
  /// Rows of `columns` columns. offsets (n + 1,) says where each row begins in `indices` and
  /// `values` (non-zeros,), and ends with their number. A value may be 0.
  /// @throws ShapeError for arrays of other shapes; ArgumentError for a negative number of columns,
  /// for offsets that do not ascend from 0 to the number of values, and for indices that are not in
  /// [0, columns) or do not ascend within their row.
  SparseRows(std::int64_t columns, const Array<std::int64_t>& offsets,
             const Array<std::int64_t>& indices, const Array<T>& values);
  /// The elements of x (n, d) that are not 0.
  /// @throws ShapeError for another shape.
  static SparseRows from_dense(const Array<T>& x);

  EBB_INLINE std::int64_t rows() const { return ranges_.shape()[0]; }
  EBB_INLINE std::int64_t columns() const { return columns_; }
  EBB_INLINE std::int64_t nonzeros() const { return nonzeros_; }  ///< elements in the lists of rows
  EBB_INLINE Shape shape() const { return {rows(), columns_}; }

  /// The elements of a row.
  struct Row {
    std::span<const std::int64_t> columns;  ///< ascending
    std::span<const T> values;
  };
  /// @throws ArgumentError for a row that is not there.
  Row row(std::int64_t i) const;
  /// The rows with these numbers, in their order, without a copy of their elements.
  /// @throws ArgumentError for a row that is not there.
  SparseRows rows(std::span<const std::int64_t> indices) const;
  /// The rows [first, last), without a copy of their elements.
  /// @throws ArgumentError for a range outside of the rows.
  SparseRows slice(std::int64_t first, std::int64_t last) const;

  /// All elements, (n, d).
  Array<T> to_dense() const;
  /// The elements of these rows side by side. A copy, unless they stand so already.
  CompressedRows<T> compressed() const;
  /// The largest magnitude of each column, (d,), and 1 for a column of zeros. With it
  /// `x.scaled(1 / x.largest())` brings all columns into [-1, 1] and leaves zeros as they are,
  /// which a scaler that takes means away would not.
  Array<T> largest() const;
  /// Every column times its factor, (d,).
  /// @throws ShapeError for another shape.
  SparseRows scaled(const Array<T>& factors) const;
  /// The rows with values in another type.
  template <Real U>
  SparseRows<U> as() const;

  // What the kernels read: (n, 2), where each row begins and ends in the lists that it shares.
  EBB_INLINE const Array<std::int64_t>& ranges() const { return ranges_; }
  EBB_INLINE const Array<std::int64_t>& shared_indices() const { return indices_; }
  EBB_INLINE const Array<T>& shared_values() const { return values_; }

 private:
  template <Real U>
  friend class SparseRows;
  struct Checked {};
  SparseRows(Checked, std::int64_t columns, std::int64_t nonzeros, Array<std::int64_t> ranges,
             Array<std::int64_t> indices, Array<T> values);

  std::int64_t columns_ = 0, nonzeros_ = 0;
  Array<std::int64_t> ranges_, indices_;
  Array<T> values_;
};

/// Prints the shape and the number of non-zeros.
template <Real T>
EBB_API std::ostream& operator<<(std::ostream& out, const SparseRows<T>& x);

}  // namespace ebb::inline v0
