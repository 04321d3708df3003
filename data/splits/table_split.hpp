// SPDX-License-Identifier: BSD-3-Clause
// Splits tables into parts that know whether they are for training or held out.
#pragma once
#include <string_view>

#include "ebb/data/splits/split.hpp"
#include "ebb/data/tables/table.hpp"

namespace ebb::inline v0::data {

/// The rows of a table in three parts. Destructures: `auto [train, validation, test] = ...`.
template <Real T>
struct TableParts {
  Table<T> train;       ///< `Role::training`
  Table<T> validation;  ///< `Role::held_out`
  Table<T> test;        ///< `Role::held_out`
};

/// The rows of a table in two parts. Destructures: `auto [train, test] = ...`.
template <Real T>
struct TableFold {
  Table<T> train;  ///< `Role::training`
  Table<T> test;   ///< `Role::held_out`
};

/// Divides the rows of a table: `split(table, split_rows(table.rows(), {.validation = 0.2}))`.
/// Transforms refuse to be fitted on the held-out rows, and to be applied to held-out rows after a
/// fit on rows that include them. A training part can be split again; the parts of held-out rows
/// are held out. Copies of a row that were made before the split count as different rows.
/// @throws ArgumentError for a row that is in two parts or is not in the table, and for a table
/// that was changed by a transform fitted on its rows, since each part would then contain
/// information about the others.
template <Real T>
EBB_API TableParts<T> split(const Table<T>& table, const Parts& parts);
/// Divides the rows of a table into the two parts of a fold: `split(table, fold)`.
/// @throws ArgumentError as `split(table, parts)`.
template <Real T>
EBB_API TableFold<T> split(const Table<T>& table, const Fold& fold);
/// Divides the rows of a table by a column of times, as `split_by_time(times)`.
/// @throws ArgumentError, which lists the columns, for a name that no column has; and as both.
template <Real T>
EBB_API TableParts<T> split_by_time(const Table<T>& table, std::string_view time,
                                    TimePartsOptions options = {});

}  // namespace ebb::inline v0::data
