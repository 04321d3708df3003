// SPDX-License-Identifier: BSD-3-Clause
// The fields of a delimited text file, in one pass over its bytes.
#pragma once
#include "ebb/data/number.hpp"
#include "ebb/data/text_file.hpp"

namespace ebb::inline v0::data::detail {

/// Walks over the fields of a file. A field that the window cuts in two is scanned again when the
/// rest has come.
class CsvScanner : public TextFile {
 public:
  /// Lines that begin with `comment` are none, unless it is 0.
  CsvScanner(const BinaryFile& file, ReadSession& session, char separator, char comment)
      : TextFile(file, session), separator_(separator), comment_(comment) {}

  /// Skips the comments that come next.
  void skip_comments();
  /// Skips a line with nothing on it, if one comes next.
  bool skip_blank_line();

  /// The next field as a text, without quotes and the blanks around it; valid until the next call.
  std::string_view text();
  /// The text that was read last, and whether it stood in quotes.
  std::string_view last_text() const { return text_; }
  bool was_quoted() const { return was_quoted_; }
  /// The next field if it is a plain finite number that is wholly in the window: the fast way. When
  /// it is not, nothing is consumed.
  template <class T>
  bool number(T& value);

  /// The field that was read last ended its row.
  bool row_ended() const { return row_ended_; }
  /// Where the text that was read last begins.
  Mark mark() const { return mark_; }

 private:
  bool is_blank(char c) const { return (c == ' ' || c == '\t') && c != separator_; }
  const char* skip_blanks(const char* p) const {
    while (p != end_ && is_blank(*p)) ++p;
    return p;
  }
  bool scan_text();
  const char* scan_quoted(const char* p);
  bool finish_field(const char* p);

  char separator_, comment_;
  std::string text_;
  bool was_quoted_ = false;
  bool row_ended_ = false;
  Mark mark_;
};

template <class T>
inline bool CsvScanner::number(T& value) {
  const char* p = common_number(at_, value);
  if (!p) [[unlikely]] {
    const auto [end, code] = std::from_chars(at_, end_, value);
    // nan and inf are no numbers here.
    if (code != std::errc() || !std::isfinite(value)) return false;
    p = end;
  }
  // A number at the end of the window may go on behind it: what follows there is 0.
  if (*p == separator_) {
    row_ended_ = false;
    at_ = p + 1;
    return true;
  }
  p += *p == '\r';
  if (*p != '\n') return false;
  row_ended_ = true;
  start_line(p + 1);
  return true;
}

}  // namespace ebb::inline v0::data::detail
