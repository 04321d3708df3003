// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/flat_row.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/transforms/encoding.hpp"
#include "ebb/data/transforms/imputation.hpp"
#include "ebb/data/transforms/scaling.hpp"

namespace ebb::inline v0::nn::detail {
namespace {

using data::Kind;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t most_codes = 512;

}  // namespace

std::vector<data::Column> row_columns(const ModelFile& file) {
  std::vector<data::Column> columns;
  for (const FeatureProfile& feature : file.features) {
    columns.push_back({feature.name, feature.kind, feature.levels});
    if (feature.kind != Kind::categorical) continue;
    std::string unknown = "(unknown)";
    while (std::find(feature.levels.begin(), feature.levels.end(), unknown) !=
           feature.levels.end()) {
      unknown += '*';
    }
    columns.back().levels.push_back(unknown);
  }
  return columns;
}

std::optional<FlatRow> FlatRow::of(const ModelFile& file) {
  FlatRow flat;
  if (!flat.walk(file) || !flat.probe(file)) return {};
  return flat;
}

/// Finds the source of each number, and what each step does to it. False for what is not known.
bool FlatRow::walk(const ModelFile& file) {
  struct Numbers {
    std::size_t feature;
    bool is_category;
    std::vector<Change> changes;
  };
  std::map<std::string, Numbers> now;  // the columns after the steps so far
  for (std::size_t j = 0; j < file.features.size(); ++j)
    now[file.features[j].name] = {j, file.features[j].kind == Kind::categorical, {}};
  const auto change = [&](const std::string& name, const Change& what) {
    const auto found = now.find(name);
    // Numbers that were made of a category are found by trial.
    if (found != now.end() && !found->second.is_category) found->second.changes.push_back(what);
  };
  for (std::int64_t i = 0; i < file.pipeline.size(); ++i) {
    const data::Transform& step = file.pipeline[i];
    if (const auto* impute = dynamic_cast<const data::Impute*>(&step)) {
      if (step.type() != "Impute" || step.outputs().size() != step.inputs().size()) return false;
      for (std::size_t k = 0; k < impute->used().size(); ++k)
        change(impute->used()[k], {true, impute->numbers()[k], 0});
    } else if (step.type() == "Standardize" || step.type() == "Robust") {
      const auto* scaler = dynamic_cast<const data::Scaler*>(&step);
      if (scaler == nullptr) return false;
      for (std::size_t k = 0; k < scaler->used().size(); ++k)
        change(scaler->used()[k], {false, scaler->center()[k], scaler->scale()[k]});
    } else if (const auto* encoder = dynamic_cast<const data::OneHot*>(&step);
               encoder != nullptr && step.type() == "OneHot") {
      for (std::size_t k = 0; k < encoder->used().size(); ++k) {
        const std::string& name = encoder->used()[k];
        const auto found = now.find(name);
        if (found == now.end()) continue;
        const Numbers from = found->second;
        now.erase(found);
        std::vector<std::string> made = encoder->levels()[k];
        made.insert(made.end(), {"(unknown)", "(missing)"});
        for (const std::string& level : made) {
          if (!now.emplace(name + "=" + level, from).second) return false;
        }
      }
    } else {
      return false;
    }
  }
  for (const std::string& name : file.inputs) {
    const auto found = now.find(name);
    if (found == now.end()) return false;
    const Numbers& numbers = found->second;
    sources_.push_back({numbers.feature, numbers.is_category, changes_.size(), 0});
    changes_.insert(changes_.end(), numbers.changes.begin(), numbers.changes.end());
    sources_.back().end = changes_.size();
  }
  return true;
}

/// Asks the pipeline what each level becomes. False for very many.
bool FlatRow::probe(const ModelFile& file) {
  const std::vector<data::Column> columns = row_columns(file);
  const std::size_t width = columns.size();
  std::vector<std::size_t> codes(width);  // with one for the missing
  std::size_t total = 0;
  for (std::size_t j = 0; j < width; ++j) {
    codes[j] = columns[j].levels.size() + 1;
    if (columns[j].kind == Kind::categorical) total += codes[j];
  }
  if (total > most_codes) return false;
  const auto value = [&](std::size_t i, std::size_t j) {
    const FeatureProfile& feature = file.features[j];
    if (feature.kind == Kind::numeric) return std::isnan(feature.minimum) ? 0 : feature.minimum;
    return i + 1 < codes[j] ? double(i) : i + 1 == codes[j] ? nan : 0.0;
  };
  const auto ask = [&](const std::vector<double>& row) -> std::optional<Array<double>> {
    try {
      const Array<double> values(Shape{1, std::int64_t(width)}, std::span<const double>(row));
      return file.pipeline.transform(data::Table<double>(columns, values))
          .select(file.inputs)
          .values();
    } catch (const ArgumentError&) {
      return {};
    }
  };
  // A row that has a value for each column and is taken, from which each probe differs in one.
  std::vector<double> base(width);
  for (std::size_t j = 0; j < width; ++j) {
    base[j] = value(0, j);
    for (std::size_t c = 0; c < file.features[j].counts.size(); ++c) {
      if (columns[j].kind != Kind::categorical || file.features[j].counts[c] == 0) continue;
      base[j] = double(c);
      break;
    }
  }
  std::vector<std::vector<std::optional<Array<double>>>> answers(width);
  for (std::size_t j = 0; j < width; ++j) {
    for (std::size_t c = 0; columns[j].kind == Kind::categorical && c < codes[j]; ++c) {
      std::vector<double> row = base;
      row[j] = value(c, j);
      answers[j].push_back(ask(row));
    }
  }
  for (std::size_t o = 0; o < sources_.size(); ++o) {
    Source& source = sources_[o];
    if (!source.is_category) continue;
    source.begin = values_.size();
    for (const auto& answer : answers[source.feature])
      values_.push_back(answer ? answer->data()[o] : nan);
    source.end = values_.size();
  }
  return true;
}

bool FlatRow::inputs(const double* row, double* to) const {
  for (const Source& source : sources_) {
    double x = row[source.feature];
    if (source.is_category) {
      const std::size_t last = source.end - source.begin - 1;
      x = values_[source.begin + (std::isnan(x) ? last : std::size_t(x))];
    } else {
      for (std::size_t i = source.begin; i < source.end; ++i) {
        const Change& change = changes_[i];
        if (!change.fills) {
          x = (x - change.a) / change.b;
        } else if (std::isnan(x)) {
          x = change.a;
        }
      }
    }
    if (!std::isfinite(x)) return false;
    *to++ = x;
  }
  return true;
}

}  // namespace ebb::inline v0::nn::detail
