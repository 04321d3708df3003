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
  /// @throws FileError when the file is no zip archive.
  explicit ZipReader(const BinaryFile& file);
  ~ZipReader();

  std::int64_t members() const;
  std::string name(std::int64_t member) const;
  /// What it says its bytes are, inflated. @throws FileError as `open` does.
  std::int64_t size(std::int64_t member) const;
  /// The bytes of a member; its length and checksum are checked when the end is reached.
  /// @throws FileError for one that is encrypted, compressed otherwise, or declares a size that its
  /// compressed bytes cannot inflate to.
  std::unique_ptr<ByteReader> open(std::int64_t member) const;

 private:
  struct Archive;
  std::unique_ptr<Archive> archive_;
};

/// Writes an archive into a file.
class ZipWriter {
 public:
  /// `name` is that of the file in messages.
  ZipWriter(AtomicFile& file, std::string name);
  ~ZipWriter();
  /// A member of two parts, which must live until the archive is finished.
  void add(const std::string& name, std::string_view header, const void* bytes, std::int64_t count,
           bool compress);
  /// Writes all members; the file is still to be committed.
  void finish();

 private:
  struct Archive;
  std::unique_ptr<Archive> archive_;
};

}  // namespace ebb::inline v0::data::detail
