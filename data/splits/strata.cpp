// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/splits/strata.hpp"

#include <algorithm>

namespace ebb::inline v0::data::detail {

Strata::Strata(std::span<const std::int64_t> value_of_row)
    : values(value_of_row.begin(), value_of_row.end()) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  counts.assign(values.size(), 0);
  of_row.reserve(value_of_row.size());
  for (const std::int64_t value : value_of_row) {
    const auto found = std::lower_bound(values.begin(), values.end(), value);
    of_row.push_back(std::size_t(found - values.begin()));
    ++counts[of_row.back()];
  }
}

}  // namespace ebb::inline v0::data::detail
