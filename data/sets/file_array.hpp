// SPDX-License-Identifier: BSD-3-Clause
// Arrays that stay in their files, of any size: rows by index.
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
/// are arrays. Copies share the open file, and any number of threads may ask at the same time. T is
/// float, double or std::int64_t. Made by `map_npy`, `map_raw`, `window_npy` and `window_raw`.
template <class T>
class EBB_API FileArray {
 public:
  /// For the functions below.
  explicit FileArray(std::shared_ptr<const detail::RowSource> source);

  /// The shape of the whole array.
  const Shape& shape() const;
  /// The number of rows.
  std::int64_t size() const;
  /// Copies of the rows with these indices. @throws ArgumentError for an index outside of the
  /// array; FileError where the file cannot be read, or was changed since it was opened. (What a
  /// window read before is given still, and a change within the tick of the system's clock, a few
  /// milliseconds, is seen by nobody.)
  Array<T> rows(std::span<const std::int64_t> indices) const;
  /// Brings the first of these rows of a mapped file closer to the processor.
  void expect(std::span<const std::int64_t> indices) const;

  /// How many rows are read at once: the block of a shuffle that goes through the file but once.
  std::int64_t block_rows() const;
  /// The bytes that were read for all rows so far, by all copies; 0 for a mapped file, whose bytes
  /// the system reads.
  std::int64_t bytes_read() const;

 private:
  std::shared_ptr<const detail::RowSource> source_;
};

/// Maps a .npy file, version 1.0 to 3.0, into memory: the system reads the pages that are touched
/// and keeps them while it has room. The whole file takes address space, and the pages that were
/// touched count as resident; `window_npy` takes a fixed amount of either. A program that reads
/// rows in the moment in which someone cuts off the mapped file is killed by a signal (SIGBUS). The
/// file stays open as long as the array.
/// @throws FileError that starts with file: byte offset for a file that cannot be opened or mapped,
/// is shorter or longer than it declares, or whose elements are not T in C order and little-endian:
/// `read_npy` converts those.
template <class T>
EBB_API FileArray<T> map_npy(const std::string& path);
/// Maps a file of plain numbers. @throws FileError also for a file that ends within a row, or
/// before `count` rows; ArgumentError for rows without elements or with more than five axes, and
/// negative numbers.
template <class T>
EBB_API FileArray<T> map_raw(const std::string& path, const RawRows& rows);

/// Opens a .npy file that may be larger than memory and address space: it is read in blocks of
/// rows, of which as many as `memory` has room for are kept, those that were used last. An order
/// that goes through the file block by block reads it once an epoch: `block_shuffled(n, {.block =
/// array.block_rows(), .window = w})` does where `memory` holds 2 w blocks, those of a batch
/// between one window and the next. An order that jumps through a larger file reads a block for
/// nearly every row.
/// @throws FileError as `map_npy`, but for mapping; ArgumentError unless `memory` holds one block.
template <class T>
EBB_API FileArray<T> window_npy(const std::string& path, WindowOptions options = {});
/// The same for a file of plain numbers.
template <class T>
EBB_API FileArray<T> window_raw(const std::string& path, const RawRows& rows,
                                WindowOptions options = {});

/// Inputs and targets that stay in their files. Through windows, open y with the `block_rows` of x,
/// so that both read the same rows.
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
  /// Brings the first of these rows of a mapped file closer to the processor.
  EBB_INLINE void expect(std::span<const std::int64_t> indices) const {
    x.expect(indices);
    y.expect(indices);
  }
};

}  // namespace ebb::inline v0::data
