// SPDX-License-Identifier: BSD-3-Clause
// Transforms of some columns.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ebb/data/transforms/transform.hpp"

namespace ebb::inline v0::data {

/// A transform of the columns that it is told, or of all that it can take. The others pass.
class EBB_API ColumnTransform : public Transform {
 public:
  ~ColumnTransform() override;
  /// The type, and the columns: "Standardize area, age".
  std::string describe() const override;
  /// The columns that it changes. @throws ArgumentError before a fit.
  const std::vector<std::string>& used() const;

 protected:
  /// No names: all columns of the kind that it takes.
  explicit ColumnTransform(std::vector<std::string> columns);
  /// The kind of columns that it takes; otherwise any.
  virtual std::optional<Kind> takes() const;
  std::vector<std::string> uses() const override;

  /// Finds the columns of these rows that will be changed; for `learn` to begin with.
  /// @throws ArgumentError for a column that is not there or of another kind, or if there is none.
  void choose(const Table<double>& training);
  /// The members of this class, for `each` to begin with.
  void each_column(Fields& fields);

  /// A column that is changed: its position among `used()`, and in the table.
  struct Place {
    std::size_t index, position;
  };
  /// Of those that are there.
  std::vector<Place> places(const std::vector<Column>& columns) const;
  /// A column as it was at the fit, by its position among `used()`.
  EBB_INLINE const Column& known_column(std::size_t index) const {
    return known_inputs()[known_positions_[index]];
  }
  /// Finds the columns of the fit during it, and while it is read from a file.
  EBB_INLINE const std::vector<std::string>& chosen() const { return used_; }
  /// `f(index, value)` in place of the values of the columns that are changed.
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
  /// "column "a", row 3: what", as an exception.
  [[noreturn]] void fail_at(const std::string& column, std::int64_t row,
                            const std::string& what) const;

 private:
  std::vector<std::string> columns_, used_;
  std::vector<std::size_t> known_positions_;  ///< of those used among the columns of the fit
};

}  // namespace ebb::inline v0::data
