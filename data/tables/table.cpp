// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/tables/table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_set>

#include "ebb/data/files/number.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/data/tables/columns.hpp"

namespace ebb::inline v0::data {
namespace {

using detail::quoted;

/// The first level that is not a number, which may be why a column is categorical by mistake.
std::string example_of(const Column& column) {
  double number = 0;
  for (const auto& level : column.levels) {
    if (detail::spelled_number(level, number) != detail::Spelled::number) return quoted(level);
  }
  return column.levels.empty() ? "none" : quoted(column.levels.front());
}

void check_columns(const std::vector<Column>& columns) {
  std::unordered_set<std::string_view> names, levels;
  for (const Column& column : columns) {
    if (column.name.empty()) throw ArgumentError("Table: a column has no name");
    if (!names.insert(column.name).second) {
      throw ArgumentError("Table: the name " + quoted(column.name) + " occurs twice");
    }
    levels.clear();
    for (const auto& level : column.levels) {
      if (levels.insert(level).second) continue;
      throw ArgumentError("Table: column " + quoted(column.name) + " has the level " +
                          quoted(level) + " twice");
    }
    if (column.kind == Kind::numeric && !column.levels.empty()) {
      throw ArgumentError("Table: column " + quoted(column.name) + " is numeric, but has levels");
    }
  }
}

template <class T>
void check_codes(const std::vector<Column>& columns, const Array<T>& values) {
  const auto width = std::int64_t(columns.size());
  for (std::int64_t j = 0; j < width; ++j) {
    const Column& column = columns[std::size_t(j)];
    if (column.kind == Kind::numeric) continue;
    const auto levels = T(column.levels.size());
    for (std::int64_t i = j; i < values.size(); i += width) {
      const T code = values[i];
      if (std::isnan(code) || (code >= 0 && code < levels && code == std::floor(code))) continue;
      throw ArgumentError("Table: column " + quoted(column.name) + ", row " +
                          std::to_string(i / width) + ": " + ebb::detail::to_text(double(code)) +
                          " is not the position of a level; there are " +
                          std::to_string(column.levels.size()));
    }
  }
}

}  // namespace

template <Real T>
Table<T>::Table(std::vector<Column> columns, Array<T> values, std::string source)
    : columns_(std::move(columns)),
      values_(std::move(values)),
      source_(std::move(source)),
      provenance_(detail::Provenance::fresh()) {
  if (values_.rank() != 2 || values_.shape()[1] != std::int64_t(columns_.size())) {
    throw ShapeError("Table: values of shape " + to_string(values_.shape()) + " for " +
                     detail::count_of(std::int64_t(columns_.size()), "column") +
                     "; they must be (rows, columns)");
  }
  check_columns(columns_);
  check_codes(columns_, values_);
}

template <Real T>
const std::vector<Column>& Table<T>::columns() const {
  return columns_;
}

template <Real T>
const std::string& Table<T>::source() const {
  return source_;
}

template <Real T>
Role Table<T>::role() const {
  return provenance_.role;
}

template <Real T>
Table<T> Table<T>::with_role(Role role) const {
  auto provenance = role == Role::unspecified ? detail::Provenance::fresh() : provenance_;
  provenance.role = role;
  provenance.target = provenance_.target;
  provenance.taken = provenance_.taken;
  return detail::TableAccess::with(*this, std::move(provenance));
}

template <Real T>
Table<T> Table<T>::with_target(std::string_view name) const {
  find(name);  // throws
  auto provenance = provenance_;
  provenance.target = name;
  return detail::TableAccess::with(*this, std::move(provenance));
}

template <Real T>
const std::string& Table<T>::target() const {
  return provenance_.target;
}

/// A table made from this one, with the origin of its rows.
template <Real T>
Table<T> Table<T>::keep_provenance(Table made) const {
  return detail::TableAccess::with(std::move(made), provenance_);
}

template <Real T>
std::vector<std::string> Table<T>::names() const {
  std::vector<std::string> names;
  for (const Column& column : columns_) names.push_back(column.name);
  return names;
}

template <Real T>
std::size_t Table<T>::find(std::string_view name) const {
  const std::size_t position = detail::position_of(columns_, name);
  if (position != detail::no_column) return position;
  throw ArgumentError(source_ + ": no column " + quoted(name) + "; there are " +
                      detail::list_of(columns_));
}

template <Real T>
std::vector<std::size_t> Table<T>::find_all(const std::vector<std::string>& names) const {
  if (names.size() == 1) return {find(names[0])};
  std::vector<std::size_t> positions;
  const detail::Positions known(columns_);
  for (const auto& name : names) {
    const std::size_t j = known.of(name);
    positions.push_back(j == detail::no_column ? find(name) : j);  // throws
  }
  return positions;
}

/// The columns at these positions.
template <Real T>
Array<T> Table<T>::gather(std::span<const std::size_t> positions) const {
  auto chosen = Array<T>::uninitialized({rows(), std::int64_t(positions.size())});
  T* out = chosen.mutate();
  const T* row = values_.data();
  for (std::int64_t i = 0; i < rows(); ++i, row += columns_.size()) {
    for (const std::size_t j : positions) *out++ = row[j];
  }
  return chosen;
}

template <Real T>
Table<T> Table<T>::gather_table(std::span<const std::size_t> positions) const {
  std::vector<Column> columns;
  for (const std::size_t j : positions) columns.push_back(columns_[j]);
  return keep_provenance(Table(std::move(columns), gather(positions), source_));
}

template <Real T>
Array<T> Table<T>::column(std::string_view name) const {
  const std::size_t position = find(name);
  return gather({&position, 1});
}

template <Real T>
Array<std::int64_t> Table<T>::labels(std::string_view name) const {
  const Array<T> values = column(name);
  auto labels = Array<std::int64_t>::uninitialized({rows()});
  std::int64_t* const out = labels.mutate();
  for (std::int64_t i = 0; i < rows(); ++i) {
    const T value = values[i];
    if (std::isnan(value)) {
      throw ArgumentError("Table::labels: column " + quoted(std::string(name)) + ", row " +
                          std::to_string(i) + " is missing; drop such rows, or impute them");
    }
    if (!(std::abs(value) < T(0x1p63)) || value != std::trunc(value)) {
      throw ArgumentError("Table::labels: column " + quoted(std::string(name)) + ", row " +
                          std::to_string(i) + " is " + ebb::detail::to_text(double(value)) +
                          ", which is not an integer; is it a category?");
    }
    out[i] = std::int64_t(value);
  }
  return labels;
}

template <Real T>
std::string Table<T>::level(std::int64_t row, std::string_view name) const {
  const std::size_t j = find(name);
  if (columns_[j].kind == Kind::numeric) {
    throw ArgumentError("Table::level: column " + quoted(name) + " is numeric; it has no levels");
  }
  if (row < 0 || row >= rows()) {
    throw ArgumentError("Table::level: row " + std::to_string(row) + " of a table of " +
                        detail::count_of(rows(), "row"));
  }
  const T code = values_(row, std::int64_t(j));
  return std::isnan(code) ? std::string() : columns_[j].levels[std::size_t(code)];
}

template <Real T>
const std::vector<std::string>& Table<T>::levels(std::string_view name) const {
  return columns_[find(name)].levels;
}

template <Real T>
Table<T> Table<T>::select(const std::vector<std::string>& names) const {
  return gather_table(find_all(names));
}

template <Real T>
Table<T> Table<T>::drop(const std::vector<std::string>& names) const {
  std::vector<bool> dropped(columns_.size());
  for (const std::size_t j : find_all(names)) dropped[j] = true;
  std::vector<std::size_t> positions;
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    if (!dropped[j]) positions.push_back(j);
  }
  return gather_table(positions);
}

template <Real T>
Table<T> Table<T>::head(std::int64_t count) const {
  if (count < 0) throw ArgumentError("Table::head: " + std::to_string(count) + " rows");
  std::vector<std::int64_t> indices(std::size_t(std::min(count, rows())));
  std::iota(indices.begin(), indices.end(), std::int64_t(0));
  return rows(indices);
}

template <Real T>
Table<T> Table<T>::rows(std::span<const std::int64_t> indices) const {
  const auto width = std::int64_t(columns_.size());
  auto values = Array<T>::uninitialized({std::int64_t(indices.size()), width});
  T* out = values.mutate();
  detail::Identity identity;
  identity.add(~std::uint64_t(0));  // not a valid number of rows, so no split has this hash
  for (const std::int64_t i : indices) {
    identity.add(std::uint64_t(i));
    if (i < 0 || i >= rows()) {
      throw ArgumentError("Table::rows: row " + std::to_string(i) + " of a table of " +
                          detail::count_of(rows(), "row"));
    }
    out = std::copy_n(values_.data() + i * width, width, out);
  }
  Table chosen(columns_, std::move(values), source_);
  // The hash depends on the order of the rows, since a later choice counts positions in this order.
  chosen.provenance_ = provenance_.part({identity.value(), 0}, role(), indices);
  return chosen;
}

/// @throws ArgumentError unless the column can be a target.
template <Real T>
void Table<T>::check_target(std::size_t target) const {
  const Column& column = columns_[target];
  for (const auto& [name, by] : provenance_.taken) {
    if (name != column.name) continue;
    throw ArgumentError(source_ + ": the target " + quoted(name) + " is a column that " + by +
                        " changed or made; name the target before the fit, by Table::with_target, "
                        "or leave it out of the columns of " +
                        by);
  }
  double number = 0;
  const auto numbers =
      std::count_if(column.levels.begin(), column.levels.end(), [&](const std::string& level) {
        return detail::spelled_number(level, number) == detail::Spelled::number;
      });
  if (numbers == 0 || numbers == std::int64_t(column.levels.size())) return;
  throw ArgumentError(source_ + ": the target " + quoted(column.name) +
                      " has both numbers and texts, as " + example_of(column) +
                      "; if it should be numbers, read it as Kind::numeric to see where it is not, "
                      "else rename its levels");
}

/// @throws ArgumentError for a missing value, and for a categorical column that is not the target.
template <Real T>
void Table<T>::check_complete(std::size_t target) const {
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    const Column& column = columns_[j];
    if (column.kind == Kind::numeric || j == target) continue;
    throw ArgumentError(source_ + ": column " + quoted(column.name) + " is categorical (" +
                        detail::count_of(std::int64_t(column.levels.size()), "level") + ", as " +
                        example_of(column) +
                        "); encode it, one-hot or ordinal, or drop it. If it should be numbers, "
                        "read it as Kind::numeric to see where it is not");
  }
  std::vector<std::int64_t> missing(columns_.size());
  const T* value = values_.data();
  for (std::int64_t i = 0; i < rows(); ++i) {
    for (auto& count : missing) count += std::isnan(*value++);
  }
  for (std::size_t j = 0; j < missing.size(); ++j) {
    if (missing[j] == 0) continue;
    throw ArgumentError(source_ + ": column " + quoted(columns_[j].name) + " misses " +
                        std::to_string(missing[j]) + " of " + detail::count_of(rows(), "value") +
                        (j == target ? "; leave out these rows: read the file with "
                                     : "; impute them, or read the file with ") +
                        "Missing::drop_row");
  }
}

template <Real T>
Supervised<T> Table<T>::split_target(std::string_view name) const {
  const std::size_t target = find(name);
  check_target(target);
  check_complete(target);
  std::vector<std::size_t> others;
  std::vector<std::string> features;
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    if (j == target) continue;
    others.push_back(j);
    features.push_back(columns_[j].name);
  }
  return {gather(others), gather({&target, 1}), std::move(features)};
}

template <Real T>
Supervised<T> Table<T>::split_target() const {
  if (!target().empty()) return split_target(target());
  throw ArgumentError(source_ + ": it has no target; name one by Table::with_target, or call " +
                      "split_target with its name; there are " + detail::list_of(columns_));
}

template class Table<float>;
template class Table<double>;

}  // namespace ebb::inline v0::data
