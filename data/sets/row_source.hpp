// SPDX-License-Identifier: BSD-3-Clause
// Rows of bytes in a file, mapped or through a window.
#pragma once
#include <algorithm>
#include <memory>
#include <string>

#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/files/elements.hpp"
#include "ebb/data/sets/row_options.hpp"

namespace ebb::inline v0::data::detail {

/// Where the rows of an array are in a file.
struct RowLayout {
  Shape shape;              ///< the shape of the array; its first axis counts the rows
  std::int64_t offset = 0;  ///< the offset of the first row
  std::int64_t row_bytes = 0;

  std::int64_t rows() const { return shape[0]; }
  /// The number of rows that fit into this number of bytes, at least 1.
  std::int64_t rows_in(std::int64_t bytes) const {
    return std::max(std::int64_t(1), bytes / std::max(std::int64_t(1), row_bytes));
  }
};

/// The layout that a .npy file declares.
/// @throws FileError unless its elements are of this type, need no conversion, and end with the
/// file.
RowLayout npy_layout(const BinaryFile& file, ElementType type);
/// The layout of a raw file.
/// @throws FileError and ArgumentError as `map_raw`; `operation` is the function named in the
/// message.
RowLayout raw_layout(const char* operation, const BinaryFile& file, const RawRows& rows,
                     ElementType type);

/// Gives rows of a file. Any number of threads may call it at the same time.
class RowSource {
 public:
  explicit RowSource(const RowLayout& layout) : layout_(layout) {}
  RowSource(const RowSource&) = delete;
  RowSource& operator=(const RowSource&) = delete;
  virtual ~RowSource();

  const RowLayout& layout() const { return layout_; }
  /// Copies the rows with these indices, which must be inside the array, one after the other.
  /// @throws FileError if the file was changed.
  virtual void copy(std::byte* out, std::span<const std::int64_t> indices) const = 0;
  virtual void prefetch(std::span<const std::int64_t> indices) const = 0;
  virtual std::int64_t block_rows() const = 0;
  virtual std::int64_t bytes_read() const = 0;

 private:
  RowLayout layout_;
};

/// The size of a block unless the user gives another.
constexpr std::int64_t block_bytes = 1 << 20;

std::shared_ptr<const RowSource> map_rows(std::unique_ptr<const BinaryFile> file,
                                          const RowLayout& layout);
/// @throws ArgumentError, which names the operation, unless `options.memory` holds one block.
std::shared_ptr<const RowSource> window_rows(const char* operation,
                                             std::unique_ptr<const BinaryFile> file,
                                             const RowLayout& layout, const WindowOptions& options);

}  // namespace ebb::inline v0::data::detail
