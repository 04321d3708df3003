// SPDX-License-Identifier: BSD-3-Clause
// Numeric columns on one scale. Missing values are not counted and stay missing.
#pragma once
#include <string>
#include <vector>

#include "ebb/data/transforms/column_transform.hpp"

namespace ebb::inline v0::data {

/// Base of the scalers: (x - center) / scale, column by column.
class EBB_API Scaler : public ColumnTransform {
 public:
  ~Scaler() override;
  /// The center of each used column, in the order of `used()`.
  EBB_INLINE const std::vector<double>& center() const { return center_; }
  /// The scale of each used column, in the order of `used()`.
  EBB_INLINE const std::vector<double>& scale() const { return scale_; }

 protected:
  explicit Scaler(std::vector<std::string> columns);
  /// Computes center and scale from the values of one column that are not missing.
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
  std::vector<std::string> columns = {};  ///< the columns to scale; empty: all numeric columns
};

/// Scales each column to mean 0 and standard deviation 1 (population formula: the variance is
/// divided by n). A constant column has scale 1.
class EBB_API Standardize : public Scaler {
 public:
  explicit Standardize(StandardizeOptions options = {});
  std::string type() const override;

 private:
  void learn_column(std::vector<double>& present, double& center, double& scale) const override;
};

struct MinMaxOptions {
  std::vector<std::string> columns = {};  ///< the columns to scale; empty: all numeric columns
  double low = 0;                         ///< the result of the smallest training value
  double high = 1;                        ///< the result of the largest training value
};

/// Maps the range of the training rows to [low, high]. Other rows may have values outside of it. A
/// constant column becomes `low`.
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
  std::vector<std::string> columns = {};  ///< the columns to scale; empty: all numeric columns
  double lower = 0.25;  ///< the scale is the distance of the quantiles `lower` and `upper`
  double upper = 0.75;
};

/// Scales each column to median 0 and interquartile range 1, which a few outliers do not change. A
/// column whose quantiles are equal has scale 1.
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
