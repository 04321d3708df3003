// SPDX-License-Identifier: BSD-3-Clause
// One pass over a delimited text file, row by row.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/csv_scanner.hpp"
#include "ebb/data/formats/csv_columns.hpp"
#include "ebb/data/formats/csv_names.hpp"
#include "ebb/data/formats/csv_options.hpp"

namespace ebb::inline v0::data::detail {

/// The kind of a column as one pass found it, and the first field that is not a number.
struct FoundKind {
  Kind kind = Kind::numeric;
  Mark mark = {};
  std::string text = {};
};

/// The state of one column while the file is read.
struct ColumnState {
  std::string name;
  FoundKind found = {};
  bool is_given = false;  ///< the options say the kind
  bool is_read = true;    ///< otherwise its fields are skipped
  bool is_sure = false;   ///< the kind was given, or a field has decided it
  Levels levels = {};
  std::int64_t known_levels = 0;  ///< the number of levels that come first

  Kind kind() const { return found.kind; }
};

/// One pass over a file. A column without a given kind is taken for numeric until a field is not a
/// number. The rest of the file is then only searched for more such columns, and the whole file is
/// to be read again with the kinds that were found.
template <class T>
class CsvPass {
 public:
  CsvPass(const BinaryFile& file, ReadSession& session, const CsvOptions& options)
      : file_(file, session, options.separator, options.decimal, options.comment),
        name_(file.name()),
        options_(options) {
    if (std::abs(options.constant) > double(std::numeric_limits<T>::max())) {
      throw ArgumentError("CsvOptions: the constant for missing values is more than float holds");
    }
    names_are_numbers_ = std::any_of(
        options.missing_names.begin(), options.missing_names.end(), [&](const std::string& name) {
          T ignored = 0;
          return spelled_number(name, ignored, options.decimal) == Spelled::number;
        });
    read_header(file);
    select_columns();
  }

  /// The table, if the kinds of all columns were right. Otherwise nothing, and `kinds` are the
  /// right ones.
  std::optional<Table<T>> read(std::vector<FoundKind>& kinds);

  // The functions below read row by row. They need a kind for every column in the options.

  /// The names and kinds of the columns that are read, from left to right. Call it before the first
  /// row.
  std::vector<Column> columns();
  /// Reads the next row, without rows that a missing value drops; false at the end.
  bool next(T* row);
  /// Where the next row begins, or text before it that is skipped.
  Place place() const { return file_.place(); }
  /// Continues with the rows in the bytes from `from` to `end` of the file, as `TextFile::seek`.
  void seek(const BinaryFile& file, const Place& from, std::int64_t end, const GzipPoint* point) {
    file_.seek(file, from, end, point);
  }
  void collect_points(const BinaryFile& file, std::int64_t distance) {
    file_.collect_points(file, distance);
  }
  const std::vector<std::shared_ptr<const GzipPoint>>& points() const { return file_.points(); }
  /// The levels of the k-th column that is read, those of the options first. `codes`, of as many
  /// elements as there are codes, is true for those that occur.
  std::vector<std::string> sorted_levels(std::size_t k, const std::vector<bool>& codes) const;
  /// @throws FileError if the whole file has no rows.
  void check_has_rows(std::int64_t rows) const;
  [[noreturn]] void fail(const std::string& what) const { file_.fail(file_.here(), what); }

 private:
  void read_header(const BinaryFile& file);
  void check_name(const std::string& name, const NumberNames& numbers) const;
  void check_first_line(std::size_t k) const;
  void find_index_column(const BinaryFile& file, const std::optional<Mark>& unnamed);
  std::size_t count_fields(const BinaryFile& file) const;
  [[noreturn]] void fail_number_name(const NumberNames& numbers) const;
  void name_columns(const BinaryFile& file);
  void select_columns();
  void set_kinds(const std::vector<FoundKind>& known);
  bool skip_to_row();
  void read_row(T* row);
  void read_field(std::size_t j, T& value);
  void read_category(std::size_t j, T& value);
  void read_number(std::size_t j, T& value);
  Spelled spelled(std::string_view text, T& value) const {
    return spelled_number(text, value, options_.decimal);
  }
  void find_text(ColumnState& column);
  void check_separator(const ColumnState& column) const;
  void check_level_texts(std::size_t k, const Array<T>& values) const;
  std::string other_decimal(std::string_view text) const;
  void search_row();
  void search_field(ColumnState& column);
  void on_missing(std::size_t j, T& value);
  bool is_missing(std::string_view text) const;
  std::vector<Column> read_columns() const;
  bool fill(Array<T>& values) const;
  void sort_levels(std::vector<Column>& columns, Array<T>& values) const;
  [[noreturn]] void fail_at(std::size_t j, const std::string& what) const {
    file_.fail(file_.mark(), "column " + quoted(columns_[j].name) + ": " + what);
  }
  void check_end(std::size_t j) const;

  CsvScanner file_;
  const std::string& name_;
  const CsvOptions& options_;
  NumberNames first_line_ = {};       ///< the numbers among the names
  std::vector<ColumnState> columns_;  ///< all columns of the file
  std::vector<std::size_t> read_;     ///< the positions of those that are read
  /// For each column, how many numeric columns follow each other from there.
  std::vector<std::size_t> numbers_from_;
  bool drops_row_ = false;  ///< the current row has a missing value
  std::int64_t rows_ = 0;   ///< the rows so far, including dropped ones
  /// A column is not of the kind that was taken, or its kind must be found first.
  bool kinds_changed_ = false;
  bool names_are_numbers_ = false;  ///< some names of missing values are numbers
};

}  // namespace ebb::inline v0::data::detail
