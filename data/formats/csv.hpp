// SPDX-License-Identifier: BSD-3-Clause
// Reads and writes tables as delimited text files.
#pragma once
#include <concepts>
#include <string>
#include <vector>

#include "ebb/data/formats/csv_options.hpp"
#include "ebb/data/tables/table.hpp"

namespace ebb::inline v0::data {

/// Reads a file of comma-separated values (RFC 4180): a line of column names, then rows of numbers
/// and categories. The options say how other files are written: separated by other characters or by
/// runs of blanks, with decimal commas, an index column, or without names. The result does not
/// depend on the locale. Fields may be quoted; lines end in LF or CRLF; a byte order mark and
/// blanks around a field are skipped. A file compressed by gzip is recognized by its first bytes.
/// Numbers must be finite; a number nearer to 0 than any T becomes 0; an integer that T cannot hold
/// is an error unless `ReadOptions::round_integers` is set. Levels are sorted by their bytes. If
/// the kinds of the columns must be found, a file with categories is read twice, and the progress
/// counts both times.
/// @throws FileError that starts with "file:line:column" (both from 1, the column in bytes) for a
/// file that has no rows or is not UTF-8, a row with another number of fields, and a field that is
/// missing or not a number; that starts with "file" alone if the file cannot be read, and with the
/// byte offset if its compressed data are damaged. ArgumentError for invalid options.
template <Real T>
EBB_API Table<T> read_csv(const std::string& path, const CsvOptions& options = {});
/// Reads a file with the kinds and levels that columns had at a fit: `read_csv<double>(path,
/// pipeline.inputs())`. A category that is missing, or that looks like a number, is read as one.
/// @throws FileError and ArgumentError as `read_csv`.
template <Real T, std::same_as<std::vector<Column>> Columns>
EBB_INLINE Table<T> read_csv(const std::string& path, const Columns& columns,
                             CsvOptions options = {}) {
  options.columns = columns;
  return read_csv<T>(path, options);
}
/// Reads a file of tab-separated values, as `read_csv` reads commas.
/// @throws FileError and ArgumentError as `read_csv`.
template <Real T>
EBB_API Table<T> read_tsv(const std::string& path, CsvOptions options = {});

struct CsvWriteOptions {
  char separator = ',';           ///< between the fields of a row
  std::string missing_name = "";  ///< the text of a missing value
};

/// Writes a table as a file of comma-separated values, which `read_csv` and other programs read.
/// The file is written whole or not at all, a device or a pipe such as "/dev/stdout" directly, and
/// compressed by gzip if its name ends in .gz. Numbers
/// are written with as few digits as read back to the same bits. Texts are quoted if they need it
/// or could be read as a missing value. A level that looks like a number reads back as a category
/// if `CsvOptions::kinds` says so.
/// @throws FileError when the system refuses; ArgumentError for infinity, a table without rows, an
/// invalid separator, a text that is not UTF-8, and an empty level, which would be read as missing.
template <Real T>
EBB_API void write_csv(const std::string& path, const Table<T>& table,
                       const CsvWriteOptions& options = {});
/// Writes a table as a file of tab-separated values, as `write_csv` writes commas.
/// @throws FileError and ArgumentError as `write_csv`.
template <Real T>
EBB_API void write_tsv(const std::string& path, const Table<T>& table,
                       CsvWriteOptions options = {});

namespace detail {

class BinaryFile;

template <Real T>
Table<T> read_csv(const BinaryFile& file, const CsvOptions& options);

}  // namespace detail

}  // namespace ebb::inline v0::data
