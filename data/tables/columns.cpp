// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/tables/columns.hpp"

#include <algorithm>
#include <charconv>
#include <functional>

#include "ebb/data/files/binary_file.hpp"

namespace ebb::inline v0::data::detail {

std::size_t position_of(const std::vector<Column>& columns, std::string_view name) {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const Column& column) { return column.name == name; });
  return found == columns.end() ? no_column : std::size_t(found - columns.begin());
}

Positions::Positions(const std::vector<Column>& columns) {
  positions_.reserve(columns.size());
  for (std::size_t j = 0; j < columns.size(); ++j) positions_.emplace(columns[j].name, j);
}

std::size_t Positions::of(std::string_view name) const {
  const auto found = positions_.find(name);
  return found == positions_.end() ? no_column : found->second;
}

std::string list_of(const std::vector<Column>& columns) { return list_of(columns, &Column::name); }

std::string list_of(const std::vector<std::string>& names) {
  return list_of(names, std::identity());
}

const char* name_of(Kind kind) { return kind == Kind::numeric ? "numeric" : "categorical"; }

std::string short_number(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::general, 6);
  return {text, end.ptr};
}

}  // namespace ebb::inline v0::data::detail
