// SPDX-License-Identifier: BSD-3-Clause
// The weights of rows that metrics and losses take.
#pragma once
#include <cmath>
#include <string>

#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/array.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0::nn::detail {

/// Whether rows have one number each: (n,) or (n, 1).
inline bool is_column(const Shape& s) { return s.rank() == 1 || (s.rank() == 2 && s[1] == 1); }

/// The weights of rows, as many as these; of one number a row they are (n,) or (n, 1) as well.
/// @throws ShapeError for another shape than that of the rows; ArgumentError for a weight that is
/// negative or not finite.
template <class T>
Array<T> row_weights(const char* who, const Operand<T>& weights, const Shape& rows) {
  const Array<T> w = ebb::detail::Access::as_tensor(weights, who).array();
  const bool is_one_each = is_column(rows) && is_column(w.shape()) && w.size() == rows.size();
  if (!is_one_each && !(w.shape() == rows)) {
    throw ShapeError(std::string(who) + ": weights must have the shape of the rows, " +
                     to_string(rows) + ", not " + to_string(w.shape()));
  }
  for (std::int64_t i = 0; i < w.size(); ++i) {
    if (w.data()[i] >= 0 && std::isfinite(w.data()[i])) continue;
    throw ArgumentError(std::string(who) +
                        ": weights must be at least 0 and finite; that at position " +
                        std::to_string(i) + " is " + ebb::detail::to_text(double(w.data()[i])));
  }
  return w;
}

}  // namespace ebb::inline v0::nn::detail
