// SPDX-License-Identifier: BSD-3-Clause
// Rows to train on and rows to judge by.
#pragma once
#include "ebb/data/dataset.hpp"

namespace ebb::inline v0::data {

struct SplitOptions {
  double test = 0.2;       ///< the fraction of rows held out, rounded to the nearest row
  std::uint64_t seed = 0;  ///< of the choice
};

/// The two parts of a data set. Destructures: `auto [train, test] = split`.
template <Real T, class U = T>
struct Split {
  TensorDataset<T, U> train, test;
};

/// Puts every row at random into one of two parts: x (n, ...), y (n, ...). The same seed and n give
/// the same parts. @throws ShapeError when x and y differ in rows; ArgumentError when the fraction
/// is not inside (0, 1) or leaves one part without rows.
template <Real T, class U>
EBB_API Split<T, U> train_test_split(const Array<T>& x, const Array<U>& y,
                                     SplitOptions options = {});

}  // namespace ebb::inline v0::data
