// SPDX-License-Identifier: BSD-3-Clause
// What estimators take: rows of features, and a number or a class for each of them. Arrays and
// tensors become these by themselves.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ebb/autodiff/sparse/sparse_rows.hpp"

namespace ebb::inline v0::nn {

/// Rows of features, in double.
class EBB_API Features {
 public:
  /// x is (n, d), an array, a tensor or a variable.
  /// @throws ShapeError for another shape, no row and no column.
  Features(const Operand<double>& x);
  Features(const Operand<float>& x);
  /// Sparse rows, which linear estimators take in the memory of their non-zeros.
  Features(const SparseRows<double>& x);
  Features(const SparseRows<float>& x);

  /// All elements (n, d).
  /// @throws ArgumentError for sparse rows, whose zeros might not fit into memory.
  EBB_INLINE const Array<double>& values() const {
    if (sparse_) [[unlikely]]
      throw_sparse();
    return values_;
  }
  EBB_INLINE bool are_sparse() const { return sparse_.has_value(); }
  /// The rows, if they are sparse.
  EBB_INLINE const SparseRows<double>& sparse() const { return *sparse_; }
  EBB_INLINE Shape shape() const { return sparse_ ? sparse_->shape() : values_.shape(); }
  /// The number of rows.
  EBB_INLINE std::int64_t count() const { return sparse_ ? sparse_->rows() : values_.shape()[0]; }
  /// The number of features of a row.
  EBB_INLINE std::int64_t columns() const {
    return sparse_ ? sparse_->columns() : values_.shape()[1];
  }
  /// Rows by their numbers, in their order.
  Features rows(std::span<const std::int64_t> indices) const;

 private:
  [[noreturn]] static void throw_sparse();

  Array<double> values_;
  std::optional<SparseRows<double>> sparse_;
};

/// A number for each row, in double.
class EBB_API Targets {
 public:
  /// y is (n,) or (n, 1).
  /// @throws ShapeError for another shape.
  Targets(const Operand<double>& y);
  Targets(const Operand<float>& y);
  Targets(const Array<std::int64_t>& y);

  EBB_INLINE const Array<double>& values() const { return values_; }
  EBB_INLINE std::int64_t count() const { return values_.size(); }
  Targets rows(std::span<const std::int64_t> indices) const;

 private:
  Array<double> values_;
};

/// A class for each row: a whole number, a truth value or a word.
class EBB_API Labels {
 public:
  /// y is (n,) or (n, 1); true and false are 1 and 0.
  /// @throws ShapeError for another shape; ArgumentError for a number that is not whole, and for an
  /// empty word.
  Labels(const Array<std::int64_t>& y);
  Labels(const Array<bool>& y);
  Labels(const Operand<double>& y);
  Labels(const Operand<float>& y);
  Labels(const std::vector<std::string>& y);

  EBB_INLINE std::int64_t count() const {
    return are_words() ? std::int64_t(words_.size()) : numbers_.size();
  }
  EBB_INLINE bool are_words() const { return !words_.empty(); }
  EBB_INLINE const Array<std::int64_t>& numbers() const { return numbers_; }
  EBB_INLINE const std::vector<std::string>& words() const { return words_; }
  Labels rows(std::span<const std::int64_t> indices) const;

 private:
  Array<std::int64_t> numbers_;
  std::vector<std::string> words_;
};

/// What `fit` and `score` are told of the rows.
struct RowOptions {
  /// (n,) or (n, 1), at least 0: how much each row counts. A weight of 2 is a row twice, and one of
  /// 0 is no row. Empty: 1 for all.
  Array<double> weights = {};
};

}  // namespace ebb::inline v0::nn
