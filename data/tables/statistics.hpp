// SPDX-License-Identifier: BSD-3-Clause
// Statistics of columns, in double.
#pragma once
#include <cstdint>
#include <vector>

#include "ebb/autodiff/values/array.hpp"

namespace ebb::inline v0::data::detail {

/// Of the values of a column that are not missing.
struct Moments {
  std::int64_t count = 0;
  double mean = 0;
  double deviation = 0;  ///< standard deviation, of the population: divided by the count
  double minimum = 0;
  double maximum = 0;
};

/// The moments of each column of (n, d); NaN is a missing value. Finite values give finite moments
/// as long as the range is finite.
template <class T>
std::vector<Moments> column_moments(const Array<T>& rows);

/// The quantile in [0, 1] of sorted numbers, at least one, interpolated linearly at position
/// quantile * (count - 1) with NumPy's formula.
double quantile_of_sorted(const std::vector<double>& sorted, double quantile);

}  // namespace ebb::inline v0::data::detail
