// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/backward_by_rows.hpp"

namespace ebb::inline v0::detail {

std::int64_t rows_in_block(const Shape& x, const Shape& y, std::size_t element_size,
                           const RowBlockOptions& options) {
  if (x.rank() == 0 || y.rank() == 0 || x[0] != y[0] || x[0] == 0) {
    throw ShapeError("backward_by_rows: x of shape " + to_string(x) + " and y of shape " +
                     to_string(y) + "; both must have the same number of rows, at least one");
  }
  if (options.rows < 0) {
    throw ArgumentError("backward_by_rows: blocks of " + std::to_string(options.rows) +
                        " rows; give at least 1, or 0 for a choice");
  }
  if (options.rows > 0) return options.rows;
  constexpr std::int64_t half_a_cache = 512 << 10, fewest = 64;
  const std::int64_t row_bytes = x.size() / x[0] * std::int64_t(element_size);
  return std::max(fewest, half_a_cache / std::max<std::int64_t>(row_bytes, 1));
}

void check_single(const Shape& loss) {
  if (loss.size() == 1) return;
  throw ShapeError("backward_by_rows: the loss of a block has shape " + to_string(loss) +
                   " and is not a single value; reduce it by mean");
}

}  // namespace ebb::inline v0::detail
