// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/transforms/transform.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"
#include "ebb/data/files/text_file.hpp"
#include "ebb/data/tables/columns.hpp"

namespace ebb::inline v0::data {
namespace {

using detail::quoted;
using detail::TableAccess;

Table<double> widened(const Table<double>& table) { return table; }
Table<double> widened(const Table<float>& table) {
  auto values = Array<double>::uninitialized(table.values().shape());
  std::copy(table.values().begin(), table.values().end(), values.mutate());
  return TableAccess::with(Table<double>(table.columns(), std::move(values), table.source()),
                           TableAccess::provenance(table));
}

template <class T>
Table<T> narrowed(Table<double> table) {
  if constexpr (sizeof(T) == sizeof(double)) return table;
  auto values = Array<T>::uninitialized(table.values().shape());
  std::transform(table.values().begin(), table.values().end(), values.mutate(),
                 [](double x) { return T(x); });
  return TableAccess::with(Table<T>(table.columns(), std::move(values), table.source()),
                           TableAccess::provenance(table));
}

/// Replaces codes of the levels of `from` by codes of the levels of `to`, to which new levels are
/// appended.
void recode(double* value, std::int64_t rows, std::size_t width, const Column& from, Column& to) {
  std::unordered_map<std::string_view, double> codes;
  for (std::size_t i = 0; i < to.levels.size(); ++i) codes.emplace(to.levels[i], double(i));
  std::vector<double> code_of;
  std::vector<std::string> added;
  for (const std::string& level : from.levels) {
    const auto [known, is_new] = codes.emplace(level, double(to.levels.size() + added.size()));
    if (is_new) added.push_back(level);
    code_of.push_back(known->second);
  }
  to.levels.insert(to.levels.end(), added.begin(), added.end());
  for (std::int64_t i = 0; i < rows; ++i, value += width) {
    if (!std::isnan(*value)) *value = code_of[std::size_t(*value)];
  }
}

/// The table that f returns. Two columns of the same name, which a table refuses, become an error
/// of the transform.
template <class F>
auto made_by(const Transform& transform, const F& f) {
  try {
    return f();
  } catch (const ArgumentError& error) {
    const std::string what = error.what(), table = "Table: ";
    if (!what.starts_with(table) || !what.ends_with(" occurs twice")) throw;
    throw ArgumentError(transform.type() + ": " + what.substr(table.size()) +
                        " in its result; rename or drop a column");
  }
}

}  // namespace

Transform::~Transform() = default;
std::string Transform::describe() const { return type(); }
bool Transform::learns() const { return true; }
std::vector<std::string> Transform::taken(const std::vector<Column>&) const { return {}; }
bool Transform::is_out_of_fold() const { return false; }
bool Transform::is_fitted() const { return is_fitted_; }

void Transform::fail(const std::string& what) const { throw ArgumentError(type() + ": " + what); }

void Transform::check_fitted(const char* operation) const {
  if (!is_fitted_) fail(std::string(operation) + " before a fit; fit it on the training rows");
}

const std::vector<Column>& Transform::inputs() const {
  check_fitted("inputs");
  return inputs_;
}

const std::vector<Column>& Transform::outputs() const {
  check_fitted("outputs");
  return outputs_;
}

std::int64_t Transform::training_rows() const {
  check_fitted("training_rows");
  return rows_;
}

std::vector<std::string> Transform::uses() const {
  std::vector<std::string> names;
  for (const Column& column : inputs_) names.push_back(column.name);
  return names;
}

Table<double> Transform::learn_apply(const Table<double>& training) {
  learn(training);
  return apply(training);
}

Table<double> Transform::undo(const Table<double>&) const { fail("it has no inverse"); }

void Transform::begin_fit(const Table<double>& training) {
  if (training.role() == Role::held_out) {
    fail("a fit on held-out rows of " + training.source() +
         " would leak them into their own score; fit it on the training part");
  }
  if (training.rows() == 0) fail("a fit on no rows of " + training.source());
  is_fitted_ = false;
  inputs_ = training.columns();
}

void Transform::end_fit(const Table<double>& training) {
  const detail::Positions positions(inputs_);
  for (const std::string& name : uses()) {
    if (positions.has(name)) continue;
    fail("it needs a column " + quoted(name) + ", which is not in " + training.source());
  }
  find_outputs();
  rows_ = training.rows();
  fitted_on_ = TableAccess::provenance(training);
  is_fitted_ = true;
}

void Transform::find_outputs() {
  const auto none = Array<double>::zeros({0, std::int64_t(inputs_.size())});
  const Table<double> no_rows(inputs_, none, "no rows");
  outputs_ = made_by(*this, [&] { return apply(no_rows).columns(); });
}

Table<double> Transform::arranged(const Table<double>& table, const std::vector<Column>& known,
                                  const std::vector<std::string>& needed) const {
  const detail::Positions position(known);
  const auto& columns = table.columns();
  std::vector<std::size_t> places;
  std::vector<bool> is_there(known.size());
  for (const Column& column : columns) {
    const std::size_t place = position.of(column.name);
    if (place == detail::no_column) {
      fail("column " + quoted(column.name) + " of " + table.source() +
           " was not there at the fit, but " + detail::list_of(known) + "; drop it");
    }
    const Column& before = known[place];
    if (before.kind != column.kind) {
      fail("column " + quoted(column.name) + " of " + table.source() + " is " +
           detail::name_of(column.kind) + "; at the fit it was " + detail::name_of(before.kind) +
           "; read_csv(path, inputs()) reads a file with the columns of the fit");
    }
    places.push_back(place);
    is_there[place] = true;
  }
  for (const std::string& name : needed) {
    if (is_there.at(position.of(name))) continue;
    fail("column " + quoted(name) + " is missing in " + table.source() + "; there are " +
         detail::list_of(columns));
  }

  std::vector<std::size_t> order(columns.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return places[a] < places[b]; });
  std::vector<std::string> names;
  for (const std::size_t j : order) names.push_back(columns[j].name);
  const bool is_sorted = std::is_sorted(places.begin(), places.end());
  const Table<double> sorted = is_sorted ? table : table.select(names);

  auto with_levels = sorted.columns();
  Array<double> values = sorted.values();
  bool is_changed = false;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const Column& from = sorted.columns()[k];
    const Column& before = known[places[order[k]]];
    if (from.levels == before.levels) continue;
    is_changed = true;
    with_levels[k].levels = before.levels;
    if (sorted.rows() == 0) continue;
    recode(values.mutate() + k, sorted.rows(), order.size(), from, with_levels[k]);
  }
  if (!is_changed) return sorted;
  return TableAccess::with(Table<double>(std::move(with_levels), values, table.source()),
                           TableAccess::provenance(table));
}

/// The result of a transform, with the origin of the rows of its input.
Table<double> Transform::finished(Table<double> result, const Table<double>& from) const {
  if (result.rows() != from.rows()) {
    fail(detail::count_of(result.rows(), "row") + " came of " +
         detail::count_of(from.rows(), "row"));
  }
  auto provenance = TableAccess::provenance(from);
  if (learns() && !provenance.is_apart_from(fitted_on_)) provenance.learned_by = type();
  // A pipeline's result went through its steps, which noted what they took.
  if (const auto& by_steps = TableAccess::provenance(result).taken; !by_steps.empty()) {
    provenance.taken = by_steps;
  }
  for (std::string& name : taken(result.columns())) {
    provenance.taken.push_back({std::move(name), type()});
  }
  return TableAccess::with(std::move(result), std::move(provenance));
}

void Transform::each_member(Fields& fields) {
  fields("inputs", inputs_);
  fields("rows", rows_);
  each(fields);
}

template <Real T>
void Transform::fit(const Table<T>& training) {
  const auto table = widened(training);
  begin_fit(table);
  learn(table);
  end_fit(table);
}
EBB_OVERLOAD_FOR_REALS(Transform::fit, void(const Table<T>&))

template <Real T>
Table<T> Transform::fit_transform(const Table<T>& training) {
  const auto table = widened(training);
  begin_fit(table);
  auto result = made_by(*this, [&] { return learn_apply(table); });
  end_fit(table);
  return narrowed<T>(finished(std::move(result), table));
}
EBB_OVERLOAD_FOR_REALS(Transform::fit_transform, Table<T>(const Table<T>&))

template <Real T>
Table<T> Transform::transform(const Table<T>& table) const {
  check_fitted("transform");
  const auto& provenance = TableAccess::provenance(table);
  if (learns()) {
    const std::string leak = provenance.leak_from(fitted_on_);
    if (!leak.empty()) {
      fail("held-out rows of " + table.source() + ": " + leak +
           "; split first, then fit it on the training part");
    }
  }
  const bool are_theirs = provenance.is_part_of(fitted_on_) || fitted_on_.is_part_of(provenance);
  const bool may_be_theirs =
      provenance.role == Role::training && !provenance.is_apart_from(fitted_on_);
  if (is_out_of_fold() && (are_theirs || may_be_theirs)) {
    fail(
        "transform of training rows after a fit on them would give them codes with their own "
        "targets; fit_transform gives them codes from the other rows");
  }
  const auto known = arranged(widened(table), inputs_, uses());
  return narrowed<T>(finished(apply(known), known));
}
EBB_OVERLOAD_FOR_REALS(Transform::transform, Table<T>(const Table<T>&) const)

template <Real T>
Table<T> Transform::inverse(const Table<T>& transformed) const {
  check_fitted("inverse");
  const auto known = arranged(widened(transformed), outputs_, {});
  auto provenance = TableAccess::provenance(known);
  return narrowed<T>(TableAccess::with(undo(known), std::move(provenance)));
}
EBB_OVERLOAD_FOR_REALS(Transform::inverse, Table<T>(const Table<T>&) const)

}  // namespace ebb::inline v0::data
