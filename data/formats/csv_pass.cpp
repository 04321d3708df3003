// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/formats/csv_pass.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "ebb/data/tables/columns.hpp"

namespace ebb::inline v0::data::detail {
namespace {

/// True if a column with such levels is one of numbers with some texts by mistake, rather than one
/// of classes, whose names may be a few whole numbers.
bool are_numbers(const LevelKinds& levels, const auto& has_one_text_once) {
  constexpr std::int64_t many = 10, some = 3;  // different numbers
  if (levels.numbers == 0 || levels.texts == 0) return false;
  if (levels.numbers >= many && levels.numbers >= 10 * levels.texts) return true;
  if (levels.are_marks && levels.numbers >= levels.texts) return true;
  if (levels.has_fraction && levels.numbers > levels.texts) return true;
  return levels.texts == 1 && levels.numbers >= some && has_one_text_once();
}

}  // namespace

template <class T>
void CsvPass<T>::set_kinds(const std::vector<FoundKind>& known) {
  std::set<std::string_view> given;
  for (ColumnState& column : columns_) {
    const auto kind = options_.kinds.find(column.name);
    if (kind == options_.kinds.end()) continue;
    column.found.kind = kind->second;
    column.is_sure = column.is_given = true;
    given.insert(column.name);
  }
  for (const auto& [name, kind] : options_.kinds) {
    if (given.contains(name)) continue;
    throw ArgumentError("read_csv: the options give a kind to column " + quoted(name) + ", but " +
                        name_ + " has none of this name");
  }
  const Positions positions(options_.columns);
  for (ColumnState& column : columns_) {
    const std::size_t j = positions.of(column.name);
    if (j == no_column || column.is_given) continue;
    column.found.kind = options_.columns[j].kind;
    column.is_sure = column.is_given = true;
    for (const std::string& level : options_.columns[j].levels) {
      if (column.levels.find(level) < 0) column.levels.add(level);
    }
    column.known_levels = column.levels.size();
  }
  if (!known.empty() && known.size() != columns_.size()) {
    throw FileError(name_ + ": the file was changed while it was read; read it again");
  }
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    ColumnState& column = columns_[j];
    if (column.is_sure || (known.empty() && !options_.kind)) continue;
    column.found = options_.kind ? FoundKind{*options_.kind} : known[j];
    column.is_given = options_.kind.has_value();
    column.is_sure = true;
  }
  numbers_from_.assign(columns_.size(), 0);
  for (std::size_t j = columns_.size(), n = 0; j-- > 0;) {
    const bool is_number = columns_[j].is_read && columns_[j].kind() == Kind::numeric;
    n = is_number && !names_are_numbers_ ? n + 1 : 0;
    numbers_from_[j] = n;
  }
}

/// Skips comments, and empty lines at the end of the file. Returns false at the end, and after the
/// last row to be read.
template <class T>
bool CsvPass<T>::skip_to_row() {
  if (options_.n_rows > 0 && rows_ == options_.n_rows) return false;
  file_.skip_comments();
  const Mark mark = file_.here();
  bool blank = false;
  while (file_.skip_blank_line()) {
    blank = true;
    file_.skip_comments();
  }
  if (file_.at_end()) return false;
  if (blank) file_.fail(mark, "an empty line between rows; remove it");
  ++rows_;
  return true;
}

/// Checks after field j that the row ends with its last field, and not before.
template <class T>
void CsvPass<T>::check_end(std::size_t j) const {
  const bool is_last = j + 1 == columns_.size();
  if (file_.row_ended() == is_last) return;
  const auto expected = std::to_string(columns_.size()) +
                        (columns_.size() == 1 ? " field was expected" : " fields were expected");
  if (is_last) {
    const bool may_be_named = options_.header && rows_ == 1 && columns_.front().is_read &&
                              options_.index_column == IndexColumn::error;
    file_.fail(file_.here(),
               "the row continues; " + expected +
                   (may_be_named ? "; if its first is the name of the row, as R writes it, set "
                                   "CsvOptions::index_column"
                                 : ""));
  }
  file_.fail(file_.mark(), "the row ends after field " + std::to_string(j + 1) + "; " + expected);
}

template <class T>
void CsvPass<T>::read_row(T* row) {
  drops_row_ = false;
  for (std::size_t j = 0; j < columns_.size();) {
    if (!columns_[j].is_read) {
      file_.text();
      check_end(j++);
      continue;
    }
    const std::size_t numbers = file_.numbers(row, numbers_from_[j]);
    if (numbers == 0) read_field(j, *row);
    const std::size_t fields = std::max(numbers, std::size_t(1));
    row += fields;
    j += fields;
    check_end(j - 1);
  }
}

/// Reads a field that is not a number in a common format.
template <class T>
void CsvPass<T>::read_field(std::size_t j, T& value) {
  file_.text();
  if (columns_[j].kind() == Kind::categorical) {
    read_category(j, value);
  } else {
    read_number(j, value);
  }
}

template <class T>
bool CsvPass<T>::is_missing(std::string_view text) const {
  const auto& names = options_.missing_names;
  return std::find(names.begin(), names.end(), text) != names.end();
}

/// Handles a field that is missing.
template <class T>
void CsvPass<T>::on_missing(std::size_t j, T& value) {
  value = std::numeric_limits<T>::quiet_NaN();
  if (options_.missing == Missing::drop_row) drops_row_ = true;
  if (options_.missing == Missing::error) {
    fail_at(j, "the value is missing; fill it in or remove the row, or set CsvOptions::missing");
  }
  const bool is_filled = options_.missing != Missing::drop_row && options_.missing != Missing::nan;
  if (is_filled && columns_[j].kind() == Kind::categorical) {
    fail_at(j,
            "a category is missing, which only numbers can be filled in for; read it as NaN or "
            "drop the row");
  }
}

template <class T>
void CsvPass<T>::read_number(std::size_t j, T& value) {
  ColumnState& column = columns_[j];
  const std::string_view text = file_.last_text();
  const Spelled found = spelled(text, value);
  if (found == Spelled::number && !(names_are_numbers_ && is_missing(text))) {
    if (options_.read.round_integers || !is_rounded(text, value)) return;
    if (column.is_sure) {
      fail_at(j, quoted(text) + why_rounded(text, value,
                                            "give it Kind::categorical in CsvOptions::kinds if it "
                                            "is a name, or set read.round_integers"));
    }
    kinds_changed_ = true;  // with its kind known, the next pass fails here
    return;
  }
  if (is_missing(text)) {
    // A quoted text may be a level, which is not missing.
    if (!column.is_sure && file_.was_quoted() && !text.empty() &&
        options_.missing != Missing::nan) {
      kinds_changed_ = true;
    } else {
      on_missing(j, value);
    }
  } else if (!column.is_sure) {
    if (found == Spelled::nothing) find_text(column);
    kinds_changed_ = true;
  } else if (text.empty()) {
    fail_at(j, "the value is missing, and CsvOptions::missing_names do not allow for it");
  } else {
    fail_at(j, quoted(text) + ' ' + why_no_number<T>(found) + other_decimal(text));
  }
}

template <class T>
void CsvPass<T>::read_category(std::size_t j, T& value) {
  ColumnState& column = columns_[j];
  const std::string_view text = file_.last_text();
  if ((text.empty() || !file_.was_quoted()) && is_missing(text)) return on_missing(j, value);
  std::int64_t code = column.levels.find(text);
  if (code < 0) {
    constexpr auto most = std::int64_t(1) << std::numeric_limits<T>::digits;
    if (!is_utf8(text)) fail_at(j, quoted(text) + why_not_utf8(text));
    if (column.levels.size() == most) {
      fail_at(j, "more levels than float can number; read the file as double");
    }
    file_.take(std::int64_t(2 * text.size()) + text_overhead);
    code = column.levels.add(text);
  }
  value = T(code);
}

/// Makes a column categorical because the field that was read last is not a number.
template <class T>
void CsvPass<T>::find_text(ColumnState& column) {
  column.found = {Kind::categorical, file_.mark(), std::string(file_.last_text())};
  if (columns_.size() == 1 && !file_.was_quoted()) check_separator(column);
}

/// @throws FileError if the only field of a row is several numbers with a separator between them.
template <class T>
void CsvPass<T>::check_separator(const ColumnState& column) const {
  for (const char c : std::string(other_separators) + ' ') {
    if (c == options_.separator) continue;
    std::string_view rest = column.found.text;
    bool are_numbers = true;
    for (std::size_t end = 0; are_numbers && end != rest.npos;) {
      if (c == ' ') rest.remove_prefix(std::min(rest.find_first_not_of(c), rest.size()));
      end = rest.find(c);
      T ignored = 0;
      are_numbers = spelled(rest.substr(0, end), ignored) != Spelled::nothing;
      if (end != rest.npos) rest.remove_prefix(end + 1);
    }
    if (are_numbers) file_.fail(file_.mark(), one_column(column.found.text, c));
  }
}

/// What to do about a text that is a number if the other decimal mark is its own; else "".
template <class T>
std::string CsvPass<T>::other_decimal(std::string_view text) const {
  const bool has_point = options_.decimal == '.';
  T ignored = 0;
  if (spelled_number(text, ignored, has_point ? ',' : '.') != Spelled::number) return {};
  return std::string("; set CsvOptions::decimal to ") + (has_point ? "','" : "'.'") + " if the " +
         (has_point ? "comma" : "point") + " is its decimal mark";
}

/// @throws FileError if the k-th column that is read has levels only because of some texts that a
/// column of numbers should not have, or because of the other decimal mark.
template <class T>
void CsvPass<T>::check_level_texts(std::size_t k, const Array<T>& values) const {
  const ColumnState& column = columns_[read_[k]];
  if (column.is_given || column.kind() == Kind::numeric) return;
  const std::string& text = column.found.text;
  const char other = options_.decimal == '.' ? ',' : '.';
  if (column.levels.size() > 0 && column.levels.kinds(other).texts == 0) {
    file_.fail(column.found.mark, "column " + quoted(column.name) + ": " + quoted(text) +
                                      " is not a number" + other_decimal(text) +
                                      ", or give the column Kind::categorical in "
                                      "CsvOptions::kinds");
  }
  const LevelKinds levels = column.levels.kinds(options_.decimal);
  if (!are_numbers(levels, [&] {
        const auto code = T(column.levels.find(text));
        std::int64_t count = 0;
        for (auto i = std::int64_t(k); i < values.size(); i += std::int64_t(read_.size()))
          count += values[i] == code;
        return count == 1;
      })) {
    return;
  }
  file_.fail(column.found.mark,
             "column " + quoted(column.name) + ": " + quoted(text) + " is not a number, but " +
                 std::to_string(levels.numbers) + " of the " +
                 std::to_string(levels.numbers + levels.texts) +
                 " different values are; correct it, add it to CsvOptions::missing_names" +
                 (options_.missing == Missing::error ? " and set CsvOptions::missing" : "") +
                 " if it means a missing value, or give the column Kind::categorical in "
                 "CsvOptions::kinds");
}

/// Only finds columns that are not numeric.
template <class T>
void CsvPass<T>::search_row() {
  T ignored = 0;
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    const bool is_number = columns_[j].is_read && columns_[j].kind() == Kind::numeric;
    if (!is_number || file_.numbers(&ignored, 1) == 0) {
      file_.text();
      search_field(columns_[j]);
    }
    check_end(j);
  }
}

template <class T>
void CsvPass<T>::search_field(ColumnState& column) {
  if (!column.is_read || column.is_sure || column.kind() == Kind::categorical) return;
  T ignored = 0;
  const std::string_view text = file_.last_text();
  if (spelled(text, ignored) == Spelled::nothing && !is_missing(text)) find_text(column);
}

/// Replaces NaN by the numbers that the policy asks for. Returns true if it computed one from the
/// rows.
template <class T>
bool CsvPass<T>::fill(Array<T>& values) const {
  const bool is_constant = options_.missing == Missing::constant;
  if (!is_constant && options_.missing != Missing::mean && options_.missing != Missing::median) {
    return false;
  }
  bool learned = false;
  const auto width = std::int64_t(read_.size());
  for (std::int64_t k = 0; k < width; ++k) {
    std::vector<T> present;
    std::vector<std::int64_t> missing;
    for (std::int64_t i = k; i < values.size(); i += width) {
      const T value = values[i];
      if (std::isnan(value)) {
        missing.push_back(i);
      } else if (!is_constant) {
        present.push_back(value);
      }
    }
    if (missing.empty()) continue;
    double value = options_.constant;
    if (!is_constant) {
      learned = true;
      if (present.empty()) {
        file_.fail({},
                   "column " + quoted(columns_[read_[std::size_t(k)]].name) +
                       " has no value to fill in for the others; drop it or fill in a constant");
      }
      const Shape shape{std::int64_t(present.size()), 1};
      const Table<T> column({{.name = "x"}}, Array<T>(shape, std::span<const T>(present)));
      const auto description = column.describe().columns.front();
      value = options_.missing == Missing::mean ? description.mean : description.median;
    }
    T* const out = values.mutate();
    for (const std::int64_t i : missing) out[i] = T(value);
  }
  return learned;
}

/// Replaces numbers in order of first occurrence by positions among the sorted levels.
template <class T>
void CsvPass<T>::sort_levels(std::vector<Column>& columns, Array<T>& values) const {
  std::vector<std::int64_t> places;
  for (std::size_t j = 0; j < columns.size(); ++j) {
    if (columns[j].kind == Kind::numeric) continue;
    T* const codes = values.mutate();
    const auto each = [&](const auto& change) {
      for (std::int64_t i = std::int64_t(j); i < values.size(); i += std::int64_t(columns.size())) {
        if (!std::isnan(codes[i])) change(codes[i]);
      }
    };
    // A dropped row may have been the only one with some level.
    const ColumnState& state = columns_[read_[j]];
    places.assign(std::size_t(state.levels.size()), -1);
    std::fill_n(places.begin(), state.known_levels, std::int64_t(0));
    each([&](T code) { places[std::size_t(code)] = 0; });
    columns[j].levels = state.levels.sorted(places, state.known_levels);
    each([&](T& code) { code = T(places[std::size_t(code)]); });
  }
}

template <class T>
std::vector<std::string> CsvPass<T>::sorted_levels(std::size_t k,
                                                   const std::vector<bool>& codes) const {
  check_first_line(k);
  const ColumnState& column = columns_[read_[k]];
  std::vector<std::int64_t> places(std::size_t(column.levels.size()), -1);
  for (std::size_t code = 0; code < places.size(); ++code) {
    if (std::int64_t(code) < column.known_levels || (code < codes.size() && codes[code])) {
      places[code] = 0;
    }
  }
  return column.levels.sorted(places, column.known_levels);
}

template <class T>
void CsvPass<T>::check_has_rows(std::int64_t rows) const {
  if (rows_ == 0) file_.fail(file_.here(), "the file ends after its header; rows are expected");
  if (rows == 0) file_.fail({}, "every row misses a value, so that none is left");
}

template <class T>
std::vector<Column> CsvPass<T>::columns() {
  set_kinds({});
  return read_columns();
}

template <class T>
std::vector<Column> CsvPass<T>::read_columns() const {
  std::vector<Column> columns;
  for (const std::size_t j : read_) columns.push_back({columns_[j].name, columns_[j].kind()});
  return columns;
}

template <class T>
bool CsvPass<T>::next(T* row) {
  do {
    if (!skip_to_row()) return false;
    read_row(row);
  } while (drops_row_);
  return true;
}

template <class T>
std::optional<Table<T>> CsvPass<T>::read(std::vector<FoundKind>& kinds) {
  set_kinds(kinds);
  RowBuffer<T> rows(std::int64_t(read_.size()));
  while (skip_to_row()) {
    if (kinds_changed_) {
      search_row();
      continue;
    }
    read_row(rows.next(file_));
    if (drops_row_) rows.drop_last();
  }
  if (kinds_changed_) {
    kinds.clear();
    for (const ColumnState& column : columns_) kinds.push_back(column.found);
    return {};
  }
  check_has_rows(rows.rows());
  auto values = rows.to_array();
  for (std::size_t k = 0; k < read_.size(); ++k) {
    check_level_texts(k, values);
    check_first_line(k);
  }
  const bool learned = fill(values);
  std::vector<Column> columns = read_columns();
  sort_levels(columns, values);
  Table<T> table(std::move(columns), std::move(values), name_);
  if (!options_.select.empty() && table.names() != options_.select) {
    file_.take(table.values().size() * std::int64_t(sizeof(T)));
    table = table.select(options_.select);
  }
  if (!learned) return table;
  auto provenance = TableAccess::provenance(table);
  provenance.learned_by = std::string("Missing::") +
                          (options_.missing == Missing::mean ? "mean" : "median") + " of read_csv";
  return TableAccess::with(std::move(table), std::move(provenance));
}

template class CsvPass<float>;
template class CsvPass<double>;

}  // namespace ebb::inline v0::data::detail
