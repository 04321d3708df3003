// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/imputation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/data/tables/column_values.hpp"
#include "ebb/data/tables/columns.hpp"
#include "ebb/data/tables/statistics.hpp"

namespace ebb::inline v0::data {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view strategies[] = {"mean", "median", "most_frequent", "constant"};

/// The most frequent of sorted numbers; of equally frequent ones the smallest.
double most_frequent(const std::vector<double>& sorted) {
  double best = nan;
  std::ptrdiff_t most = 0;
  for (auto first = sorted.begin(); first != sorted.end();) {
    const auto last = std::upper_bound(first, sorted.end(), *first);
    if (last - first > most) {
      most = last - first;
      best = *first;
    }
    first = last;
  }
  return best;
}

std::string mark_of(const std::string& name) { return name + "_missing"; }

}  // namespace

Impute::Impute(ImputeOptions options)
    : ColumnTransform(std::move(options.columns)),
      strategy_(options.strategy),
      constant_(options.constant),
      level_(std::move(options.level)),
      mark_(options.mark) {
  if (!std::isfinite(constant_)) fail("the constant is not finite");
}

std::string Impute::type() const { return "Impute"; }

std::string Impute::describe() const {
  return ColumnTransform::describe() + " by " + std::string(strategies[std::size_t(strategy_)]) +
         (mark_ ? ", marked" : "");
}

std::optional<Kind> Impute::takes() const {
  if (strategy_ == Strategy::most_frequent) return {};
  if (strategy_ == Strategy::constant && !level_.empty()) return {};
  return Kind::numeric;
}

bool Impute::learns() const { return strategy_ != Strategy::constant; }

void Impute::learn(const Table<double>& training) {
  choose(training);
  numbers_.assign(chosen().size(), nan);
  levels_.assign(chosen().size(), {});
  for (const Place& place : places(training.columns())) {
    if (training.columns()[place.position].kind == Kind::numeric) {
      learn_numbers(training, place);
    } else {
      learn_level(training, place);
    }
  }
}

void Impute::learn_numbers(const Table<double>& training, const Place& place) {
  double& number = numbers_[place.index];
  if (strategy_ == Strategy::constant) {
    number = constant_;
    return;
  }
  const std::string& name = chosen()[place.index];
  auto values = detail::numbers_of(training, place.position);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isinf(values[i])) fail_at(name, std::int64_t(i), "infinity is in the way of a fit");
  }
  std::erase_if(values, [](double x) { return std::isnan(x); });
  if (values.empty()) {
    fail("column " + detail::quoted(name) + " of " + training.source() +
         " has no value to learn from");
  }
  if (strategy_ == Strategy::mean) {
    const Array<double> column({std::int64_t(values.size()), 1}, std::span<const double>(values));
    number = detail::column_moments(column).front().mean;
    return;
  }
  std::sort(values.begin(), values.end());
  number = strategy_ == Strategy::median ? detail::quantile_of_sorted(values, 0.5)
                                         : most_frequent(values);
}

void Impute::learn_level(const Table<double>& training, const Place& place) {
  std::string& level = levels_[place.index];
  if (strategy_ == Strategy::constant) {
    level = level_;
    return;
  }
  const Column& column = training.columns()[place.position];
  auto codes = detail::numbers_of(training, place.position);
  std::erase_if(codes, [](double x) { return std::isnan(x); });
  if (codes.empty()) {
    fail("column " + detail::quoted(column.name) + " of " + training.source() +
         " has no value to learn from");
  }
  std::sort(codes.begin(), codes.end());
  level = column.levels[std::size_t(most_frequent(codes))];
}

Table<double> Impute::apply(const Table<double>& table) const {
  auto columns = table.columns();
  const auto at = places(columns);
  const std::size_t before = columns.size();
  std::vector<double> fill(at.size());
  for (std::size_t k = 0; k < at.size(); ++k) {
    Column& column = columns[at[k].position];
    fill[k] = numbers_[at[k].index];
    if (column.kind == Kind::numeric) continue;
    const std::string& level = levels_[at[k].index];
    const auto found = std::find(column.levels.begin(), column.levels.end(), level);
    fill[k] = double(found - column.levels.begin());
    if (found == column.levels.end()) column.levels.push_back(level);
  }
  if (mark_) {
    for (const Place& place : at) columns.push_back({.name = mark_of(chosen()[place.index])});
  }
  auto values = Array<double>::zeros({table.rows(), std::int64_t(columns.size())});
  double* out = values.mutate();
  const double* row = table.values().data();
  for (std::int64_t i = 0; i < table.rows(); ++i, row += before, out += columns.size()) {
    std::copy_n(row, before, out);
    for (std::size_t k = 0; k < at.size(); ++k) {
      double& value = out[at[k].position];
      if (!std::isnan(value)) continue;
      value = fill[k];
      if (mark_) out[before + k] = 1;
    }
  }
  return {std::move(columns), std::move(values), table.source()};
}

Table<double> Impute::undo(const Table<double>& transformed) const {
  const auto at = places(transformed.columns());
  if (!mark_ && !at.empty()) {
    fail(
        "it has no inverse, since nothing shows which values were filled; fit it with .mark = "
        "true");
  }
  const detail::Positions positions(transformed.columns());
  std::vector<std::string> marks;
  Array<double> values = transformed.values();
  const auto width = transformed.columns().size();
  for (const Place& place : at) {
    const std::string& name = chosen()[place.index];
    const std::size_t mark = positions.of(mark_of(name));
    if (mark == detail::no_column) {
      fail("inverse of " + detail::quoted(name) + " needs " + detail::quoted(mark_of(name)));
    }
    double* row = values.mutate();
    for (std::int64_t i = 0; i < transformed.rows(); ++i, row += width) {
      if (row[mark] > 0.5) row[place.position] = nan;
    }
  }
  for (const std::string& name : chosen()) {
    std::string mark = mark_of(name);
    if (mark_ && positions.has(mark)) marks.push_back(std::move(mark));
  }
  return Table<double>(transformed.columns(), std::move(values), transformed.source()).drop(marks);
}

void Impute::each(Fields& fields) {
  fields.choice("strategy", strategy_,
                {strategies[0], strategies[1], strategies[2], strategies[3]});
  fields("constant", constant_);
  fields("level", level_);
  fields("mark", mark_);
  each_column(fields);
  fields("numbers", numbers_);
  fields("levels", levels_);
  fields.refuse_unless(numbers_.size() == chosen().size() && levels_.size() == chosen().size(),
                       "\"numbers\" and \"levels\" need one for each column of \"used\"");
  bool are_finite = std::isfinite(constant_);
  for (std::size_t k = 0; k < chosen().size(); ++k) {
    const bool is_number = known_column(k).kind == Kind::numeric;
    are_finite = are_finite && (std::isfinite(numbers_[k]) || !is_number);
  }
  fields.refuse_unless(are_finite, "\"constant\" and \"numbers\" must be finite");
}

}  // namespace ebb::inline v0::data
