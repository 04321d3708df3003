// SPDX-License-Identifier: BSD-3-Clause
// Columns with mean 0 and standard deviation 1.
#pragma once
#include <vector>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/autodiff/values/operand.hpp"

namespace ebb::inline v0::data {

/// Shifts and scales each column by the statistics of the rows that it was made from. Make it from
/// the training rows only: what it saw of the held-out rows would leak into their score.
template <Real T>
class EBB_API Standardizer {
 public:
  /// Takes mean and standard deviation (population formula: divided by n), in double, of each
  /// column of (n, d). A constant column has scale 1. @throws ShapeError unless there are two axes
  /// and at least one row; ArgumentError for a value that is not finite, and for a column whose
  /// range is too large for double.
  explicit Standardizer(const Array<T>& training_rows);

  /// (x - mean) / scale, column by column: (m, d) to (m, d). @throws ShapeError for another d.
  Array<T> transform(const Array<T>& x) const;
  /// The reverse of `transform`: z * scale + mean.
  Array<T> inverse(const Array<T>& z) const;

  /// The means of the columns.
  const std::vector<double>& mean() const { return mean_; }
  /// The standard deviations of the columns; 1 where the column is constant.
  const std::vector<double>& scale() const { return scale_; }

 private:
  /// f(value, mean, scale) for every element.
  template <class F>
  Array<T> map(const char* operation, const Array<T>& x, F f) const;

  std::vector<double> mean_, scale_;
};

}  // namespace ebb::inline v0::data
