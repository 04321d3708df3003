// SPDX-License-Identifier: BSD-3-Clause
// How far a block-wise shuffle mixes rows.
#pragma once
#include <cstdint>

namespace ebb::inline v0::data {

struct BlockShuffleOptions {
  std::int64_t block = 4096;  ///< rows that are neighbours in the file
  std::int64_t window = 16;   ///< blocks whose rows are mixed with each other
};

}  // namespace ebb::inline v0::data
