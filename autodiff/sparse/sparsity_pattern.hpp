// SPDX-License-Identifier: BSD-3-Clause
// Where a matrix of derivatives can have elements that are not 0, and which of its rows or columns
// one sweep computes together (Curtis, Powell and Reid 1974, "On the estimation of sparse Jacobian
// matrices").
#pragma once
#include <memory>
#include <vector>

#include "ebb/autodiff/sparse/sparse_rows.hpp"

namespace ebb::inline v0 {

/// The places of a matrix (rows, columns) that can differ from 0. It is cheap to copy. Its
/// colouring, which takes longer than most sweeps, is made once: keep a pattern that is used again.
class EBB_API SparsityPattern {
 public:
  /// offsets (rows + 1,) says where each row begins in `indices` (places,), the columns of its
  /// places in ascending order.
  /// @throws ShapeError and ArgumentError as `SparseRows` does.
  SparsityPattern(std::int64_t columns, const Array<std::int64_t>& offsets,
                  const Array<std::int64_t>& indices);
  /// The places that are true in a mask (rows, columns).
  /// @throws ShapeError for another shape.
  static SparsityPattern from_dense(const Array<bool>& mask);
  /// Places whose distance from the diagonal is not above `width`: 1 is tridiagonal.
  /// @throws ArgumentError for a negative size or width.
  static SparsityPattern banded(std::int64_t rows, std::int64_t columns, std::int64_t width);

  std::int64_t rows() const { return offsets_.size() - 1; }
  std::int64_t columns() const { return columns_; }
  std::int64_t places() const { return indices_.size(); }
  const Array<std::int64_t>& offsets() const { return offsets_; }
  const Array<std::int64_t>& indices() const { return indices_; }

  /// The places of both patterns.
  /// @throws ShapeError for different shapes.
  SparsityPattern united(const SparsityPattern& other) const;

  /// Groups of rows that have no column in common, or of columns that have no row in common.
  struct Colouring {
    bool of_rows;
    std::int64_t colours;          ///< the number of groups
    std::vector<std::int64_t> of;  ///< the group of each row, or column
  };
  /// The way with fewer sweeps, where one for a group of columns counts twice, by greedy colouring
  /// from the row or column with the most places on.
  const Colouring& colouring() const;
  /// For a symmetric matrix, of which both ways are one: groups of rows.
  const Colouring& row_colouring() const;

 private:
  struct Colourings;
  std::int64_t columns_;
  Array<std::int64_t> offsets_, indices_;
  std::shared_ptr<Colourings> colourings_;
};

}  // namespace ebb::inline v0
