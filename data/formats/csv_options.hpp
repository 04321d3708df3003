// SPDX-License-Identifier: BSD-3-Clause
// How a delimited text file is read.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ebb/data/files/read_options.hpp"
#include "ebb/data/tables/column.hpp"

namespace ebb::inline v0::data {

/// What becomes of a value that is missing. A mean or a median is that of all rows of the file, so
/// that `split` refuses a table in which one was filled in: where some rows are held out, read NaN
/// and impute after the split.
enum class Missing : std::uint8_t {
  error,     ///< it is refused, with its place
  nan,       ///< it is NaN
  drop_row,  ///< its row is left out
  mean,      ///< it is the mean of the numbers of its column; a category is refused
  median,    ///< it is their median; a category is refused
  constant   ///< it is `CsvOptions::constant`; a category is refused
};

struct CsvOptions {
  char separator = ',';  ///< between the fields of a row
  bool header = true;    ///< the first line names the columns; otherwise they are column1, ...
  char comment = 0;      ///< lines that begin with it are skipped; 0 for none
  Missing missing = Missing::error;
  double constant = 0;  ///< for Missing::constant
  /// The texts of a missing value; one that is a number, as "-999", is read more slowly. In quotes
  /// all but "" are levels where the column is categorical.
  std::vector<std::string> missing_names = {"",     "NA",   "N/A",  "n/a",  "#N/A",
                                            "nan",  "NaN",  "NAN",  "-nan", "-NaN",
                                            "null", "NULL", "None", "NONE", "<NA>"};
  /// The kinds of some columns, by name.
  std::map<std::string, Kind> kinds = {};
  /// The kind of all others. Without one it is found: numeric if all values present are numbers.
  std::optional<Kind> kind = {};
  ReadOptions read = {};  ///< a cap on memory; a callback that is told how far it is
};

namespace detail {

/// @throws ArgumentError for a character that separates no fields.
void check_separator(const char* operation, char separator);
/// @throws ArgumentError for options that make no sense.
void check_csv_options(const char* operation, const CsvOptions& options);

}  // namespace detail

}  // namespace ebb::inline v0::data
