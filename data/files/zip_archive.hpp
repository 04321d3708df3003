// SPDX-License-Identifier: BSD-3-Clause
// Zip archives, through libzip.
#pragma once
#include <memory>
#include <string>

#include "ebb/data/files/atomic_file.hpp"
#include "ebb/data/files/binary_file.hpp"

namespace ebb::inline v0::data::detail {

/// The members of an archive, stored or deflated.
class ZipReader {
 public:
  /// @throws FileError if the file is not a zip archive.
  explicit ZipReader(const BinaryFile& file);
  ~ZipReader();

  std::int64_t members() const;
  std::string name(std::int64_t member) const;
  /// The number of inflated bytes that the archive declares for a member.
  /// @throws FileError as `open`.
  std::int64_t size(std::int64_t member) const;
  /// Opens a member. Its length and checksum are checked at the end.
  /// @throws FileError for a member that is encrypted, is compressed by a method other than
  /// deflate, or declares a size that its compressed bytes cannot inflate to.
  std::unique_ptr<ByteReader> open(std::int64_t member) const;

 private:
  struct Archive;
  std::unique_ptr<Archive> archive_;
};

/// Writes an archive into a file.
class ZipWriter {
 public:
  /// `name` is the name of the file in messages.
  ZipWriter(AtomicFile& file, std::string name);
  ~ZipWriter();
  /// Adds a member whose bytes are `header` and then `bytes`; both must live until `finish`.
  void add(const std::string& name, std::string_view header, const void* bytes, std::int64_t count,
           bool compress);
  /// Writes all members. The file must still be committed.
  void finish();

 private:
  struct Archive;
  std::unique_ptr<Archive> archive_;
};

}  // namespace ebb::inline v0::data::detail
