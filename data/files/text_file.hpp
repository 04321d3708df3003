// SPDX-License-Identifier: BSD-3-Clause
// Reads a text file, plain or compressed, once from start to end through a window.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/files/elements.hpp"
#include "ebb/data/files/gzip.hpp"

namespace ebb::inline v0::data::detail {

/// A place in a text file: line and column, both from 1; the column counts bytes.
struct Mark {
  std::int64_t line = 1;
  std::int64_t column = 1;
};

/// The start of a line: its offset in the text, and its number.
struct Place {
  std::int64_t offset = 0;
  std::int64_t line = 1;
};

/// An exception with the message "file:line:column: what".
FileError error_at(const std::string& file, Mark mark, const std::string& what);

/// A text in double quotes for a message, shortened and without control characters.
EBB_API std::string quoted(std::string_view text);

/// True if a text is UTF-8 and has no NUL.
EBB_API bool is_utf8(std::string_view text);

/// The end of a message about a text for which `is_utf8` is false.
std::string why_not_utf8(std::string_view text);

/// Reads a text through a window, which is refilled as needed, and grows if a field does not fit. A
/// byte order mark is skipped. Text compressed by gzip is inflated; lines and columns are then
/// those of the inflated text.
class TextFile {
 public:
  /// Memory is taken from the session, which also reports the progress. File and session must
  /// outlive the object.
  /// @throws FileError for UTF-16 text, and if the file cannot be read.
  TextFile(const BinaryFile& file, ReadSession& session);

  /// True if no bytes are left.
  bool at_end();
  /// The place of the next byte.
  Mark here() const { return {line_, column_of(at_)}; }
  /// The place of the next byte, which must be the start of a line.
  Place place() const { return {offset_ + (at_ - window_.data()), line_}; }
  /// Continues with the bytes from the start of a line up to `end` of the same file. In a
  /// compressed file, `point` is before that, and `end` means nothing.
  void seek(const BinaryFile& file, const Place& from, std::int64_t end,
            const GzipPoint* point = nullptr);
  /// From now on, collects places of a compressed file that are about this many bytes apart, the
  /// first of them at its start.
  void collect_points(const BinaryFile& file, std::int64_t distance);
  const std::vector<std::shared_ptr<const GzipPoint>>& points() const { return points_; }
  /// The rest of the line, without the LF, CRLF or CR that ends it; valid until the next call.
  std::string_view rest_of_line();
  /// Skips the rest of the line, however long it is.
  void skip_line();

  /// Takes memory for the values that were read.
  /// @throws FileError if there is not enough left.
  void take(std::int64_t bytes);
  [[noreturn]] void fail(Mark mark, const std::string& what) const {
    throw error_at(name_, mark, what);
  }

 protected:
  std::int64_t column_of(const char* p) const {
    return offset_ + (p - window_.data()) - line_start_ + 1;
  }
  /// True if a decision at p needs bytes that are not in the window yet.
  bool cut(const char* p) const { return p == end_ && !all_read_; }
  /// Moves the unread bytes to the front of the window and fills the rest of it.
  void refill();
  /// The position after the line end at p, which must not be cut by the window.
  const char* after_line_end(const char* p) const {
    return *p == '\r' && p + 1 != end_ && p[1] == '\n' ? p + 2 : p + 1;
  }
  /// Continues at p, the start of a new line.
  void start_line(const char* p) {
    at_ = p;
    ++line_;
    line_start_ = offset_ + (p - window_.data());
  }

  const char* at_ = nullptr;   ///< the next byte
  const char* end_ = nullptr;  ///< the end of the bytes that were read; 16 bytes of 0 follow
  bool all_read_ = false;
  std::int64_t line_ = 1;  ///< the line of `at_`

 private:
  std::string name_;
  ReadSession& session_;
  std::unique_ptr<ByteReader> reader_;
  std::string window_;
  std::int64_t offset_ = 0;         ///< the offset of the window in the text
  std::int64_t line_start_ = 0;     ///< the offset of the start of the line of `at_`
  std::int64_t consumed_ = 0;       ///< the bytes that were reported to the session
  GzipReader* inflated_ = nullptr;  ///< the reader of a compressed file
  std::int64_t point_distance_ = 0;
  std::vector<std::shared_ptr<const GzipPoint>> points_;
};

}  // namespace ebb::inline v0::data::detail
