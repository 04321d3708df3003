// SPDX-License-Identifier: BSD-3-Clause
// Rows that have one number each: their class, or the group that they belong to.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ebb::inline v0::data::detail {

struct Strata {
  explicit Strata(std::span<const std::int64_t> value_of_row);

  std::size_t size() const { return values.size(); }
  std::int64_t rows() const { return std::int64_t(of_row.size()); }

  std::vector<std::int64_t> values;  ///< the different numbers, ascending
  std::vector<std::int64_t> counts;  ///< how many rows have each of `values`
  std::vector<std::size_t> of_row;   ///< the position of each row's value in `values`
};

}  // namespace ebb::inline v0::data::detail
