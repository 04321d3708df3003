// SPDX-License-Identifier: BSD-3-Clause
// How the rows of a file are found and held.
#pragma once
#include <cstdint>
#include <optional>

#include "ebb/autodiff/values/shape.hpp"

namespace ebb::inline v0::data {

/// The place of the rows in a file of plain little-endian numbers, stored row after row.
struct RawRows {
  Shape row = {};                          ///< the shape of one row; {} if a row is one number
  std::int64_t offset = 0;                 ///< the number of bytes before the first row
  std::optional<std::int64_t> count = {};  ///< the number of rows; otherwise all of the file
};

struct WindowOptions {
  std::int64_t memory = 64 << 20;  ///< the most bytes of the file that are kept in memory
  std::int64_t block_rows = 0;     ///< rows read at once; 0: about a mebibyte of rows
};

}  // namespace ebb::inline v0::data
