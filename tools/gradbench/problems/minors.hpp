// SPDX-License-Identifier: BSD-3-Clause
// The determinant by expansion along the first row, and of each minor along its first row.
#pragma once
#include <bit>
#include <vector>

#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"

namespace problems {

/// Minors of the last rows with the same columns are computed once: n 2^(n-1) products in place of
/// about e n!.
class Minors {
 public:
  using Y = ebb::Tensor<double>;

  explicit Minors(int n) {
    // The minors of the last m rows, by their columns as bits, and the place of each.
    std::vector<std::int64_t> place(std::size_t(1) << n);
    for (int m = 1; m <= n; ++m) {
      Level level;
      std::vector<std::int64_t> columns, rest;
      std::vector<double> signs;
      std::vector<std::int64_t> next(place.size());
      std::int64_t count = 0;
      for (std::uint32_t set = 1; set < place.size(); ++set) {
        if (std::popcount(set) != m) continue;
        next[set] = count++;
        double sign = 1;
        for (int column = 0; column < n; ++column) {
          const std::uint32_t bit = 1U << column;
          if (!(set & bit)) continue;
          columns.push_back(column);
          rest.push_back(place[set & ~bit]);
          signs.push_back(sign);
          sign = -sign;
        }
      }
      level.columns = ebb::Array<std::int64_t>({count * m}, columns);
      level.rest = ebb::Array<std::int64_t>({count * m}, rest);
      level.signs = ebb::Array<double>({count, m}, signs);
      levels_.push_back(std::move(level));
      place = std::move(next);
    }
  }

  /// The determinant of a matrix (n, n).
  Y operator()(const Y& a) const {
    Y minors = ebb::Array<double>::ones({1});
    const auto rows = unbind(a);
    for (std::size_t m = 0; m < levels_.size(); ++m) {
      const Level& level = levels_[m];
      const Y& row = rows[rows.size() - 1 - m];
      const Y products = gather_rows(row, level.columns) * gather_rows(minors, level.rest);
      minors = sum(reshape(products, level.signs.shape()) * level.signs, ebb::Axes{1});
    }
    return minors[0];
  }

 private:
  struct Level {
    ebb::Array<std::int64_t> columns, rest;
    ebb::Array<double> signs;
  };
  std::vector<Level> levels_;
};

}  // namespace problems
