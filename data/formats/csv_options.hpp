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

/// How to treat a missing value. `mean` and `median` use all rows of the file, so that `split`
/// refuses a table in which they replaced a value. If you hold out rows, read missing values as NaN
/// and impute them after the split.
enum class Missing : std::uint8_t {
  error,     ///< an error that names its place
  nan,       ///< becomes NaN
  drop_row,  ///< its row is left out
  mean,      ///< becomes the mean of its column; an error in a categorical column
  median,    ///< becomes the median of its column; an error in a categorical column
  constant   ///< becomes `CsvOptions::constant`; an error in a categorical column
};

/// What to do with a first column that has no name, as the row numbers that pandas and R write.
enum class IndexColumn : std::uint8_t {
  error,  ///< an error that names this option
  drop,   ///< the column is left out
  keep    ///< the column is read, and named `CsvOptions::index_name`
};

struct CsvOptions {
  /// The character between the fields of a row. A blank stands for any number of blanks and tabs,
  /// and those at the start and the end of a line are skipped, as in tables of fixed width.
  char separator = ',';
  char decimal = '.';  ///< before the fraction of a number: '.' or ','
  bool header = true;  ///< the first line has the column names; else column1, ...
  /// Takes names that are numbers, such as years. Otherwise a first line of numbers, or with a
  /// number that has a point, or with a number and a text that is in its column again, is an error,
  /// since it is mostly a row of a file without names.
  bool number_names = false;
  /// What to do with a first column without a name: its name is empty, or the header has one name
  /// less than the first row has fields.
  IndexColumn index_column = IndexColumn::error;
  std::string index_name = "index";  ///< the name of that column for IndexColumn::keep
  /// The columns to read, in this order; empty: all. The fields of the others may be of any kind.
  std::vector<std::string> select = {};
  /// The number of rows to read, including those that `missing` leaves out; 0: all. What comes
  /// after them in the file is not read.
  std::int64_t n_rows = 0;
  char comment = 0;  ///< lines that begin with this character are skipped; 0: none are
  Missing missing = Missing::error;
  double constant = 0;  ///< the number for Missing::constant
  /// The texts that mean a missing value. If one of them is a number, such as "-999", reading is
  /// slower. In quotes, all but "" are levels of a categorical column.
  std::vector<std::string> missing_names = {"",     "NA",   "N/A",  "n/a",  "#N/A",
                                            "nan",  "NaN",  "NAN",  "-nan", "-NaN",
                                            "null", "NULL", "None", "NONE", "<NA>"};
  /// The kind of some columns, by name.
  std::map<std::string, Kind> kinds = {};
  /// Columns as they were at a fit, such as `pipeline.inputs()`. A column with one of these names
  /// is read as its kind, with its levels first. The file may lack some of them.
  std::vector<Column> columns = {};
  /// The kind of all other columns. Empty: found from the file; a column is numeric if all its
  /// present values are numbers. Texts that seem to be in a column of numbers by mistake are
  /// errors: such as a "?", a few among many or among numbers with a fraction, and one that occurs
  /// once.
  std::optional<Kind> kind = {};
  ReadOptions read = {};  ///< the most memory, a callback for progress, and rounding
};

namespace detail {

/// @throws ArgumentError for a character that cannot be a separator.
void check_separator(const char* operation, char separator);
/// @throws ArgumentError for invalid options.
void check_csv_options(const char* operation, const CsvOptions& options);

}  // namespace detail

}  // namespace ebb::inline v0::data
