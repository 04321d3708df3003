// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/files/csv_scanner.hpp"

#include <algorithm>

namespace ebb::inline v0::data::detail {

void CsvScanner::skip_comments() {
  while (comment_ != 0) {
    const char* p = skip_blanks(at_);
    while (cut(p)) {
      refill();
      p = skip_blanks(at_);
    }
    if (p == end_ || *p != comment_) return;
    skip_line();
  }
}

bool CsvScanner::skip_blank_line() {
  const char* p = skip_blanks(at_);
  while (cut(p) || (p != end_ && *p == '\r' && cut(p + 1))) {
    refill();
    p = skip_blanks(at_);
  }
  if (p == end_) at_ = p;  // skips blanks before the end of the file
  if (p == end_ || (*p != '\n' && *p != '\r')) return false;
  start_line(after_line_end(p));
  return true;
}

std::string_view CsvScanner::text() {
  while (!scan_text()) refill();
  return text_;
}

/// Scans the next field. Returns false, and consumes nothing, if the window ends before the field.
bool CsvScanner::scan_text() {
  const char* p = skip_blanks(at_);
  if (cut(p)) return false;
  mark_ = {line_, column_of(p)};
  text_.clear();
  was_quoted_ = p != end_ && *p == '"';
  if (was_quoted_) {
    p = scan_quoted(p);
    return p && finish_field(p);
  }
  const char* const stop = std::find_if(p, end_, [this](char c) { return ends_field(c); });
  const char* last = stop;
  while (last != p && is_blank(last[-1])) --last;
  text_.assign(p, last);
  return finish_field(stop);
}

/// Scans the quoted field at p into `text_`, and returns its end; null if the window is too short.
const char* CsvScanner::scan_quoted(const char* p) {
  for (++p;; ++p) {
    const char* const quote = std::find(p, end_, '"');
    if (quote == end_) {
      if (!all_read_) return nullptr;
      fail(mark_, "this quote is never closed");
    }
    text_.append(p, quote);
    p = quote + 1;
    if (cut(p)) return nullptr;
    if (p == end_ || *p != '"') break;
    text_ += '"';  // a doubled quote means one quote
  }
  const char* const closed = p;
  p = skip_blanks(p);
  const bool is_apart = by_blanks_ && p != closed;
  if (p != end_ && !ends_field(*p) && !is_apart) {
    fail({mark_.line, mark_.column}, "text follows the closing quote of " + quoted(text_) +
                                         "; a quote inside of quotes is written twice");
  }
  return p;
}

/// Consumes the field that ends before p, and the separator or line end after it.
bool CsvScanner::finish_field(const char* p) {
  if (by_blanks_) p = skip_blanks(p);
  if (cut(p) || (p != end_ && *p == '\r' && cut(p + 1))) return false;
  for (const char* newline = at_; (newline = std::find(newline, p, '\n')) != p;) {
    start_line(++newline);  // a line end inside the quotes
  }
  row_ended_ = p == end_ || *p == '\n' || *p == '\r';
  if (p == end_) {
    at_ = p;
  } else if (!row_ended_) {
    at_ = by_blanks_ ? p : p + 1;
  } else {
    start_line(after_line_end(p));
  }
  return true;
}

}  // namespace ebb::inline v0::data::detail
