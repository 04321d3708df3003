// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <limits>

#include "ebb/autodiff/error.hpp"
#include "ebb/data/columns.hpp"
#include "ebb/data/encoding.hpp"
#include "ebb/data/text_file.hpp"

namespace ebb::inline v0::data {

OneHot::OneHot(OneHotOptions options)
    : Encoder(std::move(options.columns), options.unknown, options.missing,
              std::move(options.levels)),
      drop_first_(options.drop_first) {
  if (drop_first_ && (unknown() == Unknown::ignore || missing() == Unknown::ignore)) {
    fail(
        "what is ignored has zeros, and so has the first level with drop_first; let it be a "
        "level");
  }
}

std::string OneHot::type() const { return "OneHot"; }

void OneHot::each(Fields& fields) {
  fields("drop_first", drop_first_);
  Encoder::each(fields);
  fields.require(!drop_first_ || (unknown() != Unknown::ignore && missing() != Unknown::ignore),
                 "with \"drop_first\" nothing can be ignored");
}

/// The columns of all categories, the one that is left out among them.
std::vector<std::string> OneHot::names_of(std::size_t index) const {
  const std::string& name = chosen()[index];
  std::size_t bytes = 0;
  for (const std::string& level : levels()[index]) bytes += name.size() + level.size();
  if (bytes > detail::most_name_bytes) {
    fail("the names of the columns of " + detail::quoted(name) + " would take more than 64 MB");
  }
  std::vector<std::string> names;
  for (const std::string& level : levels()[index]) names.push_back(name + "=" + level);
  if (unknown() == Unknown::level) names.push_back(name + "=(unknown)");
  if (missing() == Unknown::level) names.push_back(name + "=(missing)");
  return names;
}

Table<double> OneHot::apply(const Table<double>& table) const {
  const auto at = places(table.columns());
  const auto first = std::size_t(drop_first_);
  std::vector<Column> columns;
  std::vector<std::size_t> starts;  // where each column of the table goes
  std::vector<const Place*> places_of(table.columns().size());
  for (const Place& place : at) places_of[place.position] = &place;
  for (std::size_t j = 0; j < places_of.size(); ++j) {
    starts.push_back(columns.size());
    if (places_of[j] == nullptr) {
      columns.push_back(table.columns()[j]);
      continue;
    }
    const auto names = names_of(places_of[j]->index);
    for (std::size_t k = first; k < names.size(); ++k) columns.push_back({.name = names[k]});
  }
  auto values = Array<double>::zeros({table.rows(), std::int64_t(columns.size())});
  for (std::size_t j = 0; j < places_of.size(); ++j) {
    if (places_of[j] == nullptr) {
      detail::copy_column(table, j, values, starts[j]);
      continue;
    }
    double* row = values.mutate() + starts[j];
    for (const std::int64_t slot : slots_of(table, *places_of[j])) {
      if (slot >= std::int64_t(first)) row[slot - std::int64_t(first)] = 1;
      row += columns.size();
    }
  }
  return {std::move(columns), std::move(values), table.source()};
}

Table<double> OneHot::undo(const Table<double>& transformed) const {
  const auto& from = transformed.columns();
  const auto first = std::size_t(drop_first_);
  constexpr std::size_t untouched = ~std::size_t(0);
  std::vector<std::size_t> owner(from.size(), untouched);  // which encoded column it belongs to
  std::vector<std::vector<std::size_t>> positions(chosen().size());
  for (std::size_t k = 0; k < chosen().size(); ++k) {
    const auto names = names_of(k);
    for (std::size_t i = first; i < names.size(); ++i) {
      const std::size_t j = detail::position_of(from, names[i]);
      if (j == detail::no_column) continue;
      owner[j] = k;
      positions[k].push_back(j);
    }
    if (!positions[k].empty() && positions[k].size() + first != names.size()) {
      fail("inverse needs all columns of " + detail::quoted(chosen()[k]) + ": " +
           detail::list_of(names));
    }
  }
  std::vector<Column> columns;
  std::vector<std::size_t> sources;
  for (std::size_t j = 0; j < from.size(); ++j) {
    if (owner[j] != untouched && positions[owner[j]].front() != j) continue;
    sources.push_back(j);
    columns.push_back(owner[j] == untouched ? from[j] : column_before(owner[j]));
  }
  auto values = Array<double>::zeros({transformed.rows(), std::int64_t(columns.size())});
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const std::size_t k = owner[sources[c]];
    if (k == untouched) {
      detail::copy_column(transformed, sources[c], values, c);
      continue;
    }
    const auto codes = codes_before(k);
    const double* row = transformed.values().data();
    double* out = values.mutate() + c;
    for (std::int64_t i = 0; i < transformed.rows(); ++i, row += from.size()) {
      *out = drop_first_ ? codes[0] : std::numeric_limits<double>::quiet_NaN();
      double largest = 0.5;
      for (std::size_t p = 0; p < positions[k].size(); ++p) {
        if (std::isnan(row[positions[k][p]])) {
          *out = row[positions[k][p]];
          break;
        }
        if (!(row[positions[k][p]] > largest)) continue;
        largest = row[positions[k][p]];
        *out = codes[p + first];
      }
      out += columns.size();
    }
  }
  return {std::move(columns), std::move(values), transformed.source()};
}

}  // namespace ebb::inline v0::data
