// SPDX-License-Identifier: BSD-3-Clause
// Arrays of any size that stay in their files; rows are read by index.
#pragma once
#include <memory>
#include <string>
#include <utility>

#include "ebb/data/sets/dataset.hpp"
#include "ebb/data/sets/row_options.hpp"

namespace ebb::inline v0::data {

namespace detail {
class RowSource;
}

/// The rows of an array (n, ...) in a file, read when they are asked for: a `Dataset` whose batches
/// are arrays. Copies share the open file, and any number of threads may call `rows` at the same
/// time. T is float, double or std::int64_t. Made by `map_npy`, `map_raw`, `window_npy` and
/// `window_raw`.
template <class T>
class EBB_API FileArray {
 public:
  /// Used by `map_npy`, `map_raw`, `window_npy` and `window_raw`.
  explicit FileArray(std::shared_ptr<const detail::RowSource> source);

  /// The shape of the whole array.
  const Shape& shape() const;
  /// The number of rows.
  std::int64_t size() const;
  /// Copies of the rows with these indices.
  /// @throws ArgumentError for an index outside of the array; FileError if the file cannot be read,
  /// or was changed since it was opened. Two changes are not noticed: a window still gives the
  /// blocks that it read before, and the clock of the file system advances every few milliseconds
  /// only.
  Array<T> rows(std::span<const std::int64_t> indices) const;
  /// Loads the first of these rows of a mapped file into the processor's cache.
  void prefetch(std::span<const std::int64_t> indices) const;

  /// The number of rows that are read at once. With this block size a block-wise shuffle reads the
  /// file once.
  std::int64_t block_rows() const;
  /// The number of bytes read so far, for all rows and all copies; 0 for a mapped file, whose bytes
  /// the system reads.
  std::int64_t bytes_read() const;

 private:
  std::shared_ptr<const detail::RowSource> source_;
};

/// Maps a .npy file, version 1.0 to 3.0, into memory: the system reads the pages that are touched
/// and keeps them while it has room. The mapping takes address space for the whole file, and
/// touched pages count as resident memory; `window_npy` takes a fixed amount of both. If another
/// program truncates the file while its rows are read, the reading program is killed by a signal
/// (SIGBUS). The file stays open as long as the array exists.
/// @throws FileError that starts with "file: byte offset" for a file that cannot be opened or
/// mapped, is shorter or longer than it declares, or whose elements are not T, little-endian and in
/// C order: `read_npy` converts such files.
template <class T>
EBB_API FileArray<T> map_npy(const std::string& path);
/// Maps a file of plain numbers into memory, as `map_npy` maps a .npy file.
/// @throws FileError as `map_npy`, and for a file that ends within a row or before `count` rows;
/// ArgumentError for rows without elements or with more than five axes, and for a negative offset
/// or count.
template <class T>
EBB_API FileArray<T> map_raw(const std::string& path, const RawRows& rows);

/// Opens a .npy file that may be larger than memory and address space. It is read in blocks of
/// rows; `memory` bytes of blocks are kept, those that were used last. An order that goes through
/// the file block by block reads it once an epoch, as `block_shuffled(n, {.block =
/// array.block_rows(), .window = w})` does if `memory` holds 2 w blocks, which a batch at the
/// border of two windows needs. An order that jumps through a larger file reads a block for nearly
/// every row.
/// @throws FileError as `map_npy`, except for mapping; ArgumentError unless `memory` holds one
/// block.
template <class T>
EBB_API FileArray<T> window_npy(const std::string& path, WindowOptions options = {});
/// Opens a file of plain numbers through a window, as `window_npy` opens a .npy file.
/// @throws FileError as `map_raw`, except for mapping; ArgumentError as `map_raw`, and unless
/// `memory` holds one block.
template <class T>
EBB_API FileArray<T> window_raw(const std::string& path, const RawRows& rows,
                                WindowOptions options = {});

/// Inputs and targets that stay in their files. With windows, open y with the `block_rows` of x, so
/// that both read the same rows.
template <Real T, class U = T>
struct FileDataset {
  FileArray<T> x;  ///< inputs (n, ...)
  FileArray<U> y;  ///< targets (n, ...)

  /// @throws ShapeError unless both have the same number of rows.
  EBB_INLINE FileDataset(FileArray<T> inputs, FileArray<U> targets)
      : x(std::move(inputs)), y(std::move(targets)) {
    detail::check_rows("FileDataset", x.shape(), y.shape());
  }

  /// The number of rows.
  EBB_INLINE std::int64_t size() const { return x.size(); }
  /// Copies of the rows with these indices, as `FileArray::rows` gives them.
  EBB_INLINE Batch<T, U> rows(std::span<const std::int64_t> indices) const {
    return {x.rows(indices), y.rows(indices)};
  }
  /// Loads the first of these rows of mapped files into the processor's cache.
  EBB_INLINE void prefetch(std::span<const std::int64_t> indices) const {
    x.prefetch(indices);
    y.prefetch(indices);
  }
};

}  // namespace ebb::inline v0::data
