// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/csv_scanner.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace ebb::inline v0::data::detail {

FileError error_at(const std::string& file, Mark mark, const std::string& what) {
  return FileError(file + ':' + std::to_string(mark.line) + ':' + std::to_string(mark.column) +
                   ": " + what);
}

std::string quoted(std::string_view text) {
  constexpr std::size_t longest = 40;
  std::string out = "\"";
  for (const char c : text.substr(0, longest)) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    out += control ? '?' : c;
  }
  return out + (text.size() > longest ? "...\"" : "\"");
}

CsvScanner::CsvScanner(const std::string& path, char separator)
    : path_(path), separator_(separator), file_(std::fopen(path.c_str(), "rb")) {
  if (!file_) {
    fail({}, "cannot be opened (" + std::generic_category().message(errno) +
                 "); check the name of the file");
  }
  std::setvbuf(file_.get(), nullptr, _IONBF, 0);  // the window is the buffer
  window_.resize(std::size_t(1) << 18);
  at_ = end_ = window_.data();
  while (end_ - at_ < 3 && !all_read_) refill();
  if (std::string_view(at_, std::size_t(end_ - at_)).substr(0, 3) == "\xEF\xBB\xBF") {
    at_ += 3;
    line_start_ = 3;
  }
}

/// Moves what is left to the front of the window and reads more behind it.
void CsvScanner::refill() {
  const auto left = std::size_t(end_ - at_);
  offset_ += at_ - window_.data();
  std::memmove(window_.data(), at_, left);
  // Twice the room for a field that fills half of it, so that long fields take linear time.
  if (left > window_.size() / 2) window_.resize(2 * window_.size());
  const std::size_t got = std::fread(window_.data() + left, 1, window_.size() - left, file_.get());
  at_ = window_.data();
  end_ = at_ + left + got;
  if (std::ferror(file_.get())) {
    fail(here(), "cannot be read (" + std::generic_category().message(errno) + ")");
  }
  all_read_ = got == 0;
}

bool CsvScanner::at_end() {
  while (cut(at_)) refill();
  return at_ == end_;
}

bool CsvScanner::skip_blank_line() {
  const char* p = skip_blanks(at_);
  while (cut(p) || (p != end_ && *p == '\r' && cut(p + 1))) {
    refill();
    p = skip_blanks(at_);
  }
  if (p == end_) at_ = p;  // blanks before the end of the file are nothing
  if (p == end_ || (*p != '\n' && *p != '\r')) return false;
  start_line(*p == '\r' && p + 1 != end_ && p[1] == '\n' ? p + 2 : p + 1);
  return true;
}

std::string_view CsvScanner::text() {
  while (!scan_text()) refill();
  return text_;
}

/// False, with nothing consumed, when the window ends before the field does.
bool CsvScanner::scan_text() {
  const char* p = skip_blanks(at_);
  if (cut(p)) return false;
  mark_ = {line_, column_of(p)};
  text_.clear();
  if (p != end_ && *p == '"') {
    p = scan_quoted(p);
    return p && finish_field(p);
  }
  const char* const stop =
      std::find_if(p, end_, [this](char c) { return c == separator_ || c == '\n' || c == '\r'; });
  const char* last = stop;
  while (last != p && is_blank(last[-1])) --last;
  text_.assign(p, last);
  return finish_field(stop);
}

/// The text of a quoted field that begins at p, and where it ends; null when the window is too
/// short.
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
    text_ += '"';  // a doubled quote is a quote
  }
  p = skip_blanks(p);
  if (p != end_ && *p != separator_ && *p != '\n' && *p != '\r') {
    fail({mark_.line, mark_.column}, "text follows the closing quote of " + quoted(text_) +
                                         "; a quote inside of quotes is written twice");
  }
  return p;
}

/// Consumes the field that ends before p, and what separates it from the next.
bool CsvScanner::finish_field(const char* p) {
  if (cut(p) || (p != end_ && *p == '\r' && cut(p + 1))) return false;
  for (const char* newline = at_; (newline = std::find(newline, p, '\n')) != p;) {
    start_line(++newline);  // one inside of quotes
  }
  row_ended_ = p == end_ || *p != separator_;
  if (p == end_) {
    at_ = p;
  } else if (*p == separator_) {
    at_ = p + 1;
  } else {
    start_line(*p == '\r' && p + 1 != end_ && p[1] == '\n' ? p + 2 : p + 1);
  }
  return true;
}

}  // namespace ebb::inline v0::data::detail
