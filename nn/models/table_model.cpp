// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/table_model.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/transforms/encoding.hpp"
#include "ebb/data/transforms/imputation.hpp"
#include "ebb/data/transforms/scaling.hpp"

namespace ebb::inline v0::nn::detail {
namespace {

using data::Kind;

std::string quoted(const std::string& name) { return "\"" + name + "\""; }

/// What makes numbers without holes of the columns beside the target.
template <class T>
data::Pipeline pipeline_for(const data::Table<T>& training) {
  const auto has = [&](Kind kind) {
    return std::any_of(training.columns().begin(), training.columns().end(),
                       [&](const data::Column& column) {
                         return column.kind == kind && column.name != training.target();
                       });
  };
  data::Pipeline pipeline;
  if (has(Kind::numeric)) pipeline.add(data::Impute()).add(data::Standardize());
  if (has(Kind::categorical)) {
    pipeline.add(
        data::OneHot({.unknown = data::Unknown::ignore, .missing = data::Unknown::ignore}));
  }
  return pipeline;
}

/// The name of the target. @throws ArgumentError if there is none.
template <class T>
const std::string& target_of(const data::Table<T>& table, const std::string& name) {
  if (!name.empty()) return name;
  if (!table.target().empty()) return table.target();
  throw ArgumentError("TableModel: the table has no target; name one, as in fit(table, \"price\")");
}

/// The column of the target. @throws ArgumentError if it is not there.
template <class T>
const data::Column& column_of(const data::Table<T>& table, const std::string& target) {
  for (const data::Column& column : table.columns())
    if (column.name == target) return column;
  std::string all;
  for (const std::string& name : table.names()) all += (all.empty() ? "" : ", ") + name;
  throw ArgumentError("TableModel: " + table.source() + " has no column " + quoted(target) +
                      ", which is the target; there are " + all);
}

/// The values of the target. @throws ArgumentError where one is missing.
template <class T>
Array<T> values_of(const data::Table<T>& table, const std::string& target) {
  static_cast<void>(column_of(table, target));
  Array<T> values = table.column(target);
  for (std::int64_t i = 0; i < values.size(); ++i) {
    if (!std::isnan(values[i])) continue;
    throw ArgumentError("TableModel: the target " + quoted(target) + " of row " +
                        std::to_string(i) + " of " + table.source() +
                        " is missing; leave out such rows (Table::filter)");
  }
  return values;
}

}  // namespace

template <Real T>
void read_target(const data::Table<T>& table, const std::string& name, Targets& to) {
  const data::Column& column = column_of(table, target_of(table, name));
  if (column.kind == Kind::categorical) {
    throw ArgumentError("TableModel: the target " + quoted(column.name) + " of " + table.source() +
                        " has categories, as " +
                        (column.levels.empty() ? "none" : quoted(column.levels[0])) +
                        "; take a classifier");
  }
  to = values_of(table, column.name);
}

template <Real T>
void read_target(const data::Table<T>& table, const std::string& name, Labels& to) {
  const data::Column& column = column_of(table, target_of(table, name));
  const Array<T> values = values_of(table, column.name);
  if (column.kind == Kind::numeric) {
    to = values;
    return;
  }
  std::vector<std::string> words;
  for (const T code : values) words.push_back(column.levels[std::size_t(code)]);
  to = words;
}

TableRoad::TableRoad() = default;
TableRoad::TableRoad(const TableRoad&) = default;
TableRoad::TableRoad(TableRoad&&) noexcept = default;
TableRoad& TableRoad::operator=(const TableRoad&) = default;
TableRoad& TableRoad::operator=(TableRoad&&) noexcept = default;
TableRoad::~TableRoad() = default;
TableRoad::TableRoad(data::Pipeline pipeline) : pipeline_(std::move(pipeline)), is_own_(true) {}
TableRoad::TableRoad(data::Pipeline fitted, std::string target, std::vector<std::string> names)
    : pipeline_(std::move(fitted)),
      is_own_(true),
      target_(std::move(target)),
      names_(std::move(names)) {}

template <Real T>
Features TableRoad::fit(const data::Table<T>& training, const std::string& target) {
  const std::string name = target_of(training, target);
  values_of(training, name);
  const auto known = training.with_target(name);
  auto pipeline = is_own_ ? pipeline_ : pipeline_for(known);
  if (pipeline.size() == 0 && !is_own_) {
    throw ArgumentError("TableModel: " + training.source() + " has no column but the target " +
                        quoted(name));
  }
  const auto changed = pipeline.fit_transform(known);
  const auto rows = changed.split_target(name);
  pipeline_ = std::move(pipeline);
  target_ = name;
  names_ = rows.features;
  return rows.x;
}

template <Real T>
Features TableRoad::features(const data::Table<T>& table) const {
  if (target_.empty()) {
    throw ArgumentError("TableModel: it is not fitted yet; call fit(table, \"target\") before");
  }
  const auto changed = pipeline_.transform(table).select(names_);
  for (std::size_t j = 0; j < names_.size(); ++j) {
    const auto column = changed.column(names_[j]);
    for (std::int64_t i = 0; i < column.size(); ++i) {
      if (!std::isnan(column[i])) continue;
      throw ArgumentError("TableModel: " + quoted(names_[j]) + " of row " + std::to_string(i) +
                          " of " + table.source() +
                          " is missing; add data::Impute to the pipeline");
    }
  }
  return changed.values();
}

void TableRoad::each(Parts& part) {
  const std::string before =
      pipeline_.is_fitted() ? data::detail::PipelineAccess::text(pipeline_) : std::string();
  std::string text = before;
  part("pipeline", text);
  if (text != before) {
    if (text.empty()) {
      pipeline_ = data::Pipeline();
    } else {
      const data::detail::BinaryFile file(std::as_bytes(std::span(text.data(), text.size())),
                                          "the pipeline of a TableModel");
      pipeline_ = data::detail::read_pipeline(file, data::detail::PipelineAccess::steps(pipeline_));
    }
  }
  part("target", target_);
  part("features", names_);
}

#define EBB_TABLES(T)                                                                     \
  template EBB_API Features TableRoad::fit(const data::Table<T>&, const std::string&);    \
  template EBB_API Features TableRoad::features(const data::Table<T>&) const;             \
  template EBB_API void read_target(const data::Table<T>&, const std::string&, Targets&); \
  template EBB_API void read_target(const data::Table<T>&, const std::string&, Labels&);
EBB_TABLES(float)
EBB_TABLES(double)
#undef EBB_TABLES

}  // namespace ebb::inline v0::nn::detail
