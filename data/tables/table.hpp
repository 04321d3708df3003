// SPDX-License-Identifier: BSD-3-Clause
// Tables: rows of named, typed columns.
#pragma once
#include <cstdint>
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

/// Features and what is to be predicted from them. Destructures: `auto [x, y, features] = ...`.
template <Real T>
struct Supervised {
  Array<T> x;                         ///< (n, d)
  Array<T> y;                         ///< (n, 1)
  std::vector<std::string> features;  ///< the names of the d columns of x
};

/// What `Table::describe` knows of one column; NaN where the values present do not suffice.
struct ColumnDescription {
  std::string name;
  Kind kind = Kind::numeric;
  std::int64_t count = 0;    ///< of the values present
  std::int64_t missing = 0;  ///< of the others

  double mean = 0;            ///< of a numeric column, as all up to `maximum`
  double sd = 0;              ///< standard deviation, divided by count - 1
  double minimum = 0;         ///< the smallest value
  double lower_quartile = 0;  ///< interpolated linearly at position (count - 1) / 4, as NumPy does
  double median = 0;          ///< at (count - 1) / 2
  double upper_quartile = 0;  ///< at 3 (count - 1) / 4
  double maximum = 0;         ///< the largest value

  std::int64_t levels = 0;         ///< of a categorical column: how many there are
  std::string most_frequent = {};  ///< the level that stands most often, the first of several
  std::int64_t frequency = 0;      ///< how often
};

/// One line a column. Prints as two tables, of the numeric columns and of the categorical ones.
struct Description {
  std::int64_t rows = 0;
  std::vector<ColumnDescription> columns = {};
};
EBB_API std::ostream& operator<<(std::ostream& out, const Description& description);

namespace detail {
struct TableAccess;
}

/// Rows of named, typed columns: one row-major array in which NaN is a missing value and a category
/// is the position of its level. A table is a value; tables made from it share nothing with it, but
/// remember what its rows are for.
template <Real T>
class EBB_API Table {
 public:
  /// `source` is the name that errors start with. @throws ShapeError unless the values are (rows,
  /// columns); ArgumentError for a name or a level that is there twice, a name of no characters,
  /// and a category that is no position of a level.
  Table(std::vector<Column> columns, Array<T> values, std::string source = "table");

  /// Names and types, from left to right.
  const std::vector<Column>& columns() const;
  std::vector<std::string> names() const;
  /// All columns: (rows, columns).
  EBB_INLINE const Array<T>& values() const { return values_; }
  EBB_INLINE std::int64_t rows() const { return values_.shape()[0]; }
  /// The name that errors start with: of the file that was read.
  const std::string& source() const;

  /// What the rows are for, as `split` or `with_role` said it. What is made from a table keeps it.
  Role role() const;
  /// The same rows for that purpose, whatever was said before: for files that hold only such rows,
  /// and to learn from all of a table in the end. They remember where they come from, so that
  /// what was fitted on them is not applied to them as held-out rows; `Role::unspecified` makes
  /// them forget it.
  Table with_role(Role role) const;

  // Each of these throws FileError, which lists the columns, for a name that there is not.

  /// One column: (rows, 1).
  Array<T> column(std::string_view name) const;
  /// The level of a category; "" where it is missing. @throws ArgumentError for a row outside of
  /// the table and a column of numbers.
  std::string level(std::int64_t row, std::string_view name) const;
  /// These columns, in this order.
  Table select(const std::vector<std::string>& names) const;
  /// All columns but these.
  Table drop(const std::vector<std::string>& names) const;
  /// Numbers (rows, 1) as a further column, or in place of the one that has this name.
  /// @throws ShapeError for another shape.
  Table with(std::string name, const Array<T>& numbers) const;
  /// The first rows, or all if there are fewer. @throws ArgumentError for a negative number.
  Table head(std::int64_t count = 5) const;
  /// The rows with these indices, in their order. @throws ArgumentError for one outside.
  Table rows(std::span<const std::int64_t> indices) const;

  /// Counts, moments and quantiles of every column, in double.
  Description describe() const;
  /// Takes one column out of the others. @throws ArgumentError for missing values and categories,
  /// which no model can take: it names the column and what makes numbers of them.
  Supervised<T> split_target(std::string_view name) const;

 private:
  std::size_t find(std::string_view name) const;
  std::vector<std::size_t> find_all(const std::vector<std::string>& names) const;
  Array<T> gather(std::span<const std::size_t> positions) const;
  Table gather_table(std::span<const std::size_t> positions) const;
  void check_complete() const;
  Table keep_provenance(Table made) const;
  friend struct detail::TableAccess;

  std::vector<Column> columns_;
  Array<T> values_;
  std::string source_;
  detail::Provenance provenance_;
};

/// The first rows under the names of the columns, as far as they are readable side by side, and the
/// size of the whole.
template <Real T>
EBB_API std::ostream& operator<<(std::ostream& out, const Table<T>& table);

namespace detail {

/// The history of a table's rows, for those who split and transform them.
struct TableAccess {
  template <Real T>
  static const Provenance& provenance(const Table<T>& table) {
    return table.provenance_;
  }
  template <Real T>
  static Table<T> with(Table<T> table, Provenance provenance) {
    table.provenance_ = std::move(provenance);
    return table;
  }
};

}  // namespace detail

}  // namespace ebb::inline v0::data
