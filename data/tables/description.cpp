// SPDX-License-Identifier: BSD-3-Clause
// Summaries of tables: the statistics of their columns, and how tables and summaries print.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <ostream>

#include "ebb/autodiff/values/instances.hpp"
#include "ebb/data/tables/statistics.hpp"
#include "ebb/data/tables/table.hpp"

namespace ebb::inline v0::data {
namespace {

using Cells = std::vector<std::vector<std::string>>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

void describe_numbers(std::vector<double>& present, ColumnDescription& to) {
  if (present.empty()) {
    to.mean = to.sd = to.minimum = to.lower_quartile = nan;
    to.median = to.upper_quartile = to.maximum = nan;
    return;
  }
  std::sort(present.begin(), present.end());
  const auto n = double(present.size());
  const Array<double> column({std::int64_t(present.size()), 1}, std::span<const double>(present));
  const detail::Moments moments = detail::column_moments(column).front();
  to.mean = moments.mean;
  to.sd = n > 1 ? moments.deviation * std::sqrt(n / (n - 1)) : nan;
  to.minimum = present.front();
  to.lower_quartile = detail::quantile_of_sorted(present, 0.25);
  to.median = detail::quantile_of_sorted(present, 0.5);
  to.upper_quartile = detail::quantile_of_sorted(present, 0.75);
  to.maximum = present.back();
}

void describe_categories(const std::vector<double>& present, const Column& column,
                         ColumnDescription& to) {
  to.levels = std::int64_t(column.levels.size());
  std::vector<std::int64_t> counts(column.levels.size());
  for (const double code : present) ++counts[std::size_t(code)];
  const auto most = std::max_element(counts.begin(), counts.end());
  if (most == counts.end()) return;
  to.frequency = *most;
  if (*most > 0) to.most_frequent = column.levels[std::size_t(most - counts.begin())];
}

/// A number with at most `digits` significant digits.
std::string short_number(double x, int digits) {
  if (std::isnan(x)) return "NaN";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, x, std::chars_format::general, digits);
  return {text, end.ptr};
}

/// A text for a cell: without control characters, and shortened.
std::string short_text(const std::string& text) {
  constexpr std::size_t longest = 24;
  std::string out;
  std::size_t characters = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) != 0x80 && ++characters > longest) return out + "...";
    out += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return out;
}

/// The number of characters of a UTF-8 text, each counted as one wide.
std::size_t width_of(const std::string& text) {
  return std::size_t(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

/// Prints rows of cells, all with the same number of cells. The first column is aligned left, the
/// others right.
void print(std::ostream& out, const Cells& cells) {
  std::vector<std::size_t> widths(cells.front().size());
  for (const auto& row : cells) {
    for (std::size_t j = 0; j < row.size(); ++j) widths[j] = std::max(widths[j], width_of(row[j]));
  }
  for (const auto& row : cells) {
    for (std::size_t j = 0; j < row.size(); ++j) {
      const std::string padding(widths[j] - width_of(row[j]), ' ');
      if (j > 0) out << "  " << padding;
      out << row[j];
      if (j == 0 && row.size() > 1) out << padding;
    }
    out << '\n';
  }
}

}  // namespace

template <Real T>
Description Table<T>::describe() const {
  Description description{.rows = rows()};
  std::vector<double> present;
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    const Column& column = columns_[j];
    ColumnDescription one{.name = column.name, .kind = column.kind};
    present.clear();
    for (std::int64_t i = 0; i < rows(); ++i) {
      const T value = values_.data()[std::size_t(i) * columns_.size() + j];
      if (!std::isnan(value)) present.push_back(double(value));
    }
    one.count = std::int64_t(present.size());
    one.missing = rows() - one.count;
    if (column.kind == Kind::numeric) {
      describe_numbers(present, one);
    } else {
      describe_categories(present, column, one);
    }
    description.columns.push_back(std::move(one));
  }
  return description;
}

std::ostream& operator<<(std::ostream& out, const Description& description) {
  Cells numbers{{"", "count", "missing", "mean", "sd", "min", "25%", "50%", "75%", "max"}};
  Cells categories{{"", "count", "missing", "levels", "most frequent", "times"}};
  for (const auto& c : description.columns) {
    std::vector<std::string> row{short_text(c.name), std::to_string(c.count),
                                 std::to_string(c.missing)};
    if (c.kind == Kind::numeric) {
      for (const double x :
           {c.mean, c.sd, c.minimum, c.lower_quartile, c.median, c.upper_quartile, c.maximum}) {
        row.push_back(short_number(x, 6));
      }
      numbers.push_back(std::move(row));
    } else {
      row.push_back(std::to_string(c.levels));
      row.push_back(short_text(c.most_frequent));
      row.push_back(std::to_string(c.frequency));
      categories.push_back(std::move(row));
    }
  }
  if (numbers.size() > 1) print(out, numbers);
  if (numbers.size() > 1 && categories.size() > 1) out << '\n';
  if (categories.size() > 1) print(out, categories);
  return out;
}

template <Real T>
std::ostream& operator<<(std::ostream& out, const Table<T>& table) {
  constexpr std::size_t most_columns = 8;
  constexpr std::int64_t most_rows = 8;
  const auto& columns = table.columns();
  const std::size_t shown = std::min(columns.size(), most_columns);
  const bool more_columns = shown < columns.size();
  Cells cells(1, {""});
  for (std::size_t j = 0; j < shown; ++j) cells[0].push_back(short_text(columns[j].name));
  if (more_columns) cells[0].emplace_back("...");
  for (std::int64_t i = 0; i < std::min(table.rows(), most_rows); ++i) {
    std::vector<std::string> row{std::to_string(i)};
    for (std::size_t j = 0; j < shown; ++j) {
      const T value = table.values()(i, std::int64_t(j));
      const bool is_level = columns[j].kind == Kind::categorical && !std::isnan(value);
      row.push_back(is_level ? short_text(columns[j].levels[std::size_t(value)])
                             : short_number(double(value), 6));
    }
    if (more_columns) row.emplace_back("...");
    cells.push_back(std::move(row));
  }
  print(out, cells);
  if (table.rows() > most_rows) out << "...\n";
  return out << table.rows() << (table.rows() == 1 ? " row, " : " rows, ") << columns.size()
             << (columns.size() == 1 ? " column\n" : " columns\n");
}
EBB_OVERLOAD_FOR_REALS(operator<<, std::ostream&(std::ostream&, const Table<T>&))
template Description Table<float>::describe() const;
template Description Table<double>::describe() const;

}  // namespace ebb::inline v0::data
