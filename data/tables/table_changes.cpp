// SPDX-License-Identifier: BSD-3-Clause
// Tables with other columns, and with some rows or in another order.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "ebb/autodiff/values/instances.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/data/tables/columns.hpp"
#include "ebb/data/tables/table.hpp"

namespace ebb::inline v0::data {
namespace {

using detail::quoted;

/// @throws ArgumentError for more levels than T can number.
template <class T>
void check_count(const char* operation, const std::string& name, std::size_t levels) {
  if (levels <= std::size_t(1) << std::numeric_limits<T>::digits) return;
  throw ArgumentError(std::string(operation) + ": column " + quoted(name) +
                      " has more levels than float can number; use double");
}

std::unordered_map<std::string_view, std::size_t> positions_of(
    const std::vector<std::string>& levels) {
  std::unordered_map<std::string_view, std::size_t> positions;
  for (std::size_t i = 0; i < levels.size(); ++i) positions.emplace(levels[i], i);
  return positions;
}

}  // namespace

/// Appends a column with these values (rows, 1), or replaces the one of its name.
template <Real T>
Table<T> Table<T>::put(Column column, const Array<T>& values) const {
  auto columns = columns_;
  const auto same = std::find_if(columns.begin(), columns.end(),
                                 [&](const Column& other) { return other.name == column.name; });
  const auto position = std::size_t(same - columns.begin());
  auto provenance = provenance_;
  std::erase_if(provenance.taken, [&](const auto& taken) { return taken.column == column.name; });
  if (same == columns.end()) {
    columns.push_back(std::move(column));
  } else {
    *same = std::move(column);
  }
  auto all = Array<T>::uninitialized({rows(), std::int64_t(columns.size())});
  T* out = all.mutate();
  const T* from = values_.data();
  for (std::int64_t i = 0; i < rows(); ++i) {
    std::copy_n(from, columns_.size(), out);
    out[position] = values[i];
    from += columns_.size();
    out += columns.size();
  }
  return detail::TableAccess::with(Table(std::move(columns), std::move(all), source_),
                                   std::move(provenance));
}

template <Real T>
Table<T> Table<T>::with(std::string name, const Array<T>& numbers) const {
  if (!(numbers.shape() == Shape{rows(), 1})) {
    throw ShapeError("Table::with: numbers of shape " + to_string(numbers.shape()) +
                     " for a column of " + detail::count_of(rows(), "row") + "; it is " +
                     to_string(Shape{rows(), 1}));
  }
  return put({.name = std::move(name)}, numbers);
}

template <Real T>
Table<T> Table<T>::with(std::string name, const std::vector<std::string>& texts,
                        std::vector<std::string> levels) const {
  if (std::int64_t(texts.size()) != rows()) {
    throw ShapeError("Table::with: " + detail::count_of(std::int64_t(texts.size()), "text") +
                     " for column " + quoted(name) + " of " + detail::count_of(rows(), "row"));
  }
  const bool are_given = !levels.empty();
  if (!are_given) {
    levels = texts;
    std::sort(levels.begin(), levels.end());
    levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
    if (!levels.empty() && levels.front().empty()) levels.erase(levels.begin());
  }
  check_count<T>("Table::with", name, levels.size());
  const auto positions = positions_of(levels);
  auto codes = Array<T>::uninitialized({rows(), 1});
  T* out = codes.mutate();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto found = positions.find(texts[i]);
    if (found == positions.end() && !texts[i].empty()) {
      throw ArgumentError("Table::with: column " + quoted(name) + ", row " + std::to_string(i) +
                          ": " + quoted(texts[i]) + " is not among the levels " +
                          detail::list_of(levels));
    }
    *out++ = found == positions.end() ? std::numeric_limits<T>::quiet_NaN() : T(found->second);
  }
  return put({std::move(name), Kind::categorical, std::move(levels)}, codes);
}

template <Real T>
Table<T> Table<T>::rename(std::string_view from, std::string to) const {
  const std::size_t position = find(from);
  const std::string before = columns_[position].name;  // `from` may be a view of it
  const std::size_t other = detail::position_of(columns_, to);
  if (other != detail::no_column && other != position) {
    throw ArgumentError(source_ + ": column " + quoted(before) + " cannot be renamed " +
                        quoted(to) + ", as another column is named so");
  }
  auto provenance = provenance_;
  if (provenance.target == before) provenance.target = to;
  for (auto& taken : provenance.taken) {
    if (taken.column == before) taken.column = to;
  }
  auto columns = columns_;
  columns[position].name = std::move(to);
  return detail::TableAccess::with(Table(std::move(columns), values_, source_),
                                   std::move(provenance));
}

template <Real T>
Table<T> Table<T>::filter(const Array<bool>& mask) const {
  if (!(mask.shape() == Shape{rows()}) && !(mask.shape() == Shape{rows(), 1})) {
    throw ShapeError("Table::filter: a mask of shape " + to_string(mask.shape()) + " for " +
                     detail::count_of(rows(), "row") + "; it is " + to_string(Shape{rows()}) +
                     " or " + to_string(Shape{rows(), 1}));
  }
  return filter([&](std::int64_t row) { return mask[row]; });
}

template <Real T>
Table<T> Table<T>::filter(const std::function<bool(std::int64_t row)>& keep) const {
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < rows(); ++i) {
    if (keep(i)) kept.push_back(i);
  }
  return rows(kept);
}

template <Real T>
Table<T> Table<T>::sort(std::string_view name, SortOptions options) const {
  const Array<T> values = column(name);
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows()));
  std::iota(order.begin(), order.end(), std::int64_t(0));
  const auto missing = std::stable_partition(
      order.begin(), order.end(), [&](std::int64_t row) { return !std::isnan(values[row]); });
  std::stable_sort(order.begin(), missing, [&](std::int64_t a, std::int64_t b) {
    return options.descending ? values[a] > values[b] : values[a] < values[b];
  });
  return rows(order);
}

namespace {

/// The positions of the columns of `first` in another table, whose number is for messages.
template <class T>
std::vector<std::size_t> positions_in(const Table<T>& table, const Table<T>& first,
                                      std::size_t number) {
  const auto fail = [&](const std::string& what) {
    throw ArgumentError("concat: table " + std::to_string(number) + " (" + table.source() + ") " +
                        what);
  };
  const detail::Positions known(table.columns());
  std::vector<std::size_t> positions;
  for (const Column& column : first.columns()) {
    const std::size_t j = known.of(column.name);
    if (j == detail::no_column) {
      fail("lacks column " + quoted(column.name) + " of the first; it has " +
           detail::list_of(table.columns()));
    }
    const Kind kind = table.columns()[j].kind;
    if (kind != column.kind) {
      fail("has column " + quoted(column.name) + " as " + detail::name_of(kind) +
           ", which in the first is " + detail::name_of(column.kind) +
           "; read both files with the kind of the column");
    }
    positions.push_back(j);
  }
  const detail::Positions wanted(first.columns());
  for (const Column& column : table.columns()) {
    if (wanted.has(column.name)) continue;
    fail("has column " + quoted(column.name) + ", which the first lacks; drop it, or add it there");
  }
  return positions;
}

/// Adds to `levels` those that it lacks, sorted.
void add_levels(std::vector<std::string>& levels, const std::vector<std::string>& others) {
  const auto known = positions_of(levels);
  std::vector<std::string> fresh;
  for (const std::string& level : others) {
    if (!known.contains(level)) fresh.push_back(level);
  }
  std::sort(fresh.begin(), fresh.end());
  levels.insert(levels.end(), fresh.begin(), fresh.end());
}

}  // namespace

template <Real T>
Table<T> concat(const std::vector<Table<T>>& tables) {
  if (tables.empty()) throw ArgumentError("concat: there are no tables");
  const Table<T>& first = tables.front();
  std::vector<Column> columns = first.columns();
  const auto width = std::int64_t(columns.size());
  std::vector<std::vector<std::size_t>> positions;
  std::vector<detail::Provenance> origins;
  std::vector<std::int64_t> counts;
  for (const Table<T>& table : tables) {
    positions.push_back(positions_in(table, first, positions.size() + 1));
    origins.push_back(detail::TableAccess::provenance(table));
    counts.push_back(table.rows());
  }
  for (std::size_t j = 0; j < columns.size(); ++j) {
    std::vector<std::string> others;
    for (std::size_t i = 1; i < tables.size(); ++i) {
      const auto& levels = tables[i].columns()[positions[i][j]].levels;
      others.insert(others.end(), levels.begin(), levels.end());
    }
    std::sort(others.begin(), others.end());
    others.erase(std::unique(others.begin(), others.end()), others.end());
    add_levels(columns[j].levels, others);
    check_count<T>("concat", columns[j].name, columns[j].levels.size());
  }
  auto values = Array<T>::uninitialized(
      {std::accumulate(counts.begin(), counts.end(), std::int64_t(0)), width});
  T* out = values.mutate();
  for (std::size_t i = 0; i < tables.size(); ++i) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const std::size_t at = positions[i][j];
      const auto known = positions_of(columns[j].levels);
      std::vector<T> codes;
      for (const auto& level : tables[i].columns()[at].levels) codes.push_back(T(known.at(level)));
      const T* from = tables[i].values().data() + at;
      T* to = out + j;
      for (std::int64_t row = 0; row < counts[i]; ++row, from += width, to += width) {
        *to = codes.empty() || std::isnan(*from) ? *from : codes[std::size_t(*from)];
      }
    }
    out += counts[i] * width;
  }
  return detail::TableAccess::with(Table<T>(std::move(columns), std::move(values), first.source()),
                                   detail::Provenance::joined(origins, counts));
}
EBB_OVERLOAD_FOR_REALS(concat, Table<T>(const std::vector<Table<T>>&))

#define EBB_INSTANTIATE(T)                                                            \
  template Table<T> Table<T>::put(Column, const Array<T>&) const;                     \
  template Table<T> Table<T>::with(std::string, const Array<T>&) const;               \
  template Table<T> Table<T>::with(std::string, const std::vector<std::string>&,      \
                                   std::vector<std::string>) const;                   \
  template Table<T> Table<T>::rename(std::string_view, std::string) const;            \
  template Table<T> Table<T>::filter(const Array<bool>&) const;                       \
  template Table<T> Table<T>::filter(const std::function<bool(std::int64_t)>&) const; \
  template Table<T> Table<T>::sort(std::string_view, SortOptions) const;
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::data
