// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/sets/series.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/files/text_file.hpp"

namespace ebb::inline v0::data {
namespace {

void check_at_least(const char* name, std::int64_t given, std::int64_t least) {
  if (given >= least) return;
  throw ArgumentError("SeriesWindows: " + std::string(name) + " = " + std::to_string(given) +
                      "; it is at least " + std::to_string(least));
}

void check(const SeriesOptions& o) {
  check_at_least("length", o.length, 1);
  check_at_least("horizon", o.horizon, 0);
  check_at_least("stride", o.stride, 1);
  if (!(o.largest_step >= 0)) {
    throw ArgumentError("SeriesWindows: largest_step = " + ebb::detail::to_text(o.largest_step) +
                        "; it is at least 0");
  }
  if (o.largest_step > 0 && o.time.empty()) {
    throw ArgumentError("SeriesWindows: largest_step is a distance of `time`; name that column");
  }
}

/// The columns of x and y.
template <Real T>
std::vector<std::string> features_of(const Table<T>& table, const SeriesOptions& o) {
  if (!o.features.empty()) return o.features;
  std::vector<std::string> features;
  for (const std::string& name : table.names()) {
    if (name != o.time && name != o.group) features.push_back(name);
  }
  return features;
}
template <Real T>
std::vector<std::string> targets_of(const Table<T>& table, const SeriesOptions& o) {
  if (!o.targets.empty() || o.horizon == 0) return o.targets;
  if (!table.target().empty()) return {table.target()};
  throw ArgumentError(table.source() +
                      ": it has no target; name some by SeriesOptions::targets, or one by "
                      "Table::with_target");
}

/// @throws ArgumentError for a column of categories, and for missing values.
template <Real T>
void check_numbers(const Table<T>& columns) {
  const auto width = std::int64_t(columns.columns().size());
  for (std::int64_t j = 0; j < width; ++j) {
    const Column& column = columns.columns()[std::size_t(j)];
    const std::string start = columns.source() + ": column " + detail::quoted(column.name);
    if (column.kind != Kind::numeric) {
      throw ArgumentError(start +
                          " is categorical; encode it, one-hot or ordinal, or leave it out of "
                          "SeriesOptions::features");
    }
    for (std::int64_t row = 0; row < columns.rows(); ++row) {
      if (!std::isnan(columns.values()[row * width + j])) continue;
      throw ArgumentError(start + " misses the value of row " + std::to_string(row) +
                          "; impute it, or leave out the row, which makes a gap if `time` and "
                          "`largest_step` are given");
    }
  }
}

/// The rows, one series after the other, and in their order within each.
template <Real T>
Rows order_of(const Array<T>& group) {
  Rows order(std::size_t(group.size()));
  std::iota(order.begin(), order.end(), std::int64_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return group[a] < group[b]; });
  return order;
}

}  // namespace

template <Real T>
SeriesWindows<T>::SeriesWindows(const Table<T>& table, const SeriesOptions& o)
    : length_(o.length), horizon_(o.horizon) {
  check(o);
  features_ = features_of(table, o);
  targets_ = targets_of(table, o);
  const Table<T> x = table.select(features_), y = table.select(targets_);
  check_numbers(x);
  check_numbers(y);
  const std::int64_t n = table.rows();
  const auto column = [&](const std::string& name) {
    const Array<T> values = name.empty() ? Array<T>::zeros({n, 1}) : table.column(name);
    for (std::int64_t row = 0; row < n; ++row) {
      if (!std::isnan(values[row])) continue;
      throw ArgumentError(table.source() + ": column " + detail::quoted(name) +
                          " misses the value of row " + std::to_string(row) +
                          "; leave out the row");
    }
    return values;
  };
  const Array<T> group = column(o.group), time = column(o.time);
  order_ = order_of(group);
  x_ = detail::take_rows("SeriesWindows", x.values(), order_);
  y_ = detail::take_rows("SeriesWindows", y.values(), order_);

  const auto at = [&](std::int64_t i) { return order_[std::size_t(i)]; };
  const auto is_unbroken = [&](std::int64_t i) {  // from the row before
    if (group[at(i)] != group[at(i - 1)]) return false;
    if (o.time.empty()) return true;
    const double step = double(time[at(i)]) - double(time[at(i - 1)]);
    if (!(step > 0)) {
      throw ArgumentError(table.source() + ": column " + detail::quoted(o.time) +
                          " does not ascend from row " + std::to_string(at(i - 1)) + " to row " +
                          std::to_string(at(i)) +
                          "; sort the table by it, name a `group` if it has several series, or use "
                          "double if float rounds it");
    }
    const bool is_gap = o.largest_step > 0 && step > o.largest_step;
    gaps_ += is_gap;
    return !is_gap;
  };
  const std::int64_t steps = length_ + horizon_;
  std::int64_t longest = 0;
  for (std::int64_t begin = 0, end; begin < n; begin = end) {
    for (end = begin + 1; end < n && is_unbroken(end);) ++end;
    longest = std::max(longest, end - begin);
    for (std::int64_t i = begin; i + steps <= end; i += o.stride) starts_.push_back(i);
  }
  if (starts_.empty()) {
    throw ArgumentError(table.source() + ": a window has " + std::to_string(length_) + " + " +
                        std::to_string(horizon_) + " rows, and the longest series without a gap " +
                        std::to_string(longest));
  }
}

template <Real T>
Batch<T> SeriesWindows<T>::rows(std::span<const std::int64_t> windows) const {
  detail::check_indices("SeriesWindows", windows, size(), "windows");
  const std::int64_t b = std::int64_t(windows.size());
  const std::int64_t f = std::int64_t(features_.size()), t = std::int64_t(targets_.size());
  auto x = Array<T>::uninitialized({b, length_, f}), y = Array<T>::uninitialized({b, horizon_ * t});
  T *to_x = x.mutate(), *to_y = y.mutate();
  for (const std::int64_t window : windows) {
    const std::int64_t start = starts_[std::size_t(window)], next = start + length_;
    to_x = std::copy_n(x_.data() + start * f, length_ * f, to_x);
    to_y = std::copy_n(y_.data() + next * t, horizon_ * t, to_y);
  }
  return {x, y};
}

template <Real T>
Rows SeriesWindows<T>::rows_of(std::int64_t window) const {
  detail::check_indices("SeriesWindows", {&window, 1}, size(), "windows");
  const auto from = order_.begin() + starts_[std::size_t(window)];
  return {from, from + length_ + horizon_};
}

template class SeriesWindows<float>;
template class SeriesWindows<double>;

}  // namespace ebb::inline v0::data
