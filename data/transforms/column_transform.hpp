// SPDX-License-Identifier: BSD-3-Clause
// Transforms that change some columns.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ebb/data/transforms/transform.hpp"

namespace ebb::inline v0::data {

/// Base of the transforms that change some columns: those in the options, or all that they can take
/// except the target of the table, which `Table::with_target` names. The other columns are
/// unchanged.
class EBB_API ColumnTransform : public Transform {
 public:
  ~ColumnTransform() override;
  /// The type and the columns, such as "Standardize area, age".
  std::string describe() const override;
  /// The names of the columns that the transform changes.
  /// @throws ArgumentError before a fit.
  const std::vector<std::string>& used() const;

 protected:
  /// An empty list selects all columns of the kind that the transform takes, except the target.
  explicit ColumnTransform(std::vector<std::string> columns);
  /// The kind of column that the transform takes; any, unless overridden.
  virtual std::optional<Kind> takes() const;
  std::vector<std::string> uses() const override;
  std::vector<std::string> taken(const std::vector<Column>& result) const override;
  /// True if the options name the columns.
  EBB_INLINE bool has_columns() const { return !columns_.empty(); }

  /// Finds the columns to change. Call it first in `learn`.
  /// @throws ArgumentError for a column that does not exist or is of another kind, and if there is
  /// no column to change.
  void choose(const Table<double>& training);
  /// Visits the members of this class. Call it first in `each`.
  void each_column(Fields& fields);

  /// A column to change: its position in `used()`, and in the table.
  struct Place {
    std::size_t index, position;
  };
  /// The columns of a table to change; those that the table lacks are left out.
  std::vector<Place> places(const std::vector<Column>& columns) const;
  /// A column as it was at the fit, by its position in `used()`.
  EBB_INLINE const Column& known_column(std::size_t index) const {
    return known_inputs()[known_positions_[index]];
  }
  /// The names of the columns to change. Unlike `used()` it may be called during the fit, and while
  /// the transform is read from a file.
  EBB_INLINE const std::vector<std::string>& chosen() const { return used_; }
  /// Replaces each value of the columns to change by `f(index, value)`.
  template <class F>
  EBB_INLINE Table<double> map(const Table<double>& table, F f) const {
    const auto at = places(table.columns());
    Array<double> values = table.values();
    double* row = values.mutate();
    for (std::int64_t i = 0; i < table.rows(); ++i, row += table.columns().size()) {
      for (const Place& place : at) row[place.position] = f(place.index, row[place.position]);
    }
    return Table<double>(table.columns(), std::move(values), table.source());
  }
  /// Throws ArgumentError with the message "column "a", row 3: what".
  [[noreturn]] void fail_at(const std::string& column, std::int64_t row,
                            const std::string& what) const;

 private:
  std::vector<std::string> columns_, used_;
  std::vector<std::size_t> known_positions_;  ///< of `used_` in the columns of the fit
};

}  // namespace ebb::inline v0::data
