// SPDX-License-Identifier: BSD-3-Clause
// New features computed from columns by a formula, which learns only the names of the columns.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ebb/data/transforms/column_transform.hpp"

namespace ebb::inline v0::data {

struct LogOptions {
  std::vector<std::string> columns = {};  ///< the columns to change; empty: all numeric columns
  double offset = 1;                      ///< added to x before the logarithm
};

/// Replaces x by log(x + offset); with offset 1 by log1p(x), which keeps the digits of small x. A
/// missing value stays missing. A value at or below -offset is an error, which names its row.
class EBB_API Log : public ColumnTransform {
 public:
  /// @throws ArgumentError for an offset that is not finite.
  explicit Log(LogOptions options = {});
  std::string type() const override;
  std::string describe() const override;

 private:
  std::optional<Kind> takes() const override;
  void learn(const Table<double>& training) override;
  Table<double> apply(const Table<double>& table) const override;
  Table<double> undo(const Table<double>& transformed) const override;
  void each(Fields& fields) override;
  bool learns() const override;

  double offset_;
};

struct PolynomialOptions {
  std::vector<std::string> columns = {};  ///< the factors; empty: all numeric columns
  std::int64_t degree = 2;                ///< the most factors of a product
  bool interactions_only = false;         ///< only products of different columns
};

/// Appends all products of two or more columns, up to a degree, in the order of scikit-learn's
/// PolynomialFeatures: "a^2", "a b", "b^2", "a^3", "a^2 b", ... `inverse` drops them.
class EBB_API Polynomial : public ColumnTransform {
 public:
  /// @throws ArgumentError for a degree below 2 or above 32. A fit that would make more than 10000
  /// columns throws it too.
  explicit Polynomial(PolynomialOptions options = {});
  std::string type() const override;
  std::string describe() const override;

 private:
  std::optional<Kind> takes() const override;
  void learn(const Table<double>& training) override;
  Table<double> apply(const Table<double>& table) const override;
  Table<double> undo(const Table<double>& transformed) const override;
  void each(Fields& fields) override;
  bool learns() const override;
  struct Product;
  std::vector<Product> products() const;

  std::int64_t degree_;
  bool interactions_only_;
};

}  // namespace ebb::inline v0::data
