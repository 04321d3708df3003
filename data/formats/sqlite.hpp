// SPDX-License-Identifier: BSD-3-Clause
// Queries of SQLite databases as tables. An optional part: link ebb::sqlite (find_package(ebb
// COMPONENTS sqlite)), which is there where the build found SQLite.
#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "ebb/data/formats/csv.hpp"

namespace ebb::inline v0::data {

/// What stands for a `?` in a query.
using SqlParameter = std::variant<std::int64_t, double, std::string>;

struct SqliteOptions {
  std::vector<SqlParameter> parameters = {};  ///< for ?1, ?2, ... (or every ? in turn) of the query
  /// What becomes of a NULL: an error, NaN, or its row is left out; the other policies are refused.
  Missing missing = Missing::error;
  /// A cap on memory, as of other readers; `progress` is told the rows so far, of 0 in all, since
  /// no query knows its number of rows.
  ReadOptions read = {};
};

/// Runs one query on a database that is only read, and gives its rows: a column of numbers is
/// numeric, each the nearest that T holds, one of texts categorical, with levels sorted by their
/// bytes. Names are those of the query; `AS` gives others. The rows are those of one moment,
/// whoever writes meanwhile, and a database that is locked is waited for, five seconds at most.
/// ":memory:" is a database without tables.
/// @throws FileError that starts with the file's name, for one that cannot be opened, is no
/// database or was cut off, a query that SQLite refuses, that changes anything or is more than one,
/// no columns or rows, two columns of one name, a BLOB, a column of both numbers and texts, a text
/// that is not UTF-8, a number that is not finite in T, a NULL by policy, and more than
/// `max_bytes`; it names the row (from 1) and the column. ArgumentError for another number of
/// parameters than the query has, and options that make no sense.
template <Real T>
EBB_API Table<T> read_sqlite(const std::string& path, const std::string& query,
                             const SqliteOptions& options = {});

}  // namespace ebb::inline v0::data
