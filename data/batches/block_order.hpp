// SPDX-License-Identifier: BSD-3-Clause
// An epoch of `block_shuffled`, whose windows can be drawn one by one.
#pragma once
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "ebb/autodiff/values/random.hpp"
#include "ebb/data/batches/block_shuffle_options.hpp"

namespace ebb::inline v0::data::detail {

class BlockOrder {
 public:
  /// Draws the order of the blocks. The sizes must be at least 1.
  BlockOrder(std::int64_t n, const BlockShuffleOptions& options, Stream& stream)
      : n_(n), block_(std::min(options.block, n)), stream_(stream) {
    blocks_ = permutation((n - 1) / block_ + 1, stream);
    const auto count = std::int64_t(blocks_.size());
    window_ = std::min(options.window, count);
    const auto last = std::find(blocks_.begin(), blocks_.end(), count - 1);
    short_window_ = (last - blocks_.begin()) / window_;
    missing_ = count * block_ - n;
  }

  std::int64_t windows() const { return (std::int64_t(blocks_.size()) - 1) / window_ + 1; }
  /// The position in the epoch at which a window begins; n for the number after the last window.
  std::int64_t begin(std::int64_t window) const {
    if (window >= windows()) return n_;
    return window * window_ * block_ - (window > short_window_ ? missing_ : 0);
  }
  /// The window of a position in the epoch.
  std::int64_t window_of(std::int64_t place) const {
    const std::int64_t window = place / (window_ * block_);
    return window + (place >= begin(window + 1));  // the last block of the data may be short
  }
  /// Fills `rows` with the rows of a window, of which there are begin(window + 1) - begin(window).
  void draw(std::int64_t window, std::span<std::int64_t> rows) const {
    const auto first = std::size_t(window * window_);
    const std::size_t end = std::min(first + std::size_t(window_), blocks_.size());
    auto out = rows.begin();
    for (std::size_t i = first; i < end; ++i) {
      const std::int64_t row = blocks_[i] * block_, size = std::min(block_, n_ - row);
      std::iota(out, out + size, row);
      out += size;
    }
    Stream stream = stream_.split(std::uint64_t(window));
    shuffle(rows, stream);
  }

 private:
  std::int64_t n_, block_, window_, short_window_, missing_;
  std::vector<std::int64_t> blocks_;
  Stream stream_;
};

}  // namespace ebb::inline v0::data::detail
