// SPDX-License-Identifier: BSD-3-Clause
// The fields of a delimited text file, in one pass over its bytes.
#pragma once
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "ebb/autodiff/error.hpp"

namespace ebb::inline v0::data::detail {

/// A place in a text file, both from 1; the column counts bytes.
struct Mark {
  std::int64_t line = 1;
  std::int64_t column = 1;
};

/// "file:line:column: what", as an exception.
FileError error_at(const std::string& file, Mark mark, const std::string& what);

/// A text in double quotes, shortened, without control characters: fit for a message.
std::string quoted(std::string_view text);

/// Walks over the fields of a file through a window that is refilled as it goes. A field that the
/// window cuts in two is scanned again when the rest has come.
class CsvScanner {
 public:
  /// @throws FileError when the file cannot be read.
  CsvScanner(const std::string& path, char separator);

  /// Nothing is left.
  bool at_end();
  /// Skips a line with nothing on it, if one comes next.
  bool skip_blank_line();

  /// The next field as a text, without quotes and the blanks around it; valid until the next call.
  std::string_view text();
  /// The next field if it is a plain finite number that is wholly in the window: the fast way. When
  /// it is not, nothing is consumed.
  template <class T>
  bool number(T& value);

  /// The field that was read last ended its row.
  bool row_ended() const { return row_ended_; }
  /// Where the field that was read last begins.
  Mark mark() const { return mark_; }
  /// Where the next field begins.
  Mark here() const { return {line_, column_of(at_)}; }

  [[noreturn]] void fail(Mark mark, const std::string& what) const {
    throw error_at(path_, mark, what);
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::int64_t column_of(const char* p) const {
    return offset_ + (p - window_.data()) - line_start_ + 1;
  }
  bool is_blank(char c) const { return (c == ' ' || c == '\t') && c != separator_; }
  const char* skip_blanks(const char* p) const {
    while (p != end_ && is_blank(*p)) ++p;
    return p;
  }
  /// Whether a decision needs bytes that the window does not hold yet.
  bool cut(const char* p) const { return p == end_ && !all_read_; }

  void refill();
  bool scan_text();
  const char* scan_quoted(const char* p);
  bool finish_field(const char* p);
  /// Goes on at p, the start of a new line.
  void start_line(const char* p) {
    at_ = p;
    ++line_;
    line_start_ = offset_ + (p - window_.data());
  }

  std::string path_;
  char separator_;
  std::unique_ptr<std::FILE, Close> file_;
  std::string window_;
  const char* at_ = nullptr;   ///< the next byte
  const char* end_ = nullptr;  ///< behind the last byte that was read
  bool all_read_ = false;
  std::int64_t offset_ = 0;      ///< of the window in the file
  std::int64_t line_ = 1;        ///< of `at_`
  std::int64_t line_start_ = 0;  ///< its offset in the file
  std::string text_;
  bool row_ended_ = false;
  Mark mark_;
};

template <class T>
bool CsvScanner::number(T& value) {
  const auto [p, code] = std::from_chars(at_, end_, value);
  // A number at the end of the window may go on behind it; nan and inf are no numbers here.
  if (code != std::errc() || p == end_ || !std::isfinite(value)) return false;
  if (*p == separator_) {
    row_ended_ = false;
    at_ = p + 1;
    return true;
  }
  const char* newline = *p == '\r' && p + 1 != end_ ? p + 1 : p;
  if (*newline != '\n') return false;
  row_ended_ = true;
  start_line(newline + 1);
  return true;
}

}  // namespace ebb::inline v0::data::detail
