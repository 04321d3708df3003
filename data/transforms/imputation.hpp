// SPDX-License-Identifier: BSD-3-Clause
// Replacing missing values.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ebb/data/transforms/column_transform.hpp"

namespace ebb::inline v0::data {

/// The value that replaces a missing value.
enum class Strategy : std::uint8_t {
  mean,           ///< the mean of the present training values
  median,         ///< the median of the present training values
  most_frequent,  ///< the most frequent number or level; of equally frequent ones the smallest
                  ///< number, the first level
  constant        ///< a given number or level
};

struct ImputeOptions {
  /// The columns to fill. Empty: all numeric columns; with most_frequent, or a constant with a
  /// level, all columns.
  std::vector<std::string> columns = {};
  Strategy strategy = Strategy::mean;
  double constant = 0;     ///< the number for Strategy::constant
  std::string level = {};  ///< the level for Strategy::constant in categorical columns
  /// Appends a column "age_missing" for each filled column, 1 where it was filled and else 0. With
  /// it `inverse` can restore the missing values.
  bool mark = false;
};

/// Replaces missing values by values computed from the training rows.
class EBB_API Impute : public ColumnTransform {
 public:
  /// @throws ArgumentError for a constant that is not finite.
  explicit Impute(ImputeOptions options = {});
  std::string type() const override;
  std::string describe() const override;
  /// The number that fills each used column, in the order of `used()`; NaN for categorical columns.
  EBB_INLINE const std::vector<double>& numbers() const { return numbers_; }
  /// The level that fills each used column, in the order of `used()`; "" for numeric columns.
  EBB_INLINE const std::vector<std::string>& levels() const { return levels_; }

 private:
  std::optional<Kind> takes() const override;
  void learn(const Table<double>& training) override;
  Table<double> apply(const Table<double>& table) const override;
  Table<double> undo(const Table<double>& transformed) const override;
  void each(Fields& fields) override;
  bool learns() const override;
  void learn_numbers(const Table<double>& training, const Place& place);
  void learn_level(const Table<double>& training, const Place& place);

  Strategy strategy_;
  double constant_;
  std::string level_;
  bool mark_;
  std::vector<double> numbers_;
  std::vector<std::string> levels_;
};

}  // namespace ebb::inline v0::data
