// SPDX-License-Identifier: BSD-3-Clause
// The name and the type of a column.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace ebb::inline v0::data {

/// What the numbers of a column mean.
enum class Kind : std::uint8_t {
  numeric,     ///< themselves
  categorical  ///< each the position of a level
};

/// The name and the type of one column.
struct Column {
  std::string name;
  Kind kind = Kind::numeric;
  std::vector<std::string> levels = {};  ///< of categories; the code of one is its position
};

}  // namespace ebb::inline v0::data
