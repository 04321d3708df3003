// SPDX-License-Identifier: BSD-3-Clause
// Something in the place of what is missing.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ebb/data/transforms/column_transform.hpp"

namespace ebb::inline v0::data {

/// What stands in for a missing value.
enum class Strategy : std::uint8_t {
  mean,           ///< of the training values that are there
  median,         ///< of them
  most_frequent,  ///< number, the smallest of several; or level, the first of several
  constant        ///< number or level, as the options say
};

struct ImputeOptions {
  /// Those to be filled. Without any: all numeric ones; all, with the most frequent and with a
  /// constant that has a level.
  std::vector<std::string> columns = {};
  Strategy strategy = Strategy::mean;
  double constant = 0;     ///< for Strategy::constant
  std::string level = {};  ///< the same for categories
  /// Adds a column "age_missing" for each that is filled, behind the others: 1 where it was filled.
  /// With it the way back is known.
  bool mark = false;
};

/// Fills in what is missing by the training rows.
class EBB_API Impute : public ColumnTransform {
 public:
  /// @throws ArgumentError for a constant that is not finite.
  explicit Impute(ImputeOptions options = {});
  std::string type() const override;
  std::string describe() const override;
  /// What numbers are filled in, by the columns that are used; NaN for categories.
  EBB_INLINE const std::vector<double>& numbers() const { return numbers_; }
  /// The same for categories; "" for numbers.
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
