// SPDX-License-Identifier: BSD-3-Clause
// Lists of row numbers: what a split gives, and what tables and data sets take.
#pragma once
#include <cstdint>
#include <vector>

namespace ebb::inline v0::data {

/// Row numbers, from 0.
using Rows = std::vector<std::int64_t>;

/// Every row in one of three parts. Each part is in random order, so that its first rows are a
/// random sample of it, and nothing of the original order is left.
struct Parts {
  Rows train, validation, test;
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

}  // namespace ebb::inline v0::data
