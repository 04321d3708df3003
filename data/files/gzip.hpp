// SPDX-License-Identifier: BSD-3-Clause
// Files compressed by gzip.
#pragma once
#include <memory>

#include "ebb/data/files/atomic_file.hpp"
#include "ebb/data/files/binary_file.hpp"

namespace ebb::inline v0::data::detail {

/// The most bytes that one byte compressed by deflate can inflate to.
constexpr std::int64_t max_inflation = 1032;

/// True if a file starts with the bytes that mark a gzip file.
bool is_gzip(const BinaryFile& file);

/// A place in the inflated bytes of a gzip file, from which a reader can continue. It takes about
/// 40 KiB, for the last 32 KiB that were inflated.
class GzipPoint {
 public:
  ~GzipPoint();
  GzipPoint(const GzipPoint&) = delete;
  GzipPoint& operator=(const GzipPoint&) = delete;
  /// The number of inflated bytes before it.
  std::int64_t position() const { return position_; }

 private:
  friend class GzipReader;
  struct State;
  GzipPoint(std::unique_ptr<State> state, std::int64_t position);

  std::unique_ptr<State> state_;
  std::int64_t position_;
};

/// Inflates a gzip file of one or more members (RFC 1952). Lengths and checksums are checked at the
/// end.
class GzipReader : public ByteReader {
 public:
  explicit GzipReader(const BinaryFile& file);
  /// Continues at a place of the same file.
  GzipReader(const BinaryFile& file, const GzipPoint& point);
  ~GzipReader() override;
  /// The place of the next byte.
  std::shared_ptr<const GzipPoint> point() const;
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

/// Compresses bytes into a file.
class GzipWriter {
 public:
  explicit GzipWriter(AtomicFile& file);
  ~GzipWriter();
  void write(const void* bytes, std::int64_t count);
  /// Writes the last bytes. The file must still be committed.
  void finish();

 private:
  struct Stream;
  void deflate_all(int flush);

  AtomicFile& file_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace ebb::inline v0::data::detail
