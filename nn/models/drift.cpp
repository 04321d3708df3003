// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/drift.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <ostream>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/models/model_contents.hpp"

namespace ebb::inline v0::nn {
namespace {

using Counts = std::vector<std::int64_t>;

/// The sum of the first counts.
double total_of(const Counts& counts, std::size_t size) {
  return double(std::accumulate(counts.data(), counts.data() + size, std::int64_t(0)));
}
double total_of(const Counts& counts) { return total_of(counts, counts.size()); }

double stability_index(const Counts& training, const Counts& seen) {
  const double bins = double(training.size());
  const double n = total_of(training) + bins / 2, m = total_of(seen) + bins / 2;
  double sum = 0;
  for (std::size_t i = 0; i < training.size(); ++i) {
    const double p = (double(training[i]) + 0.5) / n, q = (double(seen[i]) + 0.5) / m;
    sum += (q - p) * std::log(q / p);
  }
  return sum;
}

/// Of the first `bins` counts.
double distance(const Counts& training, const Counts& seen, std::size_t bins) {
  const double n = total_of(training, bins), m = total_of(seen, bins);
  if (n == 0 || m == 0) return std::numeric_limits<double>::quiet_NaN();
  double below = 0, seen_below = 0, largest = 0;
  for (std::size_t i = 0; i < bins; ++i) {
    below += double(training[i]);
    seen_below += double(seen[i]);
    largest = std::max(largest, std::abs(below / n - seen_below / m));
  }
  return largest;
}

}  // namespace

FeatureDrift drift_of(const FeatureProfile& training, const Counts& seen,
                      const DriftOptions& options) {
  const std::size_t bins = training.counts.size();
  if (seen.size() != bins + 2) {
    throw ArgumentError("drift_of: there are " + std::to_string(seen.size()) + " counts; \"" +
                        training.name + "\" has " + std::to_string(bins + 2) +
                        ", with those of missing values and of levels that are not known");
  }
  Counts before = training.counts;
  before.push_back(training.missing);
  Counts now = seen;
  if (training.kind == data::Kind::categorical) {
    before.push_back(0);
  } else {
    now.pop_back();
  }
  FeatureDrift drift;
  drift.name = training.name;
  drift.rows = std::int64_t(total_of(seen));
  drift.missing = seen[bins];
  drift.unknown = seen[bins + 1];
  drift.psi = stability_index(before, now);
  drift.ks = training.kind == data::Kind::numeric ? distance(before, now, bins)
                                                  : std::numeric_limits<double>::quiet_NaN();
  drift.alarm =
      drift.rows >= options.minimum_rows && (drift.psi > options.psi || drift.ks > options.ks);
  return drift;
}

std::ostream& operator<<(std::ostream& out, const PredictorWarnings& warnings) {
  return out << warnings.out_of_range << " out of range, " << warnings.missing << " missing, "
             << warnings.unknown_level << " of unknown levels, " << warnings.extra_columns
             << " extra columns";
}

bool DriftReport::alarm() const {
  return std::any_of(features.begin(), features.end(),
                     [](const FeatureDrift& feature) { return feature.alarm; });
}

std::ostream& operator<<(std::ostream& out, const DriftReport& report) {
  std::vector<const FeatureDrift*> order;
  std::size_t width = 7;
  for (const FeatureDrift& feature : report.features) {
    order.push_back(&feature);
    width = std::max(width, feature.name.size());
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const FeatureDrift* a, const FeatureDrift* b) { return a->psi > b->psi; });
  out << "drift of " << report.rows << " rows\n";
  out << "feature" << std::string(width - 7, ' ') << "    PSI     KS  missing  unknown\n";
  for (const FeatureDrift* feature : order) {
    char numbers[80];
    std::snprintf(numbers, sizeof numbers, "%7.3f %6.3f %8lld %8lld", feature->psi, feature->ks,
                  static_cast<long long>(feature->missing),
                  static_cast<long long>(feature->unknown));
    out << feature->name << std::string(width - feature->name.size(), ' ') << numbers
        << (feature->alarm ? "  ALARM\n" : "\n");
  }
  return out;
}

}  // namespace ebb::inline v0::nn
