// SPDX-License-Identifier: BSD-3-Clause
// Tables: rows of named, typed columns.
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/autodiff/values/operand.hpp"
#include "ebb/data/tables/column.hpp"
#include "ebb/data/tables/provenance.hpp"

namespace ebb::inline v0::data {

/// Features, and the target to predict from them. Destructures: `auto [x, y, features] = ...`.
template <Real T>
struct Supervised {
  Array<T> x;                         ///< (n, d)
  Array<T> y;                         ///< (n, 1)
  std::vector<std::string> features;  ///< the names of the d columns of x
};

/// The statistics of one column that `Table::describe` computes; NaN if there are too few values.
struct ColumnDescription {
  std::string name;
  Kind kind = Kind::numeric;
  std::int64_t count = 0;    ///< the number of values that are present
  std::int64_t missing = 0;  ///< the number of values that are missing

  double mean = 0;            ///< mean to maximum are of a numeric column
  double sd = 0;              ///< standard deviation; the variance is divided by count - 1
  double minimum = 0;         ///< the smallest value
  double lower_quartile = 0;  ///< interpolated linearly at position (count - 1) / 4, as NumPy does
  double median = 0;          ///< interpolated at position (count - 1) / 2
  double upper_quartile = 0;  ///< interpolated at position 3 (count - 1) / 4
  double maximum = 0;         ///< the largest value

  std::int64_t levels = 0;         ///< the number of levels of a categorical column
  std::string most_frequent = {};  ///< the most frequent level; of equally frequent ones the first
  std::int64_t frequency = 0;      ///< the number of rows of the most frequent level
};

/// The statistics of all columns. Prints as two tables, one for numeric and one for categorical
/// columns.
struct Description {
  std::int64_t rows = 0;
  std::vector<ColumnDescription> columns = {};
};
EBB_API std::ostream& operator<<(std::ostream& out, const Description& description);

struct SortOptions {
  bool descending = false;  ///< the largest value first
};

namespace detail {
struct TableAccess;
}

/// Rows of named, typed columns: one row-major array in which NaN is a missing value and a category
/// is the position of its level. A table is a value: tables made from it share no data with it, but
/// keep the purpose and the origin of its rows, and the name of its target.
template <Real T>
class EBB_API Table {
 public:
  /// `source` is the name that error messages start with.
  /// @throws ShapeError unless the values are (rows, columns); ArgumentError for two equal names or
  /// levels, an empty name, and a category that is not the position of a level.
  Table(std::vector<Column> columns, Array<T> values, std::string source = "table");

  /// The columns, from left to right.
  const std::vector<Column>& columns() const;
  std::vector<std::string> names() const;
  /// The values of all columns: (rows, columns).
  EBB_INLINE const Array<T>& values() const { return values_; }
  EBB_INLINE std::int64_t rows() const { return values_.shape()[0]; }
  /// The name that error messages start with, such as that of the file that was read.
  const std::string& source() const;

  /// The purpose of the rows, as `split` or `with_role` set it. Tables made from this one keep it.
  Role role() const;
  /// The rows with another role, which replaces the present one: for files that hold only training
  /// or only held-out rows, and to train on all rows of a table in the end. The rows keep their
  /// origin, so that a transform that was fitted on them is still refused if they become held-out
  /// rows; `Role::unspecified` clears the origin.
  Table with_role(Role role) const;

  /// A table of these rows with one column named as the one to predict. Transforms that choose
  /// their columns by themselves leave it alone. Tables made from this one keep it.
  /// @throws ArgumentError, which lists the columns, for a name that no column has.
  Table with_target(std::string_view name) const;
  /// The column to predict, as `with_target` named it; "" without one.
  const std::string& target() const;

  /// The values of one column: (rows, 1).
  /// @throws ArgumentError, which lists the columns, for a name that no column has.
  Array<T> column(std::string_view name) const;
  /// The values of one column as labels, (rows,): the positions of the levels of a category, or
  /// integers.
  /// @throws ArgumentError for a name that no column has, for a missing value, and for a number
  /// that is not an integer.
  Array<std::int64_t> labels(std::string_view name) const;
  /// The level of a category; "" if it is missing.
  /// @throws ArgumentError for a row outside of the table, a numeric column, and a name that no
  /// column has.
  std::string level(std::int64_t row, std::string_view name) const;
  /// The levels of a categorical column, by their codes; none of a numeric column.
  /// @throws ArgumentError, which lists the columns, for a name that no column has.
  const std::vector<std::string>& levels(std::string_view name) const;
  /// The columns with these names, in this order.
  /// @throws ArgumentError, which lists the columns, for a name that no column has.
  Table select(const std::vector<std::string>& names) const;
  /// All columns except those with these names.
  /// @throws ArgumentError, which lists the columns, for a name that no column has.
  Table drop(const std::vector<std::string>& names) const;
  /// Appends a column of numbers (rows, 1), or replaces the column of this name.
  /// @throws ShapeError for another shape.
  Table with(std::string name, const Array<T>& numbers) const;
  /// Appends a column of categories, one text a row, or replaces the column of this name. "" is a
  /// missing value. The levels are the texts, sorted by their bytes, or those that are given.
  /// @throws ShapeError for another number of texts; ArgumentError for a text that is not among the
  /// levels that are given.
  Table with(std::string name, const std::vector<std::string>& texts,
             std::vector<std::string> levels = {}) const;
  /// A table with another name of one column.
  /// @throws ArgumentError, which lists the columns, for a name that no column has, and for a new
  /// name that another column has.
  Table rename(std::string_view from, std::string to) const;
  /// The first rows, or all if there are fewer.
  /// @throws ArgumentError for a negative count.
  Table head(std::int64_t count = 5) const;
  /// The rows with these indices, in their order.
  /// @throws ArgumentError for an index outside of the table.
  Table rows(std::span<const std::int64_t> indices) const;
  /// The rows for which a mask (rows) or (rows, 1) is true, such as `table.column("age") > 18`.
  /// @throws ShapeError for a mask of another shape.
  Table filter(const Array<bool>& mask) const;
  /// The rows for whose numbers, from 0, a function returns true.
  Table filter(const std::function<bool(std::int64_t row)>& keep) const;
  /// The rows in the order of one column, categories in that of their levels. Equal values keep
  /// their order, and missing ones come last.
  /// @throws ArgumentError, which lists the columns, for a name that no column has.
  Table sort(std::string_view name, SortOptions options = {}) const;

  /// The counts, moments and quantiles of every column, in double.
  Description describe() const;
  /// Separates the column to predict from the others. A categorical one becomes the positions of
  /// its levels, so that of two levels, as in `levels(name)`, the first is 0 and the second 1.
  /// @throws ArgumentError for a name that no column has; for a column that a transform took
  /// without being told to, or that is one of several made from one; and for missing values and
  /// categories among the others, which no model can take: it names the column and a transform that
  /// makes numbers of it.
  Supervised<T> split_target(std::string_view name) const;
  /// Separates the column that `with_target` named.
  /// @throws ArgumentError without one, and as `split_target(name)`.
  Supervised<T> split_target() const;

 private:
  std::size_t find(std::string_view name) const;
  std::vector<std::size_t> find_all(const std::vector<std::string>& names) const;
  Array<T> gather(std::span<const std::size_t> positions) const;
  Table put(Column column, const Array<T>& values) const;
  Table gather_table(std::span<const std::size_t> positions) const;
  void check_complete(std::size_t target) const;
  void check_target(std::size_t target) const;
  Table keep_provenance(Table made) const;
  friend struct detail::TableAccess;

  std::vector<Column> columns_;
  Array<T> values_;
  std::string source_;
  detail::Provenance provenance_;
};

/// The rows of several tables, one table after the other. All have the columns of the first, in any
/// order, and each column is of one kind. The levels of a category are those of the first table,
/// and then the others, sorted by their bytes. Tables of one origin, such as parts of a split, keep
/// it. The result is held out if any table is, and has the target of the first.
/// @throws ArgumentError, which names the table and the column, for a column that only some tables
/// have or that is of different kinds; and without a table.
template <Real T>
EBB_API Table<T> concat(const std::vector<Table<T>>& tables);
/// The rows of several tables, as in `concat({first, second})`.
/// @throws ArgumentError as `concat(tables)`.
template <Real T>
EBB_INLINE Table<T> concat(std::initializer_list<Table<T>> tables) {
  return concat(std::vector<Table<T>>(tables));
}

/// Prints the first rows under the names of the columns, as many columns as are readable side by
/// side, and the size of the table.
template <Real T>
EBB_API std::ostream& operator<<(std::ostream& out, const Table<T>& table);

namespace detail {

/// The origin of a table's rows, for the functions that split and transform tables.
struct TableAccess {
  template <Real T>
  static const Provenance& provenance(const Table<T>& table) {
    return table.provenance_;
  }
  template <Real T>
  static Table<T> with(Table<T> table, Provenance provenance) {
    const auto is_target = [&](const Column& c) { return c.name == provenance.target; };
    if (std::none_of(table.columns_.begin(), table.columns_.end(), is_target)) {
      provenance.target.clear();
    }
    table.provenance_ = std::move(provenance);
    return table;
  }
};

}  // namespace detail

}  // namespace ebb::inline v0::data
