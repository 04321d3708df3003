// SPDX-License-Identifier: BSD-3-Clause
// Columns of numbers on one scale. A missing value teaches nothing and stays missing.
#pragma once
#include <string>
#include <vector>

#include "ebb/data/transforms/column_transform.hpp"

namespace ebb::inline v0::data {

/// (x - center) / scale, column by column.
class EBB_API Scaler : public ColumnTransform {
 public:
  ~Scaler() override;
  /// What becomes 0, by the columns that are used.
  EBB_INLINE const std::vector<double>& center() const { return center_; }
  /// What becomes 1 more.
  EBB_INLINE const std::vector<double>& scale() const { return scale_; }

 protected:
  explicit Scaler(std::vector<std::string> columns);
  /// The values of one column that are there.
  virtual void learn_column(std::vector<double>& present, double& center, double& scale) const = 0;

  std::optional<Kind> takes() const override;
  void learn(const Table<double>& training) override;
  Table<double> apply(const Table<double>& table) const override;
  Table<double> undo(const Table<double>& transformed) const override;
  void each(Fields& fields) override;

 private:
  std::vector<double> center_, scale_;
};

struct StandardizeOptions {
  std::vector<std::string> columns = {};  ///< those to be scaled; without any, all numeric ones
};

/// Mean 0 and standard deviation 1 (population formula: divided by n). A constant column has scale
/// 1.
class EBB_API Standardize : public Scaler {
 public:
  explicit Standardize(StandardizeOptions options = {});
  std::string type() const override;

 private:
  void learn_column(std::vector<double>& present, double& center, double& scale) const override;
};

struct MinMaxOptions {
  std::vector<std::string> columns = {};  ///< those to be scaled; without any, all numeric ones
  double low = 0;                         ///< what the smallest training value becomes
  double high = 1;                        ///< and the largest
};

/// The range of the training rows onto [low, high]; values outside of it land outside. A constant
/// column becomes `low`.
class EBB_API MinMax : public Scaler {
 public:
  /// @throws ArgumentError unless low < high, both finite.
  explicit MinMax(MinMaxOptions options = {});
  std::string type() const override;

 private:
  void learn_column(std::vector<double>& present, double& center, double& scale) const override;
  Table<double> apply(const Table<double>& table) const override;
  Table<double> undo(const Table<double>& transformed) const override;
  void each(Fields& fields) override;

  double low_, high_;
};

struct RobustOptions {
  std::vector<std::string> columns = {};  ///< those to be scaled; without any, all numeric ones
  double lower = 0.25;                    ///< the quantiles whose distance is the scale
  double upper = 0.75;
};

/// Median 0 and interquartile range 1, which a few outliers do not move. A column whose quantiles
/// are equal has scale 1.
class EBB_API Robust : public Scaler {
 public:
  /// @throws ArgumentError unless 0 <= lower < upper <= 1.
  explicit Robust(RobustOptions options = {});
  std::string type() const override;

 private:
  void learn_column(std::vector<double>& present, double& center, double& scale) const override;
  void each(Fields& fields) override;

  double lower_, upper_;
};

}  // namespace ebb::inline v0::data
