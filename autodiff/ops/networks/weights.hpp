// SPDX-License-Identifier: BSD-3-Clause
// The check of weights that losses take.
#pragma once
#include <string>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::detail {

/// @throws ArgumentError for a weight below 0 or NaN.
template <class T>
void check_weights(const char* operation, const Array<T>& weights) {
  for (std::int64_t i = 0; i < weights.size(); ++i) {
    if (weights[i] >= T(0)) continue;
    throw ArgumentError(std::string(operation) + ": weight " + to_text(double(weights[i])) +
                        " at position " + std::to_string(i) + "; it is at least 0");
  }
}

}  // namespace ebb::inline v0::detail
