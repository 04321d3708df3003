// SPDX-License-Identifier: BSD-3-Clause
// How the rows of a file are found and held.
#pragma once
#include <cstdint>
#include <optional>

#include "ebb/autodiff/values/shape.hpp"

namespace ebb::inline v0::data {

/// Where the rows are in a file of plain numbers, little-endian, row after row.
struct RawRows {
  Shape row = {};                          ///< the shape of one; {} where it is one number
  std::int64_t offset = 0;                 ///< the bytes before the first
  std::optional<std::int64_t> count = {};  ///< how many; otherwise all up to the file's end
};

struct WindowOptions {
  std::int64_t memory = 64 << 20;  ///< the most bytes of the file that are held
  std::int64_t block_rows = 0;     ///< rows that are read at once; 0 chooses what makes a mebibyte
};

}  // namespace ebb::inline v0::data
