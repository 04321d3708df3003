// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/column_transform.hpp"

#include <unordered_set>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/data/tables/columns.hpp"

namespace ebb::inline v0::data {

using detail::quoted;

ColumnTransform::ColumnTransform(std::vector<std::string> columns) : columns_(std::move(columns)) {}
ColumnTransform::~ColumnTransform() = default;
std::optional<Kind> ColumnTransform::takes() const { return {}; }
std::vector<std::string> ColumnTransform::uses() const { return used_; }

std::vector<std::string> ColumnTransform::taken(const std::vector<Column>& result) const {
  std::vector<std::string> names;
  if (has_columns()) return names;
  const detail::Positions known(known_inputs());
  const std::unordered_set<std::string_view> used(used_.begin(), used_.end());
  for (const Column& column : result) {
    if (!known.has(column.name) || used.contains(column.name)) names.push_back(column.name);
  }
  return names;
}

const std::vector<std::string>& ColumnTransform::used() const {
  if (!is_fitted()) fail("used before a fit; fit it on the training rows");
  return used_;
}

std::string ColumnTransform::describe() const {
  const auto& known = is_fitted() ? used_ : columns_;
  if (!known.empty()) return type() + " " + detail::list_of(known);
  const auto kind = takes();
  return type() + " all " + (kind ? detail::name_of(*kind) + std::string(" columns") : "columns");
}

void ColumnTransform::choose(const Table<double>& training) {
  const auto kind = takes();
  const auto& columns = training.columns();
  std::vector<std::string> used;
  std::vector<std::size_t> known_positions;
  for (std::size_t j = 0; j < columns.size(); ++j) {
    if (!columns_.empty() || (kind && columns[j].kind != *kind)) continue;
    if (columns[j].name == training.target()) continue;
    used.push_back(columns[j].name);
    known_positions.push_back(j);
  }
  const detail::Positions positions(columns);
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : columns_) {
    if (!seen.insert(name).second) fail("column " + quoted(name) + " is named twice");
    const std::size_t j = positions.of(name);
    if (j == detail::no_column) {
      fail("there is no column " + quoted(name) + " in " + training.source() + "; there are " +
           detail::list_of(columns));
    }
    const Kind found = columns[j].kind;
    if (kind && found != *kind) {
      fail("column " + quoted(name) + " of " + training.source() + " is " + detail::name_of(found) +
           "; it takes " + detail::name_of(*kind) + " columns");
    }
    used.push_back(name);
    known_positions.push_back(j);
  }
  if (used.empty()) {
    fail(training.source() + " has no " + (kind ? detail::name_of(*kind) + std::string(" ") : "") +
         "column" + (training.target().empty() ? "" : " except the target"));
  }
  used_ = std::move(used);
  known_positions_ = std::move(known_positions);
}

void ColumnTransform::each_column(Fields& fields) {
  fields("columns", columns_);
  fields("used", used_);
  const detail::Positions positions(known_inputs());
  std::unordered_set<std::string_view> seen;
  known_positions_.clear();
  for (const std::string& name : used_) {
    fields.refuse_unless(seen.insert(name).second, "\"used\" has " + quoted(name) + " twice");
    const std::size_t j = positions.of(name);
    fields.refuse_unless(j != detail::no_column,
                         "\"used\" has " + quoted(name) + ", which is not a column of \"inputs\"");
    const Kind kind = known_inputs()[j].kind;
    fields.refuse_unless(kind == takes().value_or(kind),
                         "\"used\" has the " + std::string(detail::name_of(kind)) + " column " +
                             quoted(name) + ", which it cannot take");
    known_positions_.push_back(j);
  }
}

std::vector<ColumnTransform::Place> ColumnTransform::places(
    const std::vector<Column>& columns) const {
  const detail::Positions positions(columns);
  std::vector<Place> places;
  for (std::size_t i = 0; i < used_.size(); ++i) {
    const std::size_t j = positions.of(used_[i]);
    if (j != detail::no_column) places.push_back({i, j});
  }
  return places;
}

void ColumnTransform::fail_at(const std::string& column, std::int64_t row,
                              const std::string& what) const {
  fail("column " + quoted(column) + ", row " + std::to_string(row) + ": " + what);
}

}  // namespace ebb::inline v0::data
