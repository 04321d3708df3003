// SPDX-License-Identifier: BSD-3-Clause
// An array whose element type is known when the program runs.
#pragma once
#include <cstdint>
#include <variant>

#include "ebb/autodiff/values/array.hpp"

namespace ebb::inline v0::data {

/// An array of any element type.
using AnyArray = std::variant<Array<float>, Array<double>, Array<std::int64_t>, Array<bool>>;

}  // namespace ebb::inline v0::data
