// SPDX-License-Identifier: BSD-3-Clause
// Bytes to read: at any place of a file, or from start to end.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::data::detail {

/// A text in double quotes for a message, shortened and with printable ASCII only.
std::string printable(std::string_view text);
/// A number with its noun, such as "1 byte" or "2 bytes".
std::string count_of(std::int64_t n, const char* what);
/// The names of things for a message, such as "a, b"; only the first of very many. `name` is a
/// function of a thing, or a member of it.
template <class Thing, class Name>
std::string list_of(const std::vector<Thing>& things, Name name) {
  constexpr std::size_t most = 40;
  if (things.empty()) return "none";
  std::string text;
  for (std::size_t i = 0; i < std::min(things.size(), most); ++i) {
    text += (i ? ", " : "") + std::invoke(name, things[i]);
  }
  if (things.size() > most) text += " and " + std::to_string(things.size() - most) + " more";
  return text;
}

/// A file, or bytes in memory, of known size, to be read at any place.
class BinaryFile {
 public:
  /// @throws FileError unless this is the name of a plain file that can be read.
  explicit BinaryFile(const std::string& path);
  /// Bytes in memory, which must outlive the object. `name` is used in messages in place of the
  /// name of a file.
  BinaryFile(std::span<const std::byte> bytes, std::string name);
  BinaryFile(const BinaryFile&) = delete;
  BinaryFile& operator=(const BinaryFile&) = delete;
  ~BinaryFile();

  const std::string& name() const { return name_; }
  std::int64_t size() const { return size_; }
  /// The file descriptor; -1 for bytes in memory.
  int descriptor() const { return descriptor_; }
  /// Copies the bytes [offset, offset + count).
  /// @throws FileError if the file ends before.
  void read(std::int64_t offset, void* to, std::int64_t count) const;
  /// @throws FileError if the size or the modification time of the file is not as it was when the
  /// file was opened. The clock of the file system advances every few milliseconds.
  void check_unchanged() const;
  /// Throws FileError with the message "name: byte 10: what".
  [[noreturn]] void fail(std::int64_t offset, const std::string& what) const;

 private:
  std::string name_;
  std::int64_t size_ = 0;
  std::int64_t seconds_ = 0, nanoseconds_ = 0;  ///< the modification time at opening
  int descriptor_ = -1;
  const std::byte* bytes_ = nullptr;  ///< the bytes in memory
};

/// Bytes that are read from start to end: a part of a file, or inflated bytes.
class ByteReader {
 public:
  /// `position` is the number of the first byte in messages.
  explicit ByteReader(std::string name, std::int64_t position = 0)
      : name_(std::move(name)), position_(position) {}
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;
  virtual ~ByteReader();

  const std::string& name() const { return name_; }
  /// The position of the next byte.
  std::int64_t position() const { return position_; }
  /// The number of bytes that are left; for inflated bytes, an upper bound.
  virtual std::int64_t left() const = 0;
  /// Reads exactly `count` bytes. `what` names them in the message.
  /// @throws FileError if there are fewer.
  void read(void* to, std::int64_t count, const char* what);
  /// Reads up to `count` bytes, fewer only at the end, and returns how many.
  std::int64_t read_up_to(void* to, std::int64_t count);
  /// The number of stored bytes that were used so far. Inflated bytes count as the compressed bytes
  /// that they came from.
  virtual std::int64_t consumed() const { return position_; }
  /// @throws FileError if there are more bytes, or if the checksum of inflated bytes is wrong.
  void expect_end();
  /// Throws FileError with the message "name: byte 10: what".
  [[noreturn]] void fail(std::int64_t offset, const std::string& what) const;

 protected:
  /// Reads up to `count` bytes, fewer only at the end, and returns how many.
  virtual std::int64_t read_some(void* to, std::int64_t count) = 0;

 private:
  std::string name_;
  std::int64_t position_;
};

/// The bytes [first, last) of a file.
class FileReader : public ByteReader {
 public:
  explicit FileReader(const BinaryFile& file) : FileReader(file, 0, file.size()) {}
  FileReader(const BinaryFile& file, std::int64_t first, std::int64_t last)
      : ByteReader(file.name(), first), file_(file), first_(first), at_(first), last_(last) {}
  std::int64_t left() const override { return last_ - at_; }
  std::int64_t consumed() const override { return at_ - first_; }

 protected:
  std::int64_t read_some(void* to, std::int64_t count) override;

 private:
  const BinaryFile& file_;
  std::int64_t first_, at_, last_;
};

}  // namespace ebb::inline v0::data::detail
