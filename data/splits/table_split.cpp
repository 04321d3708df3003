// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/splits/table_split.hpp"

#include <initializer_list>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::data {
namespace {

struct NamedRows {
  const char* name;
  const Rows& rows;
};

template <class T>
void check(const Table<T>& table, std::initializer_list<NamedRows> parts) {
  const std::string& by = detail::TableAccess::provenance(table).learned_by;
  if (!by.empty()) {
    throw ArgumentError("split: the rows of " + table.source() + " went through " + by +
                        ", which was fitted on them, so that each part contains information about "
                        "the others; split "
                        "first, then fit on the training part");
  }
  std::vector<const char*> part_of(std::size_t(table.rows()));
  for (const auto& [name, rows] : parts) {
    for (const std::int64_t row : rows) {
      if (row < 0 || row >= table.rows()) {
        throw ArgumentError("split: row " + std::to_string(row) + " of " + table.source() +
                            ", which has " + std::to_string(table.rows()));
      }
      const char*& part = part_of[std::size_t(row)];
      if (part != nullptr && part != name) {
        throw ArgumentError("split: row " + std::to_string(row) + " of " + table.source() +
                            " is in " + part + " and in " + name);
      }
      part = name;
    }
  }
}

/// A hash of the rows and parts of a split.
std::uint64_t identity_of(std::initializer_list<NamedRows> parts) {
  detail::Identity identity;
  for (const auto& [name, rows] : parts) {
    identity.add(rows.size());
    for (const std::int64_t row : rows) identity.add(std::uint64_t(row));
  }
  return identity.value();
}

template <class T>
Table<T> part_of(const Table<T>& table, const Rows& rows, detail::Provenance::Part part,
                 Role role) {
  auto provenance = detail::TableAccess::provenance(table).part(part, role, rows);
  return detail::TableAccess::with(table.rows(rows), std::move(provenance));
}

}  // namespace

template <Real T>
TableParts<T> split(const Table<T>& table, const Parts& parts) {
  const std::initializer_list<NamedRows> all = {
      {"train", parts.train}, {"validation", parts.validation}, {"test", parts.test}};
  check(table, all);
  const std::uint64_t identity = identity_of(all);
  return {part_of(table, parts.train, {identity, 0}, Role::training),
          part_of(table, parts.validation, {identity, 1}, Role::held_out),
          part_of(table, parts.test, {identity, 2}, Role::held_out)};
}
EBB_OVERLOAD_FOR_REALS(split, TableParts<T>(const Table<T>&, const Parts&))

template <Real T>
TableFold<T> split(const Table<T>& table, const Fold& fold) {
  const std::initializer_list<NamedRows> all = {{"train", fold.train}, {"test", fold.test}};
  check(table, all);
  const std::uint64_t identity = identity_of(all);
  return {part_of(table, fold.train, {identity, 0}, Role::training),
          part_of(table, fold.test, {identity, 1}, Role::held_out)};
}
EBB_OVERLOAD_FOR_REALS(split, TableFold<T>(const Table<T>&, const Fold&))

template <Real T>
TableParts<T> split_by_time(const Table<T>& table, std::string_view time,
                            TimePartsOptions options) {
  const Array<T> column = table.column(time);
  const std::vector<double> times(column.data(), column.data() + column.size());
  return split(table, split_by_time(times, options));
}
EBB_OVERLOAD_FOR_REALS(split_by_time,
                       TableParts<T>(const Table<T>&, std::string_view, TimePartsOptions))

}  // namespace ebb::inline v0::data
