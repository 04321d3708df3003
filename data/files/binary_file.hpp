// SPDX-License-Identifier: BSD-3-Clause
// Bytes to read: of files at any place, and of anything from its start to its end.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::data::detail {

/// A text in double quotes for a message: shortened, and nothing in it but printable ASCII.
std::string printable(std::string_view text);
/// "1 byte", "2 bytes".
std::string count_of(std::int64_t n, const char* what);

/// A file, or bytes in memory, of known size, to be read at any place.
class BinaryFile {
 public:
  /// @throws FileError when there is no plain file of this name that can be read.
  explicit BinaryFile(const std::string& path);
  /// Bytes that outlive this; `name` stands for the file in messages.
  BinaryFile(std::span<const std::byte> bytes, std::string name);
  BinaryFile(const BinaryFile&) = delete;
  BinaryFile& operator=(const BinaryFile&) = delete;
  ~BinaryFile();

  const std::string& name() const { return name_; }
  std::int64_t size() const { return size_; }
  /// The system's number for it; -1 for bytes in memory.
  int descriptor() const { return descriptor_; }
  /// Copies the bytes [offset, offset + count), straight from the system to their place.
  /// @throws FileError where they end too early.
  void read(std::int64_t offset, void* to, std::int64_t count) const;
  /// @throws FileError where the file has another size or time of writing than when it was opened;
  /// that clock ticks every few milliseconds.
  void require_unchanged() const;
  /// "name: byte 10: what", as an exception.
  [[noreturn]] void fail(std::int64_t offset, const std::string& what) const;

 private:
  std::string name_;
  std::int64_t size_ = 0;
  std::int64_t seconds_ = 0, nanoseconds_ = 0;  ///< when it was written last
  int descriptor_ = -1;
  const std::byte* bytes_ = nullptr;  ///< in memory
};

/// Bytes that come one after the other: a part of a file, or what inflates from it.
class ByteReader {
 public:
  /// `position` is what messages call the first byte.
  explicit ByteReader(std::string name, std::int64_t position = 0)
      : name_(std::move(name)), position_(position) {}
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;
  virtual ~ByteReader();

  const std::string& name() const { return name_; }
  /// Where the next byte stands.
  std::int64_t position() const { return position_; }
  /// The most bytes that can follow: exactly so many, unless they inflate.
  virtual std::int64_t left() const = 0;
  /// The next bytes. @throws FileError, which says what is missing, when there are fewer.
  void read(void* to, std::int64_t count, const char* what);
  /// The next bytes, up to `count`; fewer only at the end. Returns how many.
  std::int64_t read_up_to(void* to, std::int64_t count);
  /// How many bytes of what is stored were used so far: what is inflated is counted as it is
  /// stored.
  virtual std::int64_t consumed() const { return position_; }
  /// @throws FileError if there are more bytes, or if what inflated is not what was compressed.
  void expect_end();
  /// "name: byte 10: what", as an exception.
  [[noreturn]] void fail(std::int64_t offset, const std::string& what) const;

 protected:
  /// Up to `count` more bytes; fewer only at the end.
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
