// SPDX-License-Identifier: BSD-3-Clause
// The fields of a delimited text file, in one pass over its bytes.
#pragma once
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "ebb/data/files/number.hpp"
#include "ebb/data/files/text_file.hpp"

namespace ebb::inline v0::data::detail {

/// Walks over the fields of a file. A field that the window cuts in two is scanned again when the
/// window has the rest.
class CsvScanner : public TextFile {
 public:
  /// The separator ' ' stands for any run of blanks and tabs; those at the start and the end of a
  /// line are skipped. Lines that begin with `comment` are skipped, unless it is 0.
  CsvScanner(const BinaryFile& file, ReadSession& session, char separator, char decimal,
             char comment)
      : TextFile(file, session),
        separator_(separator),
        decimal_(decimal),
        comment_(comment),
        by_blanks_(separator == ' ') {}

  /// Skips the comment lines that come next.
  void skip_comments();
  /// Skips an empty line, if it comes next. Returns true if it did.
  bool skip_blank_line();

  /// The next field as a text, without quotes and the blanks around it; valid until the next call.
  std::string_view text();
  /// The text that was read last. `was_quoted()` is true if it was in quotes.
  std::string_view last_text() const { return text_; }
  bool was_quoted() const { return was_quoted_; }
  /// Reads fields, up to `count` and within the row, as long as they are plain finite numbers that
  /// are wholly in the window: the fast way. Stops before any other field, and before an integer
  /// that T rounds. Returns the number of
  /// fields read.
  template <class T>
  std::size_t numbers(T* to, std::size_t count);

  /// True if the field that was read last was the last of its row.
  bool row_ended() const { return row_ended_; }
  /// Where the text that was read last begins; or the number that `numbers` read last, if it ended
  /// a row.
  Mark mark() const { return mark_; }

 private:
  /// A blank that is no separator, or one of those that together are one.
  bool is_blank(char c) const { return (c == ' ' || c == '\t') && (by_blanks_ || c != separator_); }
  bool ends_field(char c) const {
    return c == separator_ || c == '\n' || c == '\r' || (by_blanks_ && c == '\t');
  }
  const char* skip_blanks(const char* p) const {
    while (p != end_ && is_blank(*p)) ++p;
    return p;
  }
  bool scan_text();
  const char* scan_quoted(const char* p);
  bool finish_field(const char* p);

  char separator_, decimal_, comment_;
  bool by_blanks_;
  std::string text_;
  bool was_quoted_ = false;
  bool row_ended_ = false;
  Mark mark_;
};

/// The end of the field at p if it is short and has no control characters; otherwise null. It lets
/// a processor start on the next field before this one is converted.
inline const char* short_field_end(const char* p, char separator) {
#ifdef __SSE2__
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i ends = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(separator)),
                                    _mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')));
  const auto mask = unsigned(_mm_movemask_epi8(ends));
  return mask == 0 ? nullptr : p + std::countr_zero(mask);
#else
  return nullptr;
#endif
}

template <class T>
inline std::size_t CsvScanner::numbers(T* to, std::size_t count) {
  const char* p = at_;
  std::size_t n = 0;
  row_ended_ = false;
  while (n < count) {
    T value = 0;
    if (by_blanks_) p = skip_blanks(p);
    const char* end = short_field_end(p, separator_);
    if (const char* stop = common_number(p, value, decimal_); stop != end || !stop) [[unlikely]] {
      if (!stop) {
        if (decimal_ != '.') break;  // which from_chars expects
        const auto [behind, code] = std::from_chars(p, end_, value);
        // nan and inf are left to `text`.
        if (code != std::errc() || !std::isfinite(value)) break;
        if (is_rounded({p, std::size_t(behind - p)}, value)) break;
        stop = behind;
      }
      end = stop;
    }
    // A number at the end of the window may be cut: the byte after the window is 0.
    bool is_inside = *end == separator_;
    if (by_blanks_) {
      const char* const behind = skip_blanks(end);
      if (behind == end_) break;  // the row may end here
      is_inside = behind != end && *behind != '\n' && *behind != '\r';
      end = is_inside ? behind - 1 : behind;
    }
    if (!is_inside) {
      end += *end == '\r';
      if (*end != '\n') break;
      to[n++] = value;
      mark_ = {line_, column_of(p)};
      row_ended_ = true;
      start_line(end + 1);
      return n;
    }
    to[n++] = value;
    p = end + 1;
  }
  at_ = p;
  return n;
}

}  // namespace ebb::inline v0::data::detail
