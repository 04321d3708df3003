// SPDX-License-Identifier: BSD-3-Clause
// The histograms of the rows that a Predictor was given.
#pragma once
#include <atomic>
#include <vector>

#include "ebb/nn/models/drift.hpp"
#include "ebb/nn/models/model_contents.hpp"

namespace ebb::inline v0::nn::detail {

/// Counts of rows, of the bins that their values are in, and of what was unlike the training rows.
/// Many threads may count at once.
class RowCounts {
 public:
  /// Without `has_bins` only rows and warnings are counted.
  RowCounts(const std::vector<FeatureProfile>& features, bool has_bins);

  /// Counts a row as it was given.
  void add(const double* row);
  void add(const PredictorWarnings& warnings);
  /// Adds the counts of rows with the same features.
  void add(const RowCounts& other);
  void reset();

  std::int64_t rows() const { return rows_.load(std::memory_order_relaxed); }
  PredictorWarnings warnings() const;
  DriftReport drift(const DriftOptions& options) const;

 private:
  using Count = std::atomic<std::int64_t>;
  static void add(Count& to, std::int64_t count);

  const std::vector<FeatureProfile>& features_;
  bool has_bins_;
  std::vector<std::size_t> first_;  ///< the place of each feature in `seen_`
  /// Those of each bin or level, then missing values, then levels that are not known.
  std::vector<Count> seen_;
  Count rows_{0}, out_of_range_{0}, missing_{0}, unknown_level_{0}, extra_columns_{0};
};

}  // namespace ebb::inline v0::nn::detail
