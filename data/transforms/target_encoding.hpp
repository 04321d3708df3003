// SPDX-License-Identifier: BSD-3-Clause
// Categories as the mean of what is to be predicted.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ebb/data/transforms/encoding.hpp"

namespace ebb::inline v0::data {

struct TargetEncodeOptions {
  std::vector<std::string> columns = {};  ///< those to be encoded; without any, all categorical
  std::string target = {};                ///< the numeric column that is to be predicted
  double smoothing = 10;                  ///< as many rows count for the mean of all; 0 for none
  std::int64_t folds = 5;                 ///< into which the training rows are put
  std::uint64_t seed = 0;                 ///< of the folds
  Unknown unknown = Unknown::ignore;      ///< for a level that the training rows did not have
  Unknown missing = Unknown::ignore;      ///< for a missing value
};

/// The mean target of the rows of a level, drawn towards the mean target of all rows:
///
///     code = (n mean_level + m mean_all) / (n + m)
///
/// with n rows of that level, and the smoothing m (D. Micci-Barreca, "A Preprocessing Scheme for
/// High-Cardinality Categorical Attributes in Classification and Prediction Problems", SIGKDD
/// Explorations 3, 2001; with the weight n / (n + m)). What is ignored has the mean of all.
///
/// A code that includes the row's own target tells the model what it should predict. So
/// `fit_transform` gives each training row the code that the rows of the other folds make, and
/// `transform` gives other rows that of all training rows; it refuses those that it was fitted on.
/// Only the fit needs the target.
class EBB_API TargetEncode : public Encoder {
 public:
  /// @throws ArgumentError for no target, a smoothing below 0, fewer than 2 folds, and an unknown
  /// level that is one of its own, for which there is no target.
  explicit TargetEncode(TargetEncodeOptions options);
  std::string type() const override;
  std::string describe() const override;
  /// The codes of the levels, by the columns that are used.
  EBB_INLINE const std::vector<std::vector<double>>& codes() const { return codes_; }
  /// The mean target of the training rows.
  EBB_INLINE double mean() const { return mean_; }

 private:
  void learn(const Table<double>& training) override;
  Table<double> learn_apply(const Table<double>& training) override;
  Table<double> apply(const Table<double>& table) const override;
  Table<double> undo(const Table<double>& transformed) const override;
  void each(Fields& fields) override;
  bool is_out_of_fold() const override;
  /// In units of a power of 2, so that no sum of them overflows.
  struct Targets {
    std::vector<double> y;
    double unit = 1, largest = 0;

    /// A mean, which rounding may have put beyond all targets.
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
