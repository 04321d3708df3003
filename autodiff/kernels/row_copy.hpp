// SPDX-License-Identifier: BSD-3-Clause
// Rows by index, in the widest vectors of the machine: the more of a row an instruction moves, the
// more rows are on their way from memory at a time.
#pragma once
#include <cstdint>

namespace ebb::inline v0::detail {

/// y[i] = x[index[i]] for `count` rows of `size` elements; y is the start of a block.
template <class T>
void copy_rows(T* y, const T* x, const std::int64_t* index, std::int64_t count, std::int64_t size);
/// y[index[i]] += x[i], one row after another.
template <class T>
void add_rows(T* y, const T* x, const std::int64_t* index, std::int64_t count, std::int64_t size);

}  // namespace ebb::inline v0::detail
