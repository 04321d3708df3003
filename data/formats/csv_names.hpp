// SPDX-License-Identifier: BSD-3-Clause
// Whether the first line of a CSV file has names.
#pragma once
#include <cstdint>
#include <string>

#include "ebb/data/files/text_file.hpp"

namespace ebb::inline v0::data::detail {

/// The numbers in the first line of a file, where names are expected.
struct NumberNames {
  std::int64_t count = 0;
  bool has_text = false;     ///< a field is neither a number nor missing
  bool has_decimal = false;  ///< a number has a point
  Mark mark = {};            ///< the place of the number to report
  std::string text = {};     ///< that number

  void add(const std::string& name, Mark at, bool is_missing);
  /// True if the line seems to be a row.
  bool is_row() const { return count > 0 && (has_decimal || !has_text); }
};

}  // namespace ebb::inline v0::data::detail
