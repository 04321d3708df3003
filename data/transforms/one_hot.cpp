// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <limits>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/number.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/data/tables/column_values.hpp"
#include "ebb/data/tables/columns.hpp"
#include "ebb/data/transforms/encoding.hpp"

namespace ebb::inline v0::data {

OneHot::OneHot(OneHotOptions options)
    : Encoder(std::move(options.columns), options.unknown, options.missing,
              std::move(options.levels)),
      drop_first_(options.drop_first),
      many_levels_(options.many_levels) {
  if (drop_first_ && (unknown() == Unknown::ignore || missing() == Unknown::ignore)) {
    fail(
        "with drop_first the first level is all zeros, as ignored values are; set unknown and "
        "missing to error or level");
  }
}

std::string OneHot::type() const { return "OneHot"; }

void OneHot::learn(const Table<double>& training) {
  constexpr std::int64_t few = 20;
  Encoder::learn(training);
  for (std::size_t i = 0; i < chosen().size() && !many_levels_; ++i) {
    const std::vector<std::string>& names = levels()[i];
    const auto count = std::int64_t(names.size());
    if (count <= few || 2 * count <= training.rows() || is_given(i)) continue;
    double ignored = 0;
    const auto text = std::find_if(names.begin(), names.end(), [&](const std::string& level) {
      return detail::spelled_number(level, ignored) != detail::Spelled::number;
    });
    fail("column " + detail::quoted(chosen()[i]) + " of " + training.source() + " has " +
         std::to_string(count) + " levels, as " +
         detail::quoted(text == names.end() ? names.front() : *text) + ", in " +
         detail::count_of(training.rows(), "row") +
         "; drop it, read it as Kind::numeric, or set OneHotOptions::many_levels");
  }
}

/// If the columns of all levels are there, each of them gives away the others, whoever chose them.
std::vector<std::string> OneHot::taken(const std::vector<Column>& result) const {
  if (!has_columns()) return ColumnTransform::taken(result);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < chosen().size() && !drop_first_; ++i) {
    for (std::string& name : names_of(i)) names.push_back(std::move(name));
  }
  return names;
}

void OneHot::each(Fields& fields) {
  fields("drop_first", drop_first_);
  Encoder::each(fields);
  fields.refuse_unless(
      !drop_first_ || (unknown() != Unknown::ignore && missing() != Unknown::ignore),
      "with \"drop_first\" nothing can be ignored");
}

/// The columns that `inverse` makes one column from.
struct OneHot::Source {
  std::size_t index;                   ///< the position in `used()`, or `no_column`
  std::vector<std::size_t> positions;  ///< the positions of its numbers in the table
};

/// The names of the columns of all categories, including the one that is left out.
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
  std::vector<std::size_t> starts;  // the position of each column of the table in the result
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
  const detail::Positions positions(from);
  const bool is_whole = from.size() == outputs().size();
  std::vector<std::size_t> index_of(known_inputs().size(), detail::no_column);
  for (const Place& place : places(known_inputs())) index_of[place.position] = place.index;

  std::vector<Column> columns;
  std::vector<Source> sources;
  for (std::size_t i = 0; i < index_of.size(); ++i) {
    const std::size_t k = index_of[i];
    if (k == detail::no_column) {
      const std::size_t j = positions.of(known_inputs()[i].name);
      if (j == detail::no_column) continue;
      columns.push_back(from[j]);
      sources.push_back({k, {j}});
      continue;
    }
    const auto names = names_of(k);
    std::vector<std::size_t> found;
    for (std::size_t n = first; n < names.size(); ++n) {
      const std::size_t j = positions.of(names[n]);
      if (j != detail::no_column) found.push_back(j);
    }
    // A column with no category, or with one that is left out, has no columns here. It is restored
    // only if all the others are there.
    if (found.empty() && !(names.size() <= first && is_whole)) continue;
    if (names.size() > first && found.size() + first != names.size()) {
      fail("inverse needs all columns of " + detail::quoted(chosen()[k]) + ": " +
           detail::list_of(names));
    }
    columns.push_back(column_before(k));
    sources.push_back({k, std::move(found)});
  }

  auto values = Array<double>::zeros({transformed.rows(), std::int64_t(columns.size())});
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const auto& [k, at] = sources[c];
    if (k == detail::no_column) {
      detail::copy_column(transformed, at[0], values, c);
    } else {
      decode(transformed, sources[c], values.mutate() + c, columns.size());
    }
  }
  return {std::move(columns), std::move(values), transformed.source()};
}

/// Writes the code of the largest number of each row above one half to every `step`-th element of
/// `out`.
void OneHot::decode(const Table<double>& from, const Source& source, double* out,
                    std::size_t step) const {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const auto codes = codes_before(source.index);
  const auto first = std::size_t(drop_first_);
  const double* row = from.values().data();
  for (std::int64_t i = 0; i < from.rows(); ++i, row += from.columns().size(), out += step) {
    *out = drop_first_ && !codes.empty() ? codes[0] : nan;
    double largest = 0.5;
    for (std::size_t p = 0; p < source.positions.size(); ++p) {
      const double x = row[source.positions[p]];
      if (std::isnan(x)) {
        *out = x;
        break;
      }
      if (!(x > largest)) continue;
      largest = x;
      *out = codes[p + first];
    }
  }
}

}  // namespace ebb::inline v0::data
