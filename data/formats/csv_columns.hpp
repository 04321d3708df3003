// SPDX-License-Identifier: BSD-3-Clause
// What a reader of tables gathers: rows that become an array, levels that become codes.
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ebb/data/files/text_file.hpp"
#include "ebb/data/tables/table.hpp"

namespace ebb::inline v0::data::detail {

/// The levels of one column while they come in, by order of appearance.
class Levels {
 public:
  /// The number of a text; -1 if it is new.
  std::int64_t find(std::string_view text) const;
  /// Gives the next number to a new text.
  std::int64_t add(std::string_view text);
  std::int64_t size() const { return std::int64_t(codes_.size()); }
  /// The texts in the order of their bytes, and the place there of each number. `places` has
  /// `size()` elements; those that are -1 leave out their text.
  std::vector<std::string> sorted(std::vector<std::int64_t>& places) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> codes_;
};

/// Rows of numbers whose count is not known before; they never move while they come in.
template <class T>
class RowBuffer {
 public:
  explicit RowBuffer(std::int64_t width)
      : width_(width), block_rows_(std::max(std::int64_t(1), block_size / width)) {}

  /// Room for one more row; memory for more rows is taken from the file's.
  T* next(TextFile& file) {
    if (used_ == block_rows_ || blocks_.empty()) add_block(file);
    return blocks_.back().get() + used_++ * width_;
  }
  /// The row that came last is none.
  void drop_last() { --used_; }
  std::int64_t rows() const {
    return blocks_.empty() ? 0 : std::int64_t(blocks_.size() - 1) * block_rows_ + used_;
  }
  /// All rows (rows, width); the buffer is empty then.
  Array<T> to_array();

 private:
  static constexpr std::int64_t block_size = 1 << 18;
  void add_block(TextFile& file);

  std::int64_t width_, block_rows_, used_ = 0;
  std::vector<std::unique_ptr<T[]>> blocks_;
};

}  // namespace ebb::inline v0::data::detail
