// SPDX-License-Identifier: BSD-3-Clause
// Categories replaced by the mean target of their rows.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ebb/data/transforms/encoding.hpp"

namespace ebb::inline v0::data {

struct TargetEncodeOptions {
  std::vector<std::string> columns = {};  ///< the columns to encode; empty: all categorical columns
  std::string target = {};                ///< the column to predict: numbers, or two levels
  double smoothing = 10;   ///< weight of the mean of all rows, as a number of rows; 0: none
  std::int64_t folds = 5;  ///< the number of folds that the training rows are divided into
  std::uint64_t seed = 0;  ///< seed of the division into folds
  Unknown unknown = Unknown::ignore;  ///< how to treat a level that the training rows do not have
  Unknown missing = Unknown::ignore;  ///< how to treat a missing value
};

/// Replaces each level by the mean target of its rows, drawn towards the mean target of all rows:
///
///     code = (n mean_level + m mean_all) / (n + m)
///
/// where n rows have the level and m is the smoothing (D. Micci-Barreca, "A Preprocessing Scheme
/// for High-Cardinality Categorical Attributes in Classification and Prediction Problems", SIGKDD
/// Explorations 3, 2001; with the weight n / (n + m)). A value that is ignored gets mean_all.
///
/// A code that includes a row's own target would tell the model the answer. So `fit_transform`
/// computes the code of each training row from the rows of the other folds. `transform` computes
/// the codes of other rows from all training rows, and refuses the rows that it was fitted on. The
/// target column is needed by the fit only.
class EBB_API TargetEncode : public Encoder {
 public:
  /// @throws ArgumentError for an empty `target`, a smoothing below 0, fewer than 2 folds, and
  /// `unknown` = Unknown::level, since a level without training rows has no target.
  explicit TargetEncode(TargetEncodeOptions options);
  std::string type() const override;
  std::string describe() const override;
  /// The codes of the levels of each used column, in the order of `used()`.
  EBB_INLINE const std::vector<std::vector<double>>& codes() const { return codes_; }
  /// The mean target of the training rows.
  EBB_INLINE double mean() const { return mean_; }

 private:
  void learn(const Table<double>& training) override;
  Table<double> learn_apply(const Table<double>& training) override;
  Table<double> apply(const Table<double>& table) const override;
  Table<double> undo(const Table<double>& transformed) const override;
  void each(Fields& fields) override;
  bool learns() const override;
  bool is_out_of_fold() const override;
  /// Targets in units of a power of 2, so that their sum does not overflow.
  struct Targets {
    std::vector<double> y;
    double unit = 1, largest = 0;

    /// A mean in the units of the table. Rounding may put it outside of the targets, so its
    /// absolute value is limited to the largest of theirs.
    double back(double mean) const;
  };
  Targets targets(const Table<double>& training) const;
  std::vector<std::size_t> folds_of(std::int64_t rows) const;

  std::string target_;
  double smoothing_;
  std::int64_t folds_;
  std::uint64_t seed_;
  std::vector<std::vector<double>> codes_;
  double mean_ = 0;
};

}  // namespace ebb::inline v0::data
