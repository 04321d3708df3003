// SPDX-License-Identifier: BSD-3-Clause
// One way through a delimited text file, row by row.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/formats/csv_columns.hpp"
#include "ebb/data/formats/csv_options.hpp"
#include "ebb/data/formats/csv_scanner.hpp"

namespace ebb::inline v0::data::detail {

/// A column while it is read.
struct Incoming {
  std::string name;
  Kind kind = Kind::numeric;
  bool is_sure = false;  ///< the kind was given, or found
  Levels levels = {};
};

/// One way through a file. Kinds that are not given are taken for numeric until a field says
/// otherwise; then the rest of the file is searched for more such columns, and all of it is to be
/// read again with what was found.
template <class T>
class CsvPass {
 public:
  CsvPass(const BinaryFile& file, ReadSession& session, const CsvOptions& options)
      : file_(file, session, options.separator, options.comment),
        name_(file.name()),
        options_(options) {
    if (std::abs(options.constant) > double(std::numeric_limits<T>::max())) {
      throw ArgumentError("CsvOptions: the constant for missing values is more than float holds");
    }
    names_are_numbers_ = std::any_of(options.missing_names.begin(), options.missing_names.end(),
                                     [](const std::string& name) {
                                       T ignored = 0;
                                       return spelled_number(name, ignored) == Spelled::number;
                                     });
    read_header();
    if (!options.header) name_columns(file);
  }

  /// The table, if the kinds of all columns held. Otherwise `kinds` are what they are.
  std::optional<Table<T>> read(std::vector<Kind>& kinds);

  // Or row by row, where the options give all columns a kind.

  /// Names and kinds. Call it before the first row.
  std::vector<Column> columns();
  /// The next row that no missing value drops; false at the end.
  bool next(T* row);
  /// Where the next row, or what is skipped before it, begins.
  Place place() const { return file_.place(); }
  /// Goes on with the rows of [from, end) of the file.
  void seek(const BinaryFile& file, const Place& from, std::int64_t end) {
    file_.seek(file, from, end);
  }
  /// @throws FileError where the whole file gave no rows.
  void require_rows(std::int64_t rows) const;
  [[noreturn]] void fail(const std::string& what) const { file_.fail(file_.here(), what); }

 private:
  void read_header();
  void name_columns(const BinaryFile& file);
  void set_kinds(const std::vector<Kind>& known);
  bool skip_to_row();
  void read_row(T* row);
  void read_field(std::size_t j, T& value);
  void read_category(std::size_t j, T& value);
  void read_number(std::size_t j, T& value);
  void search_row();
  void search_field(Incoming& column);
  void miss(std::size_t j, T& value);
  bool is_missing(std::string_view text) const;
  bool fill(Array<T>& values) const;
  void sort_levels(std::vector<Column>& columns, Array<T>& values) const;
  [[noreturn]] void refuse(std::size_t j, const std::string& what) const {
    file_.fail(file_.mark(), "column " + quoted(columns_[j].name) + ": " + what);
  }
  void check_end(std::size_t j) const;

  CsvScanner file_;
  const std::string& name_;
  const CsvOptions& options_;
  std::vector<Incoming> columns_;
  std::vector<std::size_t> numbers_from_;  ///< how many numeric columns stand side by side from one
  bool drops_row_ = false;                 ///< the row that is read misses a value
  bool has_rows_ = false;                  ///< dropped or not
  bool is_surprised_ = false;              ///< a kind did not hold, or is needed to tell
  bool names_are_numbers_ = false;         ///< some of those that stand for missing values
};

}  // namespace ebb::inline v0::data::detail
