// SPDX-License-Identifier: BSD-3-Clause
// A text file, plain or compressed, in one pass through a window.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/files/elements.hpp"

namespace ebb::inline v0::data::detail {

/// A place in a text file, both from 1; the column counts bytes.
struct Mark {
  std::int64_t line = 1;
  std::int64_t column = 1;
};

/// The start of a line: its offset in the text, and its number.
struct Place {
  std::int64_t offset = 0;
  std::int64_t line = 1;
};

/// "file:line:column: what", as an exception.
FileError error_at(const std::string& file, Mark mark, const std::string& what);

/// A text in double quotes, shortened, without control characters: fit for a message.
std::string quoted(std::string_view text);

/// Whether a text is UTF-8 without a NUL.
EBB_API bool is_utf8(std::string_view text);

/// Walks over a text through a window that is refilled as it goes and grows for what does not fit.
/// A byte order mark is passed over. Text that gzip compressed inflates on the way; lines and
/// columns are those of the inflated text.
class TextFile {
 public:
  /// Memory is taken from the session, which also tells the progress; both outlive this.
  /// @throws FileError for what is UTF-16, or cannot be read.
  TextFile(const BinaryFile& file, ReadSession& session);

  /// Nothing is left.
  bool at_end();
  /// Where the next byte stands.
  Mark here() const { return {line_, column_of(at_)}; }
  /// The same, of the start of a line.
  Place place() const { return {offset_ + (at_ - window_.data()), line_}; }
  /// Goes on with the bytes from the start of a line up to `end`, of the same file, which is not
  /// compressed.
  void seek(const BinaryFile& file, const Place& from, std::int64_t end);
  /// The rest of the line, without the LF, CRLF or CR that ends it; valid until the next call.
  std::string_view rest_of_line();
  /// Passes over the rest of the line, however long.
  void skip_line();

  /// Takes memory for what was read. @throws FileError when there is not so much left.
  void take(std::int64_t bytes);
  [[noreturn]] void fail(Mark mark, const std::string& what) const {
    throw error_at(name_, mark, what);
  }

 protected:
  std::int64_t column_of(const char* p) const {
    return offset_ + (p - window_.data()) - line_start_ + 1;
  }
  /// Whether a decision needs bytes that the window does not hold yet.
  bool cut(const char* p) const { return p == end_ && !all_read_; }
  /// Moves what is left to the front of the window and reads more behind it.
  void refill();
  /// Behind the line end at p, which is not cut.
  const char* after_line_end(const char* p) const {
    return *p == '\r' && p + 1 != end_ && p[1] == '\n' ? p + 2 : p + 1;
  }
  /// Goes on at p, the start of a new line.
  void start_line(const char* p) {
    at_ = p;
    ++line_;
    line_start_ = offset_ + (p - window_.data());
  }

  const char* at_ = nullptr;   ///< the next byte
  const char* end_ = nullptr;  ///< behind the last byte that was read; 16 bytes of 0 follow
  bool all_read_ = false;
  std::int64_t line_ = 1;  ///< of `at_`

 private:
  std::string name_;
  ReadSession& session_;
  std::unique_ptr<ByteReader> reader_;
  std::string window_;
  std::int64_t offset_ = 0;      ///< of the window in the text
  std::int64_t line_start_ = 0;  ///< the offset of the line of `at_`
  std::int64_t consumed_ = 0;    ///< what the session knows of
};

}  // namespace ebb::inline v0::data::detail
