// SPDX-License-Identifier: BSD-3-Clause
// The name and the type of a column.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace ebb::inline v0::data {

/// The meaning of the numbers in a column.
enum class Kind : std::uint8_t {
  numeric,     ///< the numbers themselves
  categorical  ///< each number is the position of a level
};

/// The name, kind and levels of one column.
struct Column {
  std::string name;
  Kind kind = Kind::numeric;
  std::vector<std::string> levels = {};  ///< the levels of a category, by their codes
};

}  // namespace ebb::inline v0::data
