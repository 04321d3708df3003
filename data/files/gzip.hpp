// SPDX-License-Identifier: BSD-3-Clause
// Files compressed by gzip.
#pragma once
#include <memory>

#include "ebb/data/files/atomic_file.hpp"
#include "ebb/data/files/binary_file.hpp"

namespace ebb::inline v0::data::detail {

/// One byte that deflate compressed gives no more than 1032 of them.
constexpr std::int64_t max_inflation = 1032;

/// Whether a file starts as gzip's do.
bool is_gzip(const BinaryFile& file);

/// What inflates from a gzip file of one or more members (RFC 1952). Lengths and checksums are
/// checked when the end is reached.
class GzipReader : public ByteReader {
 public:
  explicit GzipReader(const BinaryFile& file);
  ~GzipReader() override;
  std::int64_t left() const override;
  std::int64_t consumed() const override;

 protected:
  std::int64_t read_some(void* to, std::int64_t count) override;

 private:
  struct Stream;
  void refill();

  const BinaryFile& file_;
  std::unique_ptr<Stream> stream_;
};

/// Compresses what is written into a file.
class GzipWriter {
 public:
  explicit GzipWriter(AtomicFile& file);
  ~GzipWriter();
  void write(const void* bytes, std::int64_t count);
  /// Writes what is left; the file is still to be committed.
  void finish();

 private:
  struct Stream;
  void deflate_all(int flush);

  AtomicFile& file_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace ebb::inline v0::data::detail
