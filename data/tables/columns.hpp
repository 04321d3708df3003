// SPDX-License-Identifier: BSD-3-Clause
// Finding columns by name, for messages and transforms.
#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ebb/data/tables/column.hpp"

namespace ebb::inline v0::data::detail {

/// The most bytes that the names of the columns made by a transform may take: without a limit, a
/// small file with few long names and many levels could ask for any amount of memory.
constexpr std::size_t most_name_bytes = 64 << 20;

constexpr std::size_t no_column = ~std::size_t(0);

/// The position of the column with this name, or `no_column`.
std::size_t position_of(const std::vector<Column>& columns, std::string_view name);

/// Finds many columns by name. The names must not move while it is used.
class Positions {
 public:
  explicit Positions(const std::vector<Column>& columns);
  std::size_t of(std::string_view name) const;
  bool has(std::string_view name) const { return of(name) != no_column; }

 private:
  std::unordered_map<std::string_view, std::size_t> positions_;
};

/// The names of the columns for a message; only the first of very many.
std::string list_of(const std::vector<Column>& columns);
std::string list_of(const std::vector<std::string>& names);
/// "numeric", "categorical"
const char* name_of(Kind kind);

/// A number with six digits, for a message.
std::string short_number(double number);

}  // namespace ebb::inline v0::data::detail
