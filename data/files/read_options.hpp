// SPDX-License-Identifier: BSD-3-Clause
// Options that the readers of files share.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ebb::inline v0::data {

struct ReadOptions {
  /// The most memory that the arrays of a file may take, in bytes; 0: half of the machine's memory,
  /// or of what the limits of the process and of its control group leave, if that is less. A file
  /// that declares more is refused before any memory is allocated for it.
  std::int64_t max_bytes = 0;
  /// Called during a long read, every few megabytes and at the end, with the number of bytes read
  /// so far and in total. An exception that it throws ends the read.
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};
  /// Takes an integer that the type cannot hold, such as one above 2^53 for double or 2^24 for
  /// float, as the nearest number that it can. Otherwise it is an error, since numbers that name
  /// things would become equal.
  bool round_integers = false;
  /// The arrays to read from a file of several, by name; empty: all. The others may be of types
  /// that cannot be read.
  std::vector<std::string> names = {};
};

}  // namespace ebb::inline v0::data
