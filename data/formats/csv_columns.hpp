// SPDX-License-Identifier: BSD-3-Clause
// Collects the rows and levels of tables while they are read.
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

/// What the levels of a column are.
struct LevelKinds {
  std::int64_t numbers = 0, texts = 0;
  bool has_fraction = false;  ///< of a number, or an exponent: no class has one
  bool are_marks = true;      ///< the texts look like marks of what is missing: "?", "-", "none"
};

/// The levels of one column, numbered in the order in which they first occur.
class Levels {
 public:
  /// The number of a text; -1 if it is new.
  std::int64_t find(std::string_view text) const;
  /// Gives the next number to a new text.
  std::int64_t add(std::string_view text);
  std::int64_t size() const { return std::int64_t(codes_.size()); }
  LevelKinds kinds(char decimal) const;
  /// The first `known` texts, and the others in the order of their bytes. `places`, of `size()`
  /// elements, gets the position of each number in that order; a text whose element is -1 on entry
  /// is left out.
  std::vector<std::string> sorted(std::vector<std::int64_t>& places, std::int64_t known) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> codes_;
};

/// Rows of numbers whose count is not known in advance. They do not move while more rows come.
template <class T>
class RowBuffer {
 public:
  explicit RowBuffer(std::int64_t width)
      : width_(width), block_rows_(std::max(std::int64_t(1), block_size / width)) {}

  /// Memory for one more row. If a new block is needed, its memory is taken from the file's
  /// session.
  T* next(TextFile& file) {
    if (used_ == block_rows_ || blocks_.empty()) add_block(file);
    return blocks_.back().get() + used_++ * width_;
  }
  /// Removes the last row.
  void drop_last() { --used_; }
  std::int64_t rows() const {
    return blocks_.empty() ? 0 : std::int64_t(blocks_.size() - 1) * block_rows_ + used_;
  }
  /// All rows as an array (rows, width). The buffer is empty afterwards.
  Array<T> to_array();

 private:
  static constexpr std::int64_t block_size = 1 << 18;
  void add_block(TextFile& file);

  std::int64_t width_, block_rows_, used_ = 0;
  std::vector<std::unique_ptr<T[]>> blocks_;
};

}  // namespace ebb::inline v0::data::detail
