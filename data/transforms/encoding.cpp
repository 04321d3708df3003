// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/encoding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <unordered_map>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/data/tables/column_values.hpp"
#include "ebb/data/tables/columns.hpp"

namespace ebb::inline v0::data {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t unseen = -2;

using Levels = std::vector<std::string>;

std::unordered_map<std::string_view, std::int64_t> positions(const Levels& levels) {
  std::unordered_map<std::string_view, std::int64_t> positions;
  for (const auto& level : levels) positions.emplace(level, std::int64_t(positions.size()));
  return positions;
}

/// The levels that occur in a row.
Levels levels_of(const Table<double>& table, std::size_t position) {
  const Levels& all = table.columns()[position].levels;
  std::vector<bool> is_there(all.size());
  for (const double code : detail::numbers_of(table, position)) {
    if (!std::isnan(code)) is_there[std::size_t(code)] = true;
  }
  Levels levels;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (is_there[i]) levels.push_back(all[i]);
  }
  return levels;
}

bool has_duplicates(const Levels& levels) {
  return std::set<std::string_view>(levels.begin(), levels.end()).size() != levels.size();
}

}  // namespace

Encoder::Encoder(std::vector<std::string> columns, Unknown unknown, Unknown missing,
                 std::map<std::string, Levels> levels)
    : ColumnTransform(std::move(columns)), unknown_(unknown), missing_(missing) {
  for (auto& [name, list] : levels) given_.push_back({name, Kind::categorical, std::move(list)});
}

Encoder::~Encoder() = default;
std::optional<Kind> Encoder::takes() const { return Kind::categorical; }

void Encoder::learn(const Table<double>& training) {
  choose(training);
  levels_.assign(chosen().size(), {});
  const auto at = positions(chosen());
  std::vector<bool> is_given(chosen().size());
  for (const Column& column : given_) {
    const auto found = at.find(column.name);
    if (found == at.end()) {
      fail("levels are given for " + detail::quoted(column.name) + ", which it does not encode");
    }
    if (has_duplicates(column.levels)) {
      fail("a level that is given for " + detail::quoted(column.name) + " occurs twice");
    }
    levels_[std::size_t(found->second)] = column.levels;
    is_given[std::size_t(found->second)] = true;
  }
  for (const Place& place : places(training.columns())) {
    if (!is_given[place.index]) levels_[place.index] = levels_of(training, place.position);
    slots_of(training, place);  // throws for values that it may not take
  }
}

bool Encoder::is_given(std::size_t index) const {
  return detail::position_of(given_, chosen()[index]) != detail::no_column;
}

bool Encoder::learns() const {
  for (std::size_t i = 0; i < chosen().size(); ++i) {
    if (!is_given(i)) return true;
  }
  return false;
}

void Encoder::each(Fields& fields) {
  each_column(fields);
  fields("given", given_);
  fields.choice("unknown", unknown_, {"error", "ignore", "level"});
  fields.choice("missing", missing_, {"error", "ignore", "level"});
  fields("levels", levels_);
  fields.refuse_unless(levels_.size() == chosen().size(),
                       "\"levels\" needs a list for each column of \"used\"");
  fields.refuse_unless(std::none_of(levels_.begin(), levels_.end(), has_duplicates),
                       "\"levels\" has a level twice");
}

std::int64_t Encoder::slot_count(std::size_t index) const {
  return std::int64_t(levels_[index].size()) + (unknown_ == Unknown::level) +
         (missing_ == Unknown::level);
}

std::vector<std::int64_t> Encoder::slots_of(const Table<double>& table, const Place& place) const {
  const Column& column = table.columns()[place.position];
  const Levels& levels = levels_[place.index];
  const auto known = positions(levels);
  std::vector<std::int64_t> slot_of_code;
  for (const std::string& level : column.levels) {
    const auto found = known.find(level);
    slot_of_code.push_back(found == known.end() ? unseen : found->second);
  }
  const auto count = std::int64_t(levels.size());
  const std::int64_t missing_slot = count + (unknown_ == Unknown::level);
  std::vector<std::int64_t> slots;
  slots.reserve(std::size_t(table.rows()));
  for (const double code : detail::numbers_of(table, place.position)) {
    const auto row = std::int64_t(slots.size());
    if (std::isnan(code)) {
      if (missing_ == Unknown::error) {
        fail_at(column.name, row,
                "the value is missing; impute it, or let `missing` be Unknown::ignore or level");
      }
      slots.push_back(missing_ == Unknown::level ? missing_slot : none);
      continue;
    }
    const std::int64_t slot = slot_of_code[std::size_t(code)];
    if (slot == unseen && unknown_ == Unknown::error) {
      fail_at(column.name, row,
              "the level " + detail::quoted(column.levels[std::size_t(code)]) +
                  " was not there at the fit, but " + detail::list_of(levels) +
                  "; let `unknown` be Unknown::ignore or level to take it");
    }
    slots.push_back(slot != unseen ? slot : unknown_ == Unknown::level ? count : none);
  }
  return slots;
}

Column Encoder::column_before(std::size_t index) const {
  Column column = known_column(index);
  const auto codes = positions(column.levels);
  Levels added;
  for (const std::string& level : levels_[index]) {
    if (!codes.contains(level)) added.push_back(level);
  }
  column.levels.insert(column.levels.end(), added.begin(), added.end());
  return column;
}

std::vector<double> Encoder::codes_before(std::size_t index) const {
  const Column column = column_before(index);
  const auto known = positions(column.levels);
  std::vector<double> codes(std::size_t(slot_count(index)), nan);
  for (std::size_t i = 0; i < levels_[index].size(); ++i) {
    codes[i] = double(known.at(levels_[index][i]));
  }
  return codes;
}

Ordinal::Ordinal(OrdinalOptions options)
    : Encoder(std::move(options.columns), options.unknown, options.missing,
              std::move(options.levels)) {}

std::string Ordinal::type() const { return "Ordinal"; }

Table<double> Ordinal::apply(const Table<double>& table) const {
  auto columns = table.columns();
  Array<double> values = table.values();
  double* const out = values.mutate();
  for (const Place& place : places(columns)) {
    double* value = out + place.position;
    for (const std::int64_t slot : slots_of(table, place)) {
      *value = slot == none ? nan : double(slot);
      value += columns.size();
    }
    columns[place.position] = {.name = columns[place.position].name};
  }
  return {std::move(columns), std::move(values), table.source()};
}

Table<double> Ordinal::undo(const Table<double>& transformed) const {
  auto columns = transformed.columns();
  Array<double> values = transformed.values();
  double* const out = values.mutate();
  for (const Place& place : places(columns)) {
    const auto codes = codes_before(place.index);
    double* value = out + place.position;
    for (std::int64_t i = 0; i < transformed.rows(); ++i, value += columns.size()) {
      if (std::isnan(*value)) continue;
      const double slot = std::round(*value);
      if (!(slot >= 0 && slot < double(codes.size()))) {
        fail_at(columns[place.position].name, i,
                detail::short_number(*value) + " is the code of no level; there are " +
                    std::to_string(codes.size()));
      }
      *value = codes[std::size_t(slot)];
    }
    columns[place.position] = column_before(place.index);
  }
  return {std::move(columns), std::move(values), transformed.source()};
}

}  // namespace ebb::inline v0::data
