// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/model_file.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/data/tables/statistics.hpp"

namespace ebb::inline v0::nn {

using data::Kind;

namespace detail {
namespace {

template <class T>
FeatureProfile numbers_profile(const Array<T>& column, std::int64_t bins) {
  FeatureProfile profile;
  std::vector<double> present;
  for (const T x : column) {
    if (std::isnan(x)) {
      ++profile.missing;
    } else {
      present.push_back(double(x));
    }
  }
  std::sort(present.begin(), present.end());
  if (!present.empty()) {
    profile.minimum = present.front();
    profile.maximum = present.back();
    // A bin for each part of the rows; equal numbers fall into one, so that there may be fewer.
    for (std::int64_t i = 1; i < bins; ++i) {
      const double edge = data::detail::quantile_of_sorted(present, double(i) / double(bins));
      if (edge > (profile.edges.empty() ? profile.minimum : profile.edges.back()))
        profile.edges.push_back(edge);
    }
  }
  profile.counts.resize(profile.edges.size() + 1);
  for (const double x : present) ++profile.counts[profile.bin(x)];
  return profile;
}

template <class T>
FeatureProfile levels_profile(const data::Table<T>& table, const std::string& name,
                              const std::vector<std::string>& levels) {
  FeatureProfile profile;
  profile.kind = Kind::categorical;
  profile.levels = levels;
  profile.counts.resize(levels.size());
  const std::vector<std::string>& here = table.levels(name);
  const Array<T> codes = table.column(name);
  for (const T code : codes) {
    if (std::isnan(code)) {
      ++profile.missing;
      continue;
    }
    const std::string& level = here[std::size_t(code)];
    const auto found = std::find(levels.begin(), levels.end(), level);
    if (found == levels.end()) {
      throw ArgumentError("save_model: the level " + data::detail::quoted(level) + " of " +
                          data::detail::quoted(name) +
                          " was not there at the fit; give the rows of the fit");
    }
    ++profile.counts[std::size_t(found - levels.begin())];
  }
  return profile;
}

}  // namespace

template <Real T>
std::vector<FeatureProfile> profiles_of(const data::Pipeline& pipeline, const std::string& target,
                                        const data::Table<T>& training,
                                        const SaveModelOptions& options) {
  if (!pipeline.is_fitted() || target.empty()) {
    throw ArgumentError("save_model: the model is not fitted yet; call fit before");
  }
  if (options.bins < 2 || options.bins > 100) {
    throw ArgumentError("save_model: bins must be from 2 to 100, not " +
                        std::to_string(options.bins));
  }
  if (training.rows() == 0) throw ArgumentError("save_model: the table has no rows");
  std::vector<FeatureProfile> profiles;
  std::set<std::string> names;
  for (const data::Column& column : pipeline.inputs()) {
    if (column.name == target) continue;
    // A column that is not there, which the table says best.
    const Array<T> values = training.column(column.name);
    const auto& columns = training.columns();
    const auto at = std::find_if(columns.begin(), columns.end(),
                                 [&](const data::Column& c) { return c.name == column.name; });
    if (at->kind != column.kind) {
      throw ArgumentError("save_model: " + data::detail::quoted(column.name) + " of " +
                          training.source() +
                          " is of another kind than at the fit; give the rows of the fit");
    }
    for (const T x : values) {
      if (std::isinf(x)) {
        throw ArgumentError("save_model: " + data::detail::quoted(column.name) + " of " +
                            training.source() + " has infinity, which has no histogram");
      }
    }
    profiles.push_back(column.kind == Kind::numeric
                           ? numbers_profile(values, options.bins)
                           : levels_profile(training, column.name, column.levels));
    FeatureProfile& profile = profiles.back();
    profile.name = column.name;
    names.insert(column.name);
    const auto unit = options.units.find(column.name);
    if (unit != options.units.end()) profile.unit = unit->second;
  }
  for (const auto& [name, unit] : options.units) {
    if (names.contains(name)) continue;
    throw ArgumentError("save_model: a unit is given for " + data::detail::quoted(name) +
                        ", which is no feature of the model");
  }
  return profiles;
}
#define EBB_PROFILES(T)                                     \
  template EBB_API std::vector<FeatureProfile> profiles_of( \
      const data::Pipeline&, const std::string&, const data::Table<T>&, const SaveModelOptions&);
EBB_PROFILES(float)
EBB_PROFILES(double)
#undef EBB_PROFILES

void check_estimator(const std::string& path, const ModelFile& file, const std::string& name) {
  if (file.estimator == name) return;
  throw FileError(path + ": the model is a " + file.estimator + ", not a " + name +
                  "; nn::Predictor takes any");
}

void finish_and_write(const std::string& path, ModelFile file, const SaveModelOptions& options) {
  using std::chrono::seconds, std::chrono::system_clock;
  file.seed = options.seed;
  file.metrics = options.metrics;
  file.saved_at =
      options.saved_at >= 0
          ? options.saved_at
          : std::chrono::duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
  write_model(path, file);
}

}  // namespace detail
}  // namespace ebb::inline v0::nn
