// SPDX-License-Identifier: BSD-3-Clause
// The values of one column of a table.
#pragma once
#include <cstddef>
#include <vector>

#include "ebb/data/tables/table.hpp"

namespace ebb::inline v0::data::detail {

/// The values of one column.
template <class T>
std::vector<double> numbers_of(const Table<T>& table, std::size_t column);
/// Copies a column of a table to a column of an array with the same number of rows.
void copy_column(const Table<double>& from, std::size_t column, Array<double>& to, std::size_t at);

}  // namespace ebb::inline v0::data::detail
