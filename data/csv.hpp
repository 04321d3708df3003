// SPDX-License-Identifier: BSD-3-Clause
// Tables from and to text files.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ebb/data/read_options.hpp"
#include "ebb/data/table.hpp"

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

/// Reads a file of comma-separated values (RFC 4180): a line of column names, then rows of numbers
/// and categories, the same in every locale. Fields may be quoted, lines end in LF or CRLF, a byte
/// order mark is skipped, and so are blanks around a field. A file that gzip compressed is known by
/// its first bytes. Numbers are finite; one nearer to 0 than T can hold is 0. Levels are sorted by
/// their bytes. Where the kinds of columns must be found, a file that holds categories is read
/// twice, and the progress counts both times.
/// @throws FileError that starts with file:line:column (both from 1, the column in bytes) for a
/// file that has no rows or is not UTF-8, a row of another length, and a field that is missing or
/// not a number; with the name of the file alone where it cannot be read, and with the byte offset
/// where compressed data are damaged. ArgumentError for options that make no sense.
template <Real T>
EBB_API Table<T> read_csv(const std::string& path, const CsvOptions& options = {});
/// The same with tabs for separators.
template <Real T>
EBB_API Table<T> read_tsv(const std::string& path, CsvOptions options = {});

struct CsvWriteOptions {
  char separator = ',';           ///< between the fields of a row
  std::string missing_name = "";  ///< the text of a missing value
};

/// Writes a table as a file of comma-separated values that `read_csv` and others read, whole or not
/// at all; compressed by gzip where the name ends in .gz. Numbers are the shortest that read back
/// to the same bits; texts are quoted where they need it, or may be taken for a missing value.
/// A level that looks like a number reads back as a category where `kinds` says so.
/// @throws FileError when the system refuses; ArgumentError for infinity, a table without rows, a
/// separator that cannot be one, a text that is not UTF-8, and a level of no characters, which
/// would be missing when it is read.
template <Real T>
EBB_API void write_csv(const std::string& path, const Table<T>& table,
                       const CsvWriteOptions& options = {});
/// The same with tabs for separators.
template <Real T>
EBB_API void write_tsv(const std::string& path, const Table<T>& table,
                       CsvWriteOptions options = {});

namespace detail {

class BinaryFile;

template <Real T>
Table<T> read_csv(const BinaryFile& file, const CsvOptions& options);

/// @throws ArgumentError for a character that separates no fields.
void check_separator(const char* operation, char separator);

}  // namespace detail

}  // namespace ebb::inline v0::data
