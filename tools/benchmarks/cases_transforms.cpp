// SPDX-License-Identifier: BSD-3-Clause
// How the time of fitted transforms grows: the limit is the same work in smaller pieces, so that a
// ratio of ten would mean that everything is compared with everything.
#include <string>

#include "arrays.hpp"
#include "ebb/data/transforms/encoding.hpp"
#include "ebb/data/transforms/pipeline.hpp"
#include "ebb/data/transforms/scaling.hpp"
#include "ebb/data/transforms/target_encoding.hpp"

namespace bench {
namespace {

using ebb::data::Column, ebb::data::Kind, ebb::data::Table;

Table<double> zeros(std::int64_t rows, std::vector<Column> columns) {
  const auto width = std::int64_t(columns.size());
  return {std::move(columns), ebb::Array<double>::zeros({rows, width})};
}

Table<double> wide_table(std::int64_t width) {
  std::vector<Column> columns;
  for (std::int64_t j = 0; j < width; ++j) {
    Column column{"column " + std::to_string(j)};
    if (j % 2 == 1) column = {column.name, Kind::categorical, {"north", "south"}};
    columns.push_back(std::move(column));
  }
  return zeros(2, std::move(columns));
}

// Counts a fit of two steps on two rows of many columns, and the way there and back. The limit has
// a tenth of the columns, ten times.
Sides wide() {
  constexpr std::int64_t width = 20000, parts = 10;
  struct Tables {
    Table<double> whole = wide_table(width), part = wide_table(width / parts);
    static void fit(const Table<double>& table) {
      ebb::data::Pipeline pipeline{ebb::data::Standardize(), ebb::data::OneHot()};
      keep(pipeline.inverse(pipeline.fit_transform(table)));
    }
  };
  auto t = std::make_shared<Tables>();
  return {[t] { t->fit(t->whole); },
          [t] {
            for (std::int64_t i = 0; i < parts; ++i) t->fit(t->part);
          }};
}

// Counts the choice of nearly all columns by name, and of one by those to be dropped. The limit has
// a tenth of the columns, ten times.
Sides choice() {
  constexpr std::int64_t width = 20000, parts = 10;
  struct Choice {
    explicit Choice(std::int64_t columns) : table(wide_table(columns)), names(table.names()) {
      names.pop_back();
    }
    void run() const {
      keep(table.select(names));
      keep(table.drop(names));
    }
    Table<double> table;
    std::vector<std::string> names;
  };
  const auto whole = std::make_shared<const Choice>(width);
  const auto part = std::make_shared<const Choice>(width / parts);
  return {[whole] { whole->run(); },
          [part] {
            for (std::int64_t i = 0; i < parts; ++i) part->run();
          }};
}

// Counts the codes of as many folds as rows. The limit has five folds.
Sides folds() {
  constexpr std::int64_t rows = 4000;
  Column zone{"zone", Kind::categorical};
  for (std::int64_t i = 0; i < rows / 2; ++i) zone.levels.push_back(std::to_string(i));
  ebb::Array<double> values = ebb::Array<double>::zeros({rows, 2});
  for (std::int64_t i = 0; i < rows; ++i) values.mutate()[2 * i] = double(i % (rows / 2));
  auto table = std::make_shared<Table<double>>(std::vector<Column>{zone, {"price"}}, values);
  const auto encode = [table](std::int64_t count) {
    ebb::data::TargetEncode step({.target = "price", .folds = count});
    keep(step.fit_transform(*table));
  };
  return {[encode] { encode(rows); }, [encode] { encode(5); }};
}

}  // namespace

void add_transforms(std::vector<Case>& cases) {
  cases.push_back(versus("transforms/wide_table/20000/f64", "us", 2, wide));
  cases.push_back(versus("tables/chosen_columns/20000/f64", "us", 2, choice));
  cases.push_back(versus("transforms/leave_one_out/4000/f64", "us", 2, folds));
}

}  // namespace bench
