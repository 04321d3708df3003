// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/scaling.hpp"

#include <algorithm>
#include <cmath>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/data/tables/column_values.hpp"
#include "ebb/data/tables/columns.hpp"
#include "ebb/data/tables/statistics.hpp"

namespace ebb::inline v0::data {

Scaler::Scaler(std::vector<std::string> columns) : ColumnTransform(std::move(columns)) {}
Scaler::~Scaler() = default;
std::optional<Kind> Scaler::takes() const { return Kind::numeric; }

void Scaler::learn(const Table<double>& training) {
  choose(training);
  center_.assign(chosen().size(), 0);
  scale_.assign(chosen().size(), 1);
  for (const Place& place : places(training.columns())) {
    const std::string& name = chosen()[place.index];
    const auto numbers = detail::numbers_of(training, place.position);
    std::vector<double> present;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (std::isinf(numbers[i])) fail_at(name, std::int64_t(i), "infinity has no scale");
      if (!std::isnan(numbers[i])) present.push_back(numbers[i]);
    }
    if (present.empty()) {
      fail("column " + detail::quoted(name) + " of " + training.source() +
           " has no value to learn from");
    }
    double& scale = scale_[place.index];
    learn_column(present, center_[place.index], scale);
    if (!std::isfinite(scale)) {
      fail("the range of column " + detail::quoted(name) + " is too large for double");
    }
    if (scale == 0) scale = 1;
  }
}

Table<double> Scaler::apply(const Table<double>& table) const {
  return map(table, [&](std::size_t k, double x) { return (x - center_[k]) / scale_[k]; });
}

Table<double> Scaler::undo(const Table<double>& transformed) const {
  return map(transformed, [&](std::size_t k, double z) { return z * scale_[k] + center_[k]; });
}

void Scaler::each(Fields& fields) {
  each_column(fields);
  fields("center", center_);
  fields("scale", scale_);
  fields.refuse_unless(center_.size() == chosen().size() && scale_.size() == chosen().size(),
                       "\"center\" and \"scale\" need a number for each column of \"used\"");
  const bool is_right =
      std::all_of(center_.begin(), center_.end(), [](double x) { return std::isfinite(x); }) &&
      std::all_of(scale_.begin(), scale_.end(), [](double x) { return std::isfinite(x) && x > 0; });
  fields.refuse_unless(is_right, "\"center\" must be finite, and \"scale\" above 0");
}

Standardize::Standardize(StandardizeOptions options) : Scaler(std::move(options.columns)) {}
std::string Standardize::type() const { return "Standardize"; }

void Standardize::learn_column(std::vector<double>& present, double& center, double& scale) const {
  const auto moments = detail::column_moments(
      Array<double>({std::int64_t(present.size()), 1}, std::span<const double>(present)));
  center = moments[0].mean;
  scale = moments[0].deviation;
}

MinMax::MinMax(MinMaxOptions options)
    : Scaler(std::move(options.columns)), low_(options.low), high_(options.high) {
  if (!(low_ < high_) || !std::isfinite(high_ - low_)) {
    fail("a range of " + detail::short_number(low_) + " to " + detail::short_number(high_) +
         "; it must be finite, and low below high");
  }
}

std::string MinMax::type() const { return "MinMax"; }

void MinMax::learn_column(std::vector<double>& present, double& center, double& scale) const {
  const auto [low, high] = std::minmax_element(present.begin(), present.end());
  center = *low;
  scale = *high - *low;
}

Table<double> MinMax::apply(const Table<double>& table) const {
  const double width = high_ - low_;
  return map(table, [&](std::size_t k, double x) {
    return (x - center()[k]) / scale()[k] * width + low_;
  });
}

Table<double> MinMax::undo(const Table<double>& transformed) const {
  const double width = high_ - low_;
  return map(transformed, [&](std::size_t k, double z) {
    return (z - low_) / width * scale()[k] + center()[k];
  });
}

void MinMax::each(Fields& fields) {
  fields("low", low_);
  fields("high", high_);
  fields.refuse_unless(low_ < high_ && std::isfinite(high_ - low_),
                       "\"low\" must be below \"high\"");
  Scaler::each(fields);
}

Robust::Robust(RobustOptions options)
    : Scaler(std::move(options.columns)), lower_(options.lower), upper_(options.upper) {
  if (!(0 <= lower_ && lower_ < upper_ && upper_ <= 1)) {
    fail("quantiles of " + detail::short_number(lower_) + " and " + detail::short_number(upper_) +
         "; they must be in [0, 1], and lower below upper");
  }
}

std::string Robust::type() const { return "Robust"; }

void Robust::learn_column(std::vector<double>& present, double& center, double& scale) const {
  std::sort(present.begin(), present.end());
  center = detail::quantile_of_sorted(present, 0.5);
  scale = detail::quantile_of_sorted(present, upper_) - detail::quantile_of_sorted(present, lower_);
}

void Robust::each(Fields& fields) {
  fields("lower", lower_);
  fields("upper", upper_);
  fields.refuse_unless(0 <= lower_ && lower_ < upper_ && upper_ <= 1,
                       "\"lower\" and \"upper\" must be in [0, 1], and lower below upper");
  Scaler::each(fields);
}

}  // namespace ebb::inline v0::data
