// SPDX-License-Identifier: BSD-3-Clause
// The names of the columns of a delimited text file.
#include <unordered_map>

#include "ebb/data/formats/csv_pass.hpp"

namespace ebb::inline v0::data::detail {

template <class T>
void CsvPass<T>::read_header() {
  file_.skip_comments();
  if (file_.at_end()) {
    file_.fail({},
               options_.header
                   ? "the file is empty; a line of column names and rows of numbers are expected"
                   : "the file is empty; rows of numbers are expected");
  }
  if (!options_.header) return;
  std::unordered_map<std::string, std::size_t> seen;
  NumberNames numbers;
  do {
    std::string name(file_.text());
    if (!options_.number_names) {
      numbers.add(name, file_.mark(), is_missing(name), options_.decimal);
    }
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
}

template <class T>
void CsvPass<T>::fail_number_name(const NumberNames& numbers) const {
  file_.fail(numbers.mark, "the first line has the number " + quoted(numbers.text) +
                               " where a name is expected; set CsvOptions::header to false if the "
                               "line is a row, or number_names to true if it has names");
}

/// Counts the fields of the first row of a file without a header, and names the columns by number.
/// The row is read again later.
template <class T>
void CsvPass<T>::name_columns(const BinaryFile& file) {
  ReadSession silent({.max_bytes = options_.read.max_bytes});
  CsvScanner first(file, silent, options_.separator, options_.decimal, options_.comment);
  first.skip_comments();
  do {
    first.text();
    file_.take(std::int64_t(sizeof(ColumnState)) + 2 * text_overhead);
    columns_.push_back({.name = "column" + std::to_string(columns_.size() + 1)});
  } while (!first.row_ended());
}

template void CsvPass<float>::read_header();
template void CsvPass<double>::read_header();
template void CsvPass<float>::name_columns(const BinaryFile&);
template void CsvPass<double>::name_columns(const BinaryFile&);

}  // namespace ebb::inline v0::data::detail
