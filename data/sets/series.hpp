// SPDX-License-Identifier: BSD-3-Clause
// Windows over series: what was, and what came next.
//
//   const auto parts = data::split_by_time(table, "hour", {.test = 0.2});
//   const data::SeriesWindows train(parts.train, {.targets = {"load"}, .length = 48, .time =
//   "hour"}); for (const auto& [x, y] : data::Loader(train)) ...      // x (b, 48, features), y (b,
//   1)
//
// Windows of parts that were split before share no row.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ebb/data/sets/dataset.hpp"
#include "ebb/data/tables/table.hpp"

namespace ebb::inline v0::data {

struct SeriesOptions {
  /// The columns of x. Empty: all but `time` and `group`; the past of a target is among them.
  std::vector<std::string> features = {};
  std::vector<std::string> targets = {};  ///< the columns of y; empty: the target of the table
  std::int64_t length = 1;                ///< the steps of x, at least 1
  /// The steps of y, which follow those of x. 0: windows end with x, to predict what comes next.
  std::int64_t horizon = 1;
  std::int64_t stride = 1;  ///< the steps from one window to the next in a series, at least 1
  /// A column whose values each stand for a series of their own, such as a place; "": one series.
  std::string group = {};
  /// A column of numbers that ascend within each series; "": the rows are in order.
  std::string time = {};
  /// The most that `time` may grow from one row to the next within a window; more is a gap, which
  /// no window spans. 0: there are no gaps.
  double largest_step = 0;
};

/// Windows of `length + horizon` rows that follow one another in a series: a data set for Loader.
/// It copies the columns once, and makes windows when they are asked for.
template <Real T>
class EBB_API SeriesWindows {
 public:
  /// @throws ArgumentError for options out of their ranges; for a column that is not there, is
  /// categorical, or misses a value; for a time that does not ascend, with the rows; and for a
  /// table without a window.
  SeriesWindows(const Table<T>& table, const SeriesOptions& options);

  /// The number of windows.
  EBB_INLINE std::int64_t size() const { return std::int64_t(starts_.size()); }
  /// x (b, length, features) and y (b, horizon * targets), the targets of one step after those of
  /// the step before.
  /// @throws ArgumentError for a number outside of the windows.
  Batch<T> rows(std::span<const std::int64_t> windows) const;

  /// The columns of x.
  EBB_INLINE const std::vector<std::string>& features() const { return features_; }
  /// The columns of y.
  EBB_INLINE const std::vector<std::string>& targets() const { return targets_; }
  /// The rows of the table that a window has, those of x first.
  /// @throws ArgumentError for a number outside of the windows.
  Rows rows_of(std::int64_t window) const;
  /// The places where `time` grows by more than `largest_step`.
  EBB_INLINE std::int64_t gaps() const { return gaps_; }

 private:
  std::vector<std::string> features_, targets_;
  std::int64_t length_, horizon_, gaps_ = 0;
  Rows order_;                        ///< the rows of the table, one series after the other
  Array<T> x_, y_;                    ///< (rows, features) and (rows, targets), in that order
  std::vector<std::int64_t> starts_;  ///< where windows start in that order
};

}  // namespace ebb::inline v0::data
