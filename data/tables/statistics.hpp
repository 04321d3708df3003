// SPDX-License-Identifier: BSD-3-Clause
// Statistics of columns, in double.
#pragma once
#include <cstdint>
#include <vector>

#include "ebb/autodiff/values/array.hpp"

namespace ebb::inline v0::data::detail {

/// The statistics of one column, over its values that are not missing.
struct Moments {
  std::int64_t count = 0;
  double mean = 0;
  double deviation = 0;  ///< population standard deviation: the variance is divided by the count
  double minimum = 0;
  double maximum = 0;
};

/// The moments of each column of (n, d). NaN is a missing value. If the values and the range of a
/// column are finite, so are its moments.
template <class T>
std::vector<Moments> column_moments(const Array<T>& rows);

/// The quantile of sorted numbers, of which there is at least one, for a `quantile` in [0, 1]. It
/// is interpolated linearly at position quantile * (count - 1), with NumPy's formula.
double quantile_of_sorted(const std::vector<double>& sorted, double quantile);

}  // namespace ebb::inline v0::data::detail
