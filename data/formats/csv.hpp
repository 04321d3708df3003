// SPDX-License-Identifier: BSD-3-Clause
// Tables from and to text files.
#pragma once
#include <string>

#include "ebb/data/formats/csv_options.hpp"
#include "ebb/data/tables/table.hpp"

namespace ebb::inline v0::data {

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

}  // namespace detail

}  // namespace ebb::inline v0::data
