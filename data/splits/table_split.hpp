// SPDX-License-Identifier: BSD-3-Clause
// Tables that know whether they are to learn from or to judge by.
#pragma once
#include "ebb/data/tables/rows.hpp"
#include "ebb/data/tables/table.hpp"

namespace ebb::inline v0::data {

/// The rows of a table in three parts. Destructures: `auto [train, validation, test] = ...`.
template <Real T>
struct TableParts {
  Table<T> train;       ///< `Role::training`
  Table<T> validation;  ///< `Role::held_out`, as the next
  Table<T> test;
};

/// The rows of a table in two parts. Destructures: `auto [train, test] = ...`.
template <Real T>
struct TableFold {
  Table<T> train;  ///< `Role::training`
  Table<T> test;   ///< `Role::held_out`
};

/// Takes the rows apart: `split(table, split_rows(table.rows(), {.validation = 0.2}))`. No
/// transform is fitted on the rows that are held out, nor on some that include them and then
/// applied to them. A training part can be split again; parts of rows that are held out stay so.
/// Copies of a row that were made before the split are rows of their own to it.
/// @throws ArgumentError for a row that stands in two parts or is not in the table, and for a table
/// that went through a transform which was fitted on its rows: each part would know of the others.
template <Real T>
EBB_API TableParts<T> split(const Table<T>& table, const Parts& parts);
template <Real T>
EBB_API TableFold<T> split(const Table<T>& table, const Fold& fold);

}  // namespace ebb::inline v0::data
