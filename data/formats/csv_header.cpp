// SPDX-License-Identifier: BSD-3-Clause
// The names of the columns of a delimited text file.
#include <algorithm>
#include <unordered_map>

#include "ebb/data/formats/csv_pass.hpp"
#include "ebb/data/tables/columns.hpp"

namespace ebb::inline v0::data::detail {

template <class T>
void CsvPass<T>::read_header(const BinaryFile& file) {
  file_.skip_comments();
  if (file_.at_end()) {
    file_.fail({},
               options_.header
                   ? "the file is empty; a line of column names and rows of numbers are expected"
                   : "the file is empty; rows of numbers are expected");
  }
  if (!options_.header) return name_columns(file);
  std::unordered_map<std::string, std::size_t> seen;
  NumberNames numbers;
  std::optional<Mark> unnamed;  // the index column
  do {
    std::string name(file_.text());
    if (!options_.number_names) {
      numbers.add(name, file_.mark(), is_missing(name), options_.decimal);
    }
    if (name.empty() && columns_.empty() && !file_.row_ended()) {
      unnamed = file_.mark();
      columns_.push_back({.name = {}});
      continue;
    }
    check_name(name, numbers);
    file_.take(std::int64_t(2 * name.size() + sizeof(ColumnState)) + 2 * text_overhead);
    const auto [other, is_new] = seen.emplace(name, columns_.size() + 1);
    if (!is_new) {
      if (numbers.is_row()) fail_number_name(numbers);
      file_.fail(file_.mark(), "the name " + quoted(name) + " occurs twice, first for column " +
                                   std::to_string(other->second) + "; rename one of them");
    }
    columns_.push_back({.name = std::move(name)});
  } while (!file_.row_ended());
  if (numbers.is_row()) fail_number_name(numbers);
  first_line_ = numbers;
  find_index_column(file, unnamed);
}

/// Names that are partly numbers may be years, or the first line a row: then a text of it is
/// likely to be in its column again.
/// @throws FileError if the first line has a number, and the k-th column that is read its own name.
template <class T>
void CsvPass<T>::check_first_line(std::size_t k) const {
  const ColumnState& column = columns_[read_[k]];
  if (first_line_.count > 0 && column.levels.find(column.name) >= 0) fail_number_name(first_line_);
}

/// Checks the name of a column before it is added.
template <class T>
void CsvPass<T>::check_name(const std::string& name, const NumberNames& numbers) const {
  if (name.empty()) {
    if (numbers.is_row()) fail_number_name(numbers);
    file_.fail(file_.mark(), "column " + std::to_string(columns_.size() + 1) +
                                 " has no name; the first line names every column");
  }
  if (!is_utf8(name)) {
    file_.fail(file_.mark(), "the name " + quoted(name) + why_not_utf8(name));
  }
  if (columns_.empty() && file_.row_ended() && !file_.was_quoted()) {
    const std::size_t other = name.find_first_of(other_separators);
    if (other != name.npos && name[other] != options_.separator) {
      file_.fail(file_.mark(), one_column(name, name[other]));
    }
  }
}

/// Names or leaves out a first column without a name, which has an empty one, as pandas writes it,
/// or none, as R does.
template <class T>
void CsvPass<T>::find_index_column(const BinaryFile& file, const std::optional<Mark>& unnamed) {
  if (options_.index_column == IndexColumn::error) {
    if (!unnamed) return;
    file_.fail(*unnamed,
               "the first column has no name, as the row numbers that pandas and R write; set "
               "CsvOptions::index_column to IndexColumn::drop to leave it out, or to keep");
  }
  if (!unnamed) {
    if (count_fields(file) != columns_.size() + 1) return;
    columns_.insert(columns_.begin(), ColumnState{.name = {}});
  }
  ColumnState& index = columns_.front();
  index.is_read = options_.index_column == IndexColumn::keep;
  if (!index.is_read) return;
  const auto same = std::find_if(columns_.begin(), columns_.end(), [&](const ColumnState& column) {
    return column.name == options_.index_name;
  });
  if (same != columns_.end()) {
    file_.fail(unnamed.value_or(Mark{}), "the first column is to be named " +
                                             quoted(options_.index_name) +
                                             ", as another is; set CsvOptions::index_name");
  }
  index.name = options_.index_name;
}

template <class T>
void CsvPass<T>::fail_number_name(const NumberNames& numbers) const {
  file_.fail(numbers.mark, "the first line has the number " + quoted(numbers.text) +
                               " where a name is expected; set CsvOptions::header to false if the "
                               "line is a row, or number_names to true if it has names");
}

/// The number of fields in the first row, which is read again later; 0 without rows.
template <class T>
std::size_t CsvPass<T>::count_fields(const BinaryFile& file) const {
  ReadSession silent({.max_bytes = options_.read.max_bytes});
  CsvScanner first(file, silent, options_.separator, options_.decimal, options_.comment);
  first.skip_comments();
  if (options_.header) {
    do first.text();
    while (!first.row_ended());
    do first.skip_comments();
    while (first.skip_blank_line());
  }
  std::size_t count = 0;
  if (first.at_end()) return count;
  do {
    first.text();
    ++count;
  } while (!first.row_ended());
  return count;
}

/// Names the columns of a file without a header by number.
template <class T>
void CsvPass<T>::name_columns(const BinaryFile& file) {
  for (std::size_t left = count_fields(file); left > 0; --left) {
    file_.take(std::int64_t(sizeof(ColumnState)) + 2 * text_overhead);
    columns_.push_back({.name = "column" + std::to_string(columns_.size() + 1)});
  }
}

/// Chooses the columns that are read.
template <class T>
void CsvPass<T>::select_columns() {
  if (!options_.select.empty()) {
    std::vector<Column> columns;
    for (ColumnState& column : columns_) {
      columns.push_back({column.is_read ? column.name : std::string()});
      column.is_read = false;
    }
    const Positions positions(columns);
    for (const std::string& name : options_.select) {
      const std::size_t j = name.empty() ? no_column : positions.of(name);
      if (j == no_column) {
        if (columns.front().name.empty()) columns.erase(columns.begin());
        file_.fail({}, "no column " + quoted(name) + " to select; there are " + list_of(columns));
      }
      columns_[j].is_read = true;
    }
  }
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    if (columns_[j].is_read) read_.push_back(j);
  }
}

template void CsvPass<float>::read_header(const BinaryFile&);
template void CsvPass<double>::read_header(const BinaryFile&);
template void CsvPass<float>::check_first_line(std::size_t) const;
template void CsvPass<double>::check_first_line(std::size_t) const;
template void CsvPass<float>::select_columns();
template void CsvPass<double>::select_columns();

}  // namespace ebb::inline v0::data::detail
