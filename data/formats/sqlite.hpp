// SPDX-License-Identifier: BSD-3-Clause
// Queries of SQLite databases as tables. An optional part: link ebb::sqlite (find_package(ebb
// COMPONENTS sqlite)), which exists if SQLite was found when the library was built.
#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "ebb/data/formats/csv.hpp"

namespace ebb::inline v0::data {

/// The value of a `?` in a query.
using SqlParameter = std::variant<std::int64_t, double, std::string>;

struct SqliteOptions {
  std::vector<SqlParameter> parameters = {};  ///< values of ?1, ?2, ... (or of each ? in turn)
  /// How to treat a NULL: `error`, `nan` or `drop_row`. The other policies are refused.
  Missing missing = Missing::error;
  /// The most memory to use, and a callback for progress, which is called with the number of rows
  /// so far and a total of 0, since the number of rows of a query is not known before its end.
  ReadOptions read = {};
};

/// Runs one query, which must not change the database, and returns its rows. A column of numbers is
/// numeric, each rounded to the nearest T; an integer that T cannot hold is an error unless
/// `ReadOptions::round_integers` is set. A column of texts is categorical, with levels sorted by
/// their bytes. The columns have the names of the query, which `AS` can change. All rows are from
/// one moment, even if other programs write at the same time. A locked database is waited for, at
/// most five seconds. ":memory:" is a database without tables.
/// @throws FileError that starts with the name of the file, and names the row (from 1) and the
/// column if it concerns one: for a file that cannot be opened, is not a database or was truncated;
/// for a query that SQLite refuses, that changes the database or is more than one; for a result
/// without columns or rows, or with two columns of the same name; for a BLOB, a column of both
/// numbers and texts, a text that is not UTF-8, a number that is not finite in T, a NULL if the
/// policy is `error`, and more than `max_bytes`. ArgumentError if the number of parameters differs
/// from that of the query, and for invalid options.
template <Real T>
EBB_API Table<T> read_sqlite(const std::string& path, const std::string& query,
                             const SqliteOptions& options = {});

}  // namespace ebb::inline v0::data
