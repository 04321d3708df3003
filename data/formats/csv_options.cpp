// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/csv_options.hpp"

#include <cmath>
#include <set>
#include <string_view>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/text_file.hpp"

namespace ebb::inline v0::data::detail {

void check_separator(const char* operation, char separator) {
  const auto byte = static_cast<unsigned char>(separator);
  const bool is_part_of_text = (byte >= '0' && byte <= '9') ||
                               ((byte | 0x20u) >= 'a' && (byte | 0x20u) <= 'z') || byte >= 0x80;
  if (is_part_of_text || std::string_view("\"\r\n \0.+-", 8).find(separator) != std::string::npos) {
    throw ArgumentError(std::string(operation) + ": " + quoted({&separator, 1}) +
                        " cannot separate fields");
  }
}

void check_csv_options(const char* operation, const CsvOptions& options) {
  const std::string start = std::string(operation) + ": ";
  if (options.separator != ' ') check_separator(operation, options.separator);
  const char decimal = options.decimal;
  if ((decimal != '.' && decimal != ',') || decimal == options.separator) {
    throw ArgumentError(start + quoted({&decimal, 1}) + " cannot be the decimal mark" +
                        (decimal == ',' ? " of a file whose fields it separates" : ""));
  }
  const char comment = options.comment;
  if (comment != 0 && (comment == options.separator || comment == '"' || comment == '\n' ||
                       comment == '\r' || comment == ' ' || comment == '\t')) {
    throw ArgumentError(start + quoted({&comment, 1}) + " cannot begin a comment");
  }
  if (options.index_column != IndexColumn::error && !options.header) {
    throw ArgumentError(start +
                        "CsvOptions::index_column is for a file with a header; without one, the "
                        "first column is named column1");
  }
  if (options.index_name.empty() || !is_utf8(options.index_name)) {
    throw ArgumentError(start + quoted(options.index_name) + " cannot name a column");
  }
  if (options.n_rows < 0) {
    throw ArgumentError(start + "CsvOptions::n_rows is " + std::to_string(options.n_rows) +
                        "; 0 reads all rows");
  }
  std::set<std::string_view> names;
  for (const std::string& name : options.select) {
    if (names.insert(name).second) continue;
    throw ArgumentError(start + "CsvOptions::select has column " + quoted(name) + " twice");
  }
  if (!std::isfinite(options.constant)) {
    throw ArgumentError(
        start + "the constant for missing values is not finite; Missing::nan leaves them NaN");
  }
}

}  // namespace ebb::inline v0::data::detail
