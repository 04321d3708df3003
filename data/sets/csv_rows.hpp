// SPDX-License-Identifier: BSD-3-Clause
// The rows of a delimited text file that stays in its file.
#pragma once
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ebb/data/formats/csv_pass.hpp"
#include "ebb/data/sets/row_options.hpp"

namespace ebb::inline v0::data::detail {

/// Blocks of rows of which the most recently used stay in memory. Any number of threads may use it.
template <class T>
class BlockCache {
 public:
  using Values = std::shared_ptr<const std::vector<T>>;

  explicit BlockCache(std::int64_t most_bytes) : left_(most_bytes) {}
  /// The block of this number; null if it is not in memory.
  Values find(std::int64_t number);
  /// Keeps a block, in place of those whose last use is longest ago. One that is larger than all
  /// memory is not kept.
  void keep(std::int64_t number, const Values& values);

 private:
  using Blocks = std::list<std::pair<std::int64_t, Values>>;
  static std::int64_t bytes_of(const Values& values) {
    return std::int64_t(values->size() * sizeof(T));
  }

  std::mutex mutex_;
  std::int64_t left_;  ///< bytes
  Blocks blocks_;      ///< the most recently used is first
  std::unordered_map<std::int64_t, typename Blocks::iterator> places_;
};

/// The rows of a file, read a block at a time. Any number of threads may read rows.
template <class T>
class CsvRows {
 public:
  /// Reads the whole file once.
  CsvRows(const std::string& path, const std::string& target, const CsvOptions& options,
          const WindowOptions& window);

  const BinaryFile& file() const { return file_; }
  std::int64_t size() const { return rows_; }
  /// The columns in the order of x, and then the target.
  const std::vector<Column>& columns() const { return columns_; }
  /// Copies each row to its place in x and y.
  void read(std::span<const std::int64_t> indices, T* x, T* y) const;

 private:
  /// The rows from one remembered place to the next.
  struct Block {
    std::int64_t first_row;
    Place place;
    std::size_t point = 0;  ///< of a compressed file, the number of the last point before it
  };
  /// The state that one thread needs to read rows.
  struct Reader {
    explicit Reader(const CsvRows& of);
    ReadSession session;
    CsvPass<T> pass;
    std::int64_t row = -1;  ///< the next one, if the pass can simply go on
  };

  void arrange(std::vector<Column> columns, const std::string& target);
  void remember_blocks(CsvPass<T>& pass, const WindowOptions& window);
  typename BlockCache<T>::Values block(std::int64_t number, std::unique_ptr<Reader>& reader) const;
  typename BlockCache<T>::Values load(std::int64_t number, Reader& reader) const;
  std::unique_ptr<Reader> take_reader() const;

  BinaryFile file_;
  CsvOptions options_;
  std::vector<Column> columns_;
  std::vector<std::size_t> positions_;  ///< of each of these columns in a row of the file
  std::int64_t rows_ = 0;
  std::vector<Block> blocks_;
  std::vector<std::shared_ptr<const GzipPoint>> points_;
  mutable BlockCache<T> cache_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Reader>> readers_;  ///< not used by any thread at present
};

}  // namespace ebb::inline v0::data::detail
