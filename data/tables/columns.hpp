// SPDX-License-Identifier: BSD-3-Clause
// Columns by name, for messages and for transforms.
#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ebb/data/tables/column.hpp"

namespace ebb::inline v0::data::detail {

/// What the names of the columns that a transform makes may take, in bytes: a file of few names and
/// many levels could ask for any amount.
constexpr std::size_t most_name_bytes = 64 << 20;

constexpr std::size_t no_column = ~std::size_t(0);

/// Where the column of this name stands, or `no_column`.
std::size_t position_of(const std::vector<Column>& columns, std::string_view name);

/// The same for many names of columns that stay where they are meanwhile.
class Positions {
 public:
  explicit Positions(const std::vector<Column>& columns);
  std::size_t of(std::string_view name) const;
  bool has(std::string_view name) const { return of(name) != no_column; }

 private:
  std::unordered_map<std::string_view, std::size_t> positions_;
};

/// The names of all columns, for a message; a few hundred would help nobody.
std::string list_of(const std::vector<Column>& columns);
std::string list_of(const std::vector<std::string>& names);
/// "numeric", "categorical"
const char* name_of(Kind kind);

/// A number in six digits, for a message.
std::string short_number(double number);

}  // namespace ebb::inline v0::data::detail
