// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/csv.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "ebb/data/csv_scanner.hpp"

namespace ebb::inline v0::data {
namespace {

using detail::CsvScanner;
using detail::Mark;
using detail::quoted;

/// The names of all columns, for a message; a few hundred would help nobody.
std::string list(const std::vector<std::string>& names) {
  constexpr std::size_t most = 40;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) {
    text += (i ? ", " : "") + names[i];
  }
  if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
  return text;
}

std::vector<std::string> read_header(CsvScanner& file) {
  if (file.at_end()) {
    file.fail({}, "the file is empty; a line of column names and rows of numbers are expected");
  }
  std::vector<std::string> names;
  std::unordered_map<std::string, std::size_t> seen;
  do {
    std::string name(file.text());
    if (name.empty()) {
      file.fail(file.mark(), "column " + std::to_string(names.size() + 1) +
                                 " has no name; the first line names every column");
    }
    const auto [other, is_new] = seen.emplace(name, names.size() + 1);
    if (!is_new) {
      file.fail(file.mark(), "the name " + quoted(name) + " stands twice, first for column " +
                                 std::to_string(other->second) + "; rename one of them");
    }
    names.push_back(std::move(name));
  } while (!file.row_ended());
  return names;
}

/// Whether a number that T cannot hold is too near to 0 rather than too large: the decimal exponent
/// of its first digit that counts is negative.
bool is_tiny(std::string_view text) {
  const std::size_t e = text.find_first_of("eE");
  const std::string_view digits = text.substr(0, e);
  const auto point = std::int64_t(std::min(digits.find('.'), digits.size()));
  const auto first = std::int64_t(digits.find_first_of("123456789"));
  std::int64_t exponent = 0;
  if (e != text.npos) {
    const char* begin = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
    if (std::from_chars(begin, text.data() + text.size(), exponent).ec != std::errc()) {
      return *begin == '-';
    }
  }
  return exponent < first - point;
}

/// The number that a text spells, or an error at its place.
template <class T>
T to_number(std::string_view text, const CsvScanner& file, const std::string& column) {
  const auto refuse = [&](const std::string& what) {
    file.fail(file.mark(), "column " + quoted(column) + ": " + what);
  };
  if (text.empty()) refuse("the value is missing; fill it in or remove the row");
  const char *begin = text.data(), *const end = begin + text.size();
  // from_chars knows no plus sign.
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') ++begin;
  T value = 0;
  const auto [p, code] = std::from_chars(begin, end, value);
  if (p != end || code == std::errc::invalid_argument) refuse(quoted(text) + " is not a number");
  if (code == std::errc::result_out_of_range) {
    if (is_tiny(text)) return *begin == '-' ? T(-0.0) : T(0);
    refuse(quoted(text) + " is too large for " + (sizeof(T) == 4 ? "float" : "double"));
  }
  if (!std::isfinite(value)) {
    refuse(quoted(text) + " is not a finite number; replace it or remove the row");
  }
  return value;
}

/// One row behind the others.
template <class T>
void read_row(CsvScanner& file, const std::vector<std::string>& names, std::vector<T>& values) {
  const auto expected = std::to_string(names.size()) +
                        (names.size() == 1 ? " field was expected" : " fields were expected");
  for (std::size_t j = 0; j < names.size(); ++j) {
    const Mark mark = file.here();
    T value;
    if (!file.number(value)) value = to_number<T>(file.text(), file, names[j]);
    values.push_back(value);
    if (file.row_ended() && j + 1 < names.size()) {
      file.fail(mark, "the row ends after field " + std::to_string(j + 1) + "; " + expected);
    }
  }
  if (!file.row_ended()) file.fail(file.here(), "the row goes on; " + expected);
}

template <class T>
std::vector<T> read_rows(CsvScanner& file, const std::vector<std::string>& names) {
  std::vector<T> values;
  for (;;) {
    const Mark mark = file.here();
    const bool blank = file.skip_blank_line();
    while (blank && file.skip_blank_line()) continue;
    if (file.at_end()) break;
    if (blank) file.fail(mark, "an empty line between rows; remove it");
    read_row(file, names, values);
  }
  if (values.empty()) file.fail(file.here(), "the file ends after its header; rows are expected");
  return values;
}

}  // namespace

template <Real T>
Table<T> read_csv(const std::string& path, CsvOptions options) {
  const char separator = options.separator;
  if (std::string_view("\"\r\n \0", 5).find(separator) != std::string_view::npos ||
      (separator >= '0' && separator <= '9') || separator == '.' || separator == '-') {
    throw ArgumentError("read_csv: " + quoted({&separator, 1}) + " cannot separate fields");
  }
  CsvScanner file(path, separator);
  auto names = read_header(file);
  const auto values = read_rows<T>(file, names);
  const auto columns = std::int64_t(names.size());
  const Shape shape{std::int64_t(values.size()) / columns, columns};
  return Table<T>(path, std::move(names), Array<T>(shape, std::span<const T>(values)));
}

template <Real T>
Table<T>::Table(std::string source, std::vector<std::string> names, Array<T> values)
    : source_(std::move(source)), names_(std::move(names)), values_(std::move(values)) {
  if (values_.rank() != 2 || columns() != std::int64_t(names_.size())) {
    throw ShapeError("Table: values of shape " + to_string(values_.shape()) + " for " +
                     std::to_string(names_.size()) + " names; they must be (rows, names)");
  }
}

template <Real T>
std::int64_t Table<T>::find(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found != names_.end()) return found - names_.begin();
  throw detail::error_at(source_, {}, "no column " + quoted(name) + "; there are " + list(names_));
}

/// The columns [first, last), or all others.
template <Real T>
Array<T> Table<T>::select(std::int64_t first, std::int64_t last, bool others) const {
  const std::int64_t all = columns(), width = others ? all - (last - first) : last - first;
  auto chosen = Array<T>::uninitialized({rows(), width});
  T* out = chosen.mutate();
  for (const T* row = values_.begin(); row != values_.end(); row += all) {
    if (others) {
      out = std::copy(row, row + first, out);
      out = std::copy(row + last, row + all, out);
    } else {
      out = std::copy(row + first, row + last, out);
    }
  }
  return chosen;
}

template <Real T>
Array<T> Table<T>::column(std::string_view name) const {
  const std::int64_t j = find(name);
  return select(j, j + 1, false);
}

template <Real T>
Supervised<T> Table<T>::split_target(std::string_view name) const {
  const std::int64_t j = find(name);
  auto features = names_;
  features.erase(features.begin() + j);
  return {select(j, j + 1, true), select(j, j + 1, false), std::move(features)};
}

#define EBB_INSTANTIATE(T) \
  template class Table<T>; \
  template EBB_API Table<T> read_csv(const std::string&, CsvOptions);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::data
