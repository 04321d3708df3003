// SPDX-License-Identifier: BSD-3-Clause
// What readers of files have in common.
#pragma once
#include <cstdint>
#include <functional>

namespace ebb::inline v0::data {

struct ReadOptions {
  /// What the arrays of a file may take in memory, in bytes; 0 means half of the machine's memory.
  /// A file that declares more is refused before anything is allocated for it.
  std::int64_t max_bytes = 0;
  /// Called while a long read goes on, every few megabytes and at its end, with the bytes that were
  /// read and their number in all. What it throws ends the read.
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};
};

}  // namespace ebb::inline v0::data
