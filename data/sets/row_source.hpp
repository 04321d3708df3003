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

/// Where the rows of an array stand in a file.
struct RowLayout {
  Shape shape;              ///< of the array, rows first
  std::int64_t offset = 0;  ///< of the first row
  std::int64_t row_bytes = 0;

  std::int64_t rows() const { return shape[0]; }
  /// The rows of so many bytes, at least one.
  std::int64_t rows_in(std::int64_t bytes) const {
    return std::max(std::int64_t(1), bytes / std::max(std::int64_t(1), row_bytes));
  }
};

/// The layout that a .npy file declares. @throws FileError unless its elements are of this type,
/// can be used as they stand, and end with the file.
RowLayout npy_layout(const BinaryFile& file, ElementType type);
/// The layout of a raw file. @throws as `map_raw`; `operation` names it.
RowLayout raw_layout(const char* operation, const BinaryFile& file, const RawRows& rows,
                     ElementType type);

/// Gives rows to many threads at once.
class RowSource {
 public:
  explicit RowSource(const RowLayout& layout) : layout_(layout) {}
  RowSource(const RowSource&) = delete;
  RowSource& operator=(const RowSource&) = delete;
  virtual ~RowSource();

  const RowLayout& layout() const { return layout_; }
  /// Copies the rows with these indices, which are inside the array, side by side. @throws
  /// FileError for rows of a file that was changed.
  virtual void copy(std::byte* out, std::span<const std::int64_t> indices) const = 0;
  virtual void expect(std::span<const std::int64_t> indices) const = 0;
  virtual std::int64_t block_rows() const = 0;
  virtual std::int64_t bytes_read() const = 0;

 private:
  RowLayout layout_;
};

/// What is read at once unless the user says otherwise.
constexpr std::int64_t block_bytes = 1 << 20;

std::shared_ptr<const RowSource> map_rows(std::unique_ptr<const BinaryFile> file,
                                          const RowLayout& layout);
/// @throws ArgumentError, which names the operation, unless the memory holds a block.
std::shared_ptr<const RowSource> window_rows(const char* operation,
                                             std::unique_ptr<const BinaryFile> file,
                                             const RowLayout& layout, const WindowOptions& options);

}  // namespace ebb::inline v0::data::detail
