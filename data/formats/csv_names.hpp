// SPDX-License-Identifier: BSD-3-Clause
// Whether the first line of a CSV file has names, and whether its fields are separated as expected.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "ebb/data/files/text_file.hpp"

namespace ebb::inline v0::data::detail {

/// The bytes that a name or a level takes in tables and vectors, in addition to its text.
constexpr std::int64_t text_overhead = 128;

/// The characters that separate fields in other files.
constexpr std::string_view other_separators = ",;\t|";

/// The message for a text that is the only field of its row and has such a character, or a blank.
std::string one_column(const std::string& text, char separator);

/// The numbers in the first line of a file, where names are expected.
struct NumberNames {
  std::int64_t count = 0;
  bool has_text = false;     ///< a field is neither a number nor missing
  bool has_decimal = false;  ///< a number has a decimal mark
  Mark mark = {};            ///< the place of the number to report
  std::string text = {};     ///< that number

  void add(const std::string& name, Mark at, bool is_missing, char decimal);
  /// True if the line seems to be a row.
  bool is_row() const { return count > 0 && (has_decimal || !has_text); }
};

}  // namespace ebb::inline v0::data::detail
