// SPDX-License-Identifier: BSD-3-Clause
// How far the rows that a model sees are from those that it was trained on.
#pragma once
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0::nn {

struct FeatureProfile;

/// How often a value was unlike those of the training rows, and taken nevertheless.
struct PredictorWarnings {
  std::int64_t out_of_range = 0;
  std::int64_t missing = 0;
  std::int64_t unknown_level = 0;
  std::int64_t extra_columns = 0;  ///< of all tables
};
EBB_API std::ostream& operator<<(std::ostream& out, const PredictorWarnings& warnings);

struct DriftOptions {
  double psi = 0.2;  ///< an alarm above it: a shift that is large by custom (Siddiqi 2006)
  double ks = 0.1;   ///< an alarm above it
  /// No alarm for fewer rows, of which both numbers are too noisy: KS of 500 rows without any drift
  /// is above 0.1 once in ten thousand times (2 exp(-2 n KS^2), Massart 1990).
  std::int64_t minimum_rows = 500;
};

/// The drift of one feature.
struct FeatureDrift {
  std::string name;
  std::int64_t rows = 0;  ///< that were seen
  /// The population stability index, sum over the bins of (q - p) log(q / p), where p and q are the
  /// parts of the training rows and of the rows seen. Missing values and levels that are not known
  /// are bins. Each bin has half a row more than it has, so that an empty one does not give
  /// infinity. Source: Siddiqi, Credit Risk Scorecards (2006); it is the divergence of Jeffreys
  /// (1946).
  double psi = 0;
  /// The Kolmogorov-Smirnov distance at the edges of the bins: the largest difference between the
  /// parts of present values below an edge. NaN for categories, which have no order, and without a
  /// present value. Source: Smirnov (1948).
  double ks = 0;
  std::int64_t missing = 0;  ///< the rows seen without a value
  std::int64_t unknown = 0;  ///< the rows seen with a level that is not known
  bool alarm = false;
};

/// The drift of all features.
struct DriftReport {
  std::int64_t rows = 0;  ///< that were seen
  std::vector<FeatureDrift> features = {};

  /// Whether any feature has an alarm.
  EBB_API bool alarm() const;
};
/// Prints a line for each feature, those of the largest index first.
EBB_API std::ostream& operator<<(std::ostream& out, const DriftReport& report);

/// The drift of one feature from its training histogram. `seen` has the counts of its bins or
/// levels, then of values that are missing, and then of levels that are not known.
/// @throws ArgumentError for another number of counts.
EBB_API FeatureDrift drift_of(const FeatureProfile& training, const std::vector<std::int64_t>& seen,
                              const DriftOptions& options = {});

}  // namespace ebb::inline v0::nn
