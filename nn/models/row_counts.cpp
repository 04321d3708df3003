// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/row_counts.hpp"

#include <cmath>

namespace ebb::inline v0::nn::detail {

RowCounts::RowCounts(const std::vector<FeatureProfile>& features, bool has_bins)
    : features_(features), has_bins_(has_bins) {
  std::size_t size = 0;
  for (const FeatureProfile& feature : features) {
    first_.push_back(size);
    size += feature.counts.size() + 2;
  }
  seen_ = std::vector<Count>(size);
}

void RowCounts::add(Count& to, std::int64_t count) {
  if (count != 0) to.fetch_add(count, std::memory_order_relaxed);
}

void RowCounts::add(const double* row) {
  add(rows_, 1);
  if (!has_bins_) return;
  for (std::size_t j = 0; j < features_.size(); ++j) {
    const FeatureProfile& feature = features_[j];
    const std::size_t bins = feature.counts.size();
    std::size_t bin = bins;  // missing
    if (!std::isnan(row[j])) {
      bin = feature.kind == data::Kind::numeric ? feature.bin(row[j])
            : row[j] < double(bins)             ? std::size_t(row[j])
                                                : bins + 1;
    }
    add(seen_[first_[j] + bin], 1);
  }
}

void RowCounts::add(const PredictorWarnings& warnings) {
  add(out_of_range_, warnings.out_of_range);
  add(missing_, warnings.missing);
  add(unknown_level_, warnings.unknown_level);
  add(extra_columns_, warnings.extra_columns);
}

void RowCounts::add(const RowCounts& other) {
  for (std::size_t i = 0; i < seen_.size(); ++i) add(seen_[i], other.seen_[i]);
  add(rows_, other.rows_);
  add(other.warnings());
}

void RowCounts::reset() {
  for (Count& count : seen_) count = 0;
  rows_ = out_of_range_ = missing_ = unknown_level_ = extra_columns_ = 0;
}

PredictorWarnings RowCounts::warnings() const {
  return {out_of_range_, missing_, unknown_level_, extra_columns_};
}

DriftReport RowCounts::drift(const DriftOptions& options) const {
  DriftReport report;
  report.rows = rows();
  for (std::size_t j = 0; j < features_.size(); ++j) {
    std::vector<std::int64_t> counts;
    for (std::size_t k = 0; k < features_[j].counts.size() + 2; ++k)
      counts.push_back(seen_[first_[j] + k].load(std::memory_order_relaxed));
    report.features.push_back(drift_of(features_[j], counts, options));
  }
  return report;
}

}  // namespace ebb::inline v0::nn::detail
