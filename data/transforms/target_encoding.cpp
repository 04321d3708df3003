// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/target_encoding.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <span>
#include <utility>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/data/tables/column_values.hpp"
#include "ebb/data/tables/columns.hpp"

namespace ebb::inline v0::data {
namespace {

/// A separate random stream, so that a program may use one seed for its split and its folds.
constexpr std::uint64_t tag_of_folds = 0x7461726765745f31;  // "target_1"

/// The sum and the number of the targets of some rows.
struct Sum {
  double total = 0;
  double count = 0;

  void add(double target) {
    total += target;
    ++count;
  }
  void add(const Sum& other) {
    total += other.total;
    count += other.count;
  }
  double mean() const { return total / count; }
  double code(double smoothing, double mean_of_all) const {
    if (count == 0) return mean_of_all;
    const double weighted = total + smoothing * mean_of_all;
    if (std::isfinite(weighted)) return weighted / (count + smoothing);
    const double share = count / (count + smoothing);
    return share * mean() + (1 - share) * mean_of_all;
  }
};

/// The rows sorted by their keys, which count from 0. Rows of equal keys keep their order.
template <class Key>
std::vector<std::size_t> sorted_by(const std::vector<Key>& keys, std::span<const std::size_t> rows,
                                   std::size_t count) {
  std::vector<std::size_t> start(count + 1);
  for (const std::size_t row : rows) ++start[std::size_t(keys[row]) + 1];
  std::partial_sum(start.begin(), start.end(), start.begin());
  std::vector<std::size_t> sorted(rows.size());
  for (const std::size_t row : rows) sorted[start[std::size_t(keys[row])]++] = row;
  return sorted;
}

/// For each row, the sum of the targets of its group in the other folds. The rows must be sorted by
/// group and, within a group, by fold. The targets before and after the own fold are added
/// separately: a total minus the own fold would contain traces of the row's own target in its
/// rounding.
std::vector<Sum> sums_of_others(const std::vector<std::size_t>& rows,
                                const std::vector<std::int64_t>& groups,
                                const std::vector<std::size_t>& folds,
                                const std::vector<double>& y) {
  std::vector<Sum> others(y.size());
  const auto sweep = [&](auto row, auto end) {
    Sum passed, own;
    for (auto before = row; row != end; before = row++) {
      if (groups[*row] != groups[*before]) {
        passed = own = {};
      } else if (folds[*row] != folds[*before]) {
        passed.add(std::exchange(own, {}));
      }
      others[*row].add(passed);
      own.add(y[*row]);
    }
  };
  sweep(rows.begin(), rows.end());
  sweep(rows.rbegin(), rows.rend());
  return others;
}

}  // namespace

TargetEncode::TargetEncode(TargetEncodeOptions options)
    : Encoder(std::move(options.columns), options.unknown, options.missing),
      target_(std::move(options.target)),
      smoothing_(options.smoothing),
      folds_(options.folds),
      seed_(options.seed) {
  if (target_.empty()) fail("no target; it is the name of the column that is to be predicted");
  if (!(smoothing_ >= 0 && std::isfinite(smoothing_))) {
    fail("a smoothing of " + detail::short_number(smoothing_) + " rows; it must be 0 or more");
  }
  if (folds_ < 2) fail(detail::count_of(folds_, "fold") + "; there must be at least 2");
  if (unknown() == Unknown::level) {
    fail("an unknown level has no target; let `unknown` be Unknown::ignore or error");
  }
}

std::string TargetEncode::type() const { return "TargetEncode"; }
bool TargetEncode::learns() const { return true; }
bool TargetEncode::is_out_of_fold() const { return true; }

std::string TargetEncode::describe() const { return Encoder::describe() + " by " + target_; }

double TargetEncode::Targets::back(double mean) const {
  return unit * std::clamp(mean, -largest, largest);
}

TargetEncode::Targets TargetEncode::targets(const Table<double>& training) const {
  const std::size_t j = detail::position_of(training.columns(), target_);
  if (j == detail::no_column) {
    fail("there is no target " + detail::quoted(target_) + " in " + training.source() +
         "; there are " + detail::list_of(training.columns()));
  }
  const Column& column = training.columns()[j];
  if (column.kind == Kind::categorical && column.levels.size() > 2) {
    fail("the target " + detail::quoted(target_) + " has " + std::to_string(column.levels.size()) +
         " levels, which have no mean; it can be numbers, or two levels");
  }
  Targets targets{detail::numbers_of(training, j)};
  for (std::size_t i = 0; i < targets.y.size(); ++i) {
    if (!std::isfinite(targets.y[i])) {
      fail_at(target_, std::int64_t(i), "the target is missing or not finite; remove the row");
    }
    targets.largest = std::max(targets.largest, std::abs(targets.y[i]));
  }
  if (targets.largest > 0x1p900) {
    targets.unit = 0x1p200;
    targets.largest /= targets.unit;
    for (double& target : targets.y) target /= targets.unit;
  }
  return targets;
}

std::vector<std::size_t> TargetEncode::folds_of(std::int64_t rows) const {
  if (folds_ > rows) {
    fail(std::to_string(folds_) + " folds of " + detail::count_of(rows, "row") +
         "; each needs at least one");
  }
  Stream stream = Stream(seed_).split(tag_of_folds);
  const auto order = permutation(rows, stream);
  std::vector<std::size_t> folds(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    folds[std::size_t(order[i])] = i % std::size_t(folds_);
  }
  return folds;
}

void TargetEncode::learn(const Table<double>& training) {
  const bool has_target = detail::position_of(training.columns(), target_) != detail::no_column;
  Encoder::learn(has_target ? training.with_target(target_) : training);
  const Targets targets = this->targets(training);
  const std::vector<double>& y = targets.y;
  Sum all;
  for (const double target : y) all.add(target);
  const double mean = all.mean();
  mean_ = targets.back(mean);
  codes_.assign(chosen().size(), {});
  for (const Place& place : places(training.columns())) {
    std::vector<Sum> sums(std::size_t(slot_count(place.index)));
    const auto slots = slots_of(training, place);
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (slots[i] != none) sums[std::size_t(slots[i])].add(y[i]);
    }
    for (const Sum& sum : sums)
      codes_[place.index].push_back(targets.back(sum.code(smoothing_, mean)));
  }
}

Table<double> TargetEncode::learn_apply(const Table<double>& training) {
  learn(training);
  const Targets targets = this->targets(training);
  const std::vector<double>& y = targets.y;
  const auto folds = folds_of(training.rows());
  std::vector<std::size_t> all(y.size());
  std::iota(all.begin(), all.end(), std::size_t(0));
  const auto by_fold = sorted_by(folds, all, std::size_t(folds_));
  const std::vector<std::int64_t> one_group(y.size());
  const auto others = sums_of_others(by_fold, one_group, folds, y);

  auto columns = training.columns();
  Array<double> values = training.values();
  for (const Place& place : places(columns)) {
    const auto slots = slots_of(training, place);
    std::vector<std::size_t> rows;
    std::copy_if(by_fold.begin(), by_fold.end(), std::back_inserter(rows),
                 [&](std::size_t i) { return slots[i] != none; });
    rows = sorted_by(slots, rows, std::size_t(this->slot_count(place.index)));
    const auto alike = sums_of_others(rows, slots, folds, y);
    double* value = values.mutate() + place.position;
    for (std::size_t i = 0; i < y.size(); ++i, value += columns.size()) {
      *value = targets.back(alike[i].code(smoothing_, others[i].mean()));
    }
    columns[place.position] = {.name = columns[place.position].name};
  }
  return {std::move(columns), std::move(values), training.source()};
}

Table<double> TargetEncode::apply(const Table<double>& table) const {
  auto columns = table.columns();
  Array<double> values = table.values();
  for (const Place& place : places(columns)) {
    double* value = values.mutate() + place.position;
    for (const std::int64_t slot : slots_of(table, place)) {
      *value = slot == none ? mean_ : codes_[place.index][std::size_t(slot)];
      value += columns.size();
    }
    columns[place.position] = {.name = columns[place.position].name};
  }
  return {std::move(columns), std::move(values), table.source()};
}

Table<double> TargetEncode::undo(const Table<double>& transformed) const {
  if (!places(transformed.columns()).empty()) {
    fail("it has no inverse, since several levels may have the same mean target");
  }
  return transformed;
}

void TargetEncode::each(Fields& fields) {
  fields("target", target_);
  fields("smoothing", smoothing_);
  fields("folds", folds_);
  fields("seed", seed_);
  Encoder::each(fields);
  fields("codes", codes_);
  fields("mean", mean_);
  fields.refuse_unless(
      smoothing_ >= 0 && std::isfinite(smoothing_) && folds_ >= 2 && unknown() != Unknown::level,
      "\"smoothing\" must be 0 or more, \"folds\" 2 or more, and \"unknown\" no level");
  bool fits = codes_.size() == chosen().size() && std::isfinite(mean_);
  for (std::size_t k = 0; fits && k < codes_.size(); ++k) {
    fits =
        std::int64_t(codes_[k].size()) == slot_count(k) &&
        std::all_of(codes_[k].begin(), codes_[k].end(), [](double x) { return std::isfinite(x); });
  }
  fields.refuse_unless(
      fits, "\"mean\" must be finite, and \"codes\" needs a finite number for each of \"levels\"");
}

}  // namespace ebb::inline v0::data
