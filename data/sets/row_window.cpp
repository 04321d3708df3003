// SPDX-License-Identifier: BSD-3-Clause
#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "ebb/autodiff/kernels/row_copy.hpp"
#include "ebb/data/sets/row_source.hpp"

namespace ebb::inline v0::data::detail {
namespace {

/// A cache of blocks of rows, which drops the block whose last use is longest ago. A thread holds
/// one block at a time, and waits for other threads only while it holds none, so that even a cache
/// of one block works with any number of threads.
class RowWindow : public RowSource {
 public:
  RowWindow(std::unique_ptr<const BinaryFile> file, const RowLayout& layout,
            std::int64_t block_rows, std::int64_t most_blocks)
      : RowSource(layout),
        file_(std::move(file)),
        block_rows_(block_rows),
        most_blocks_(std::size_t(most_blocks)) {}

  void copy(std::byte* out, std::span<const std::int64_t> indices) const override;
  void prefetch(std::span<const std::int64_t>) const override {}
  std::int64_t block_rows() const override { return block_rows_; }
  std::int64_t bytes_read() const override { return bytes_read_; }

 private:
  struct Block {
    std::int64_t number = -1;
    int users = 0;
    bool is_loading = false;
    std::unique_ptr<std::byte[]> rows = {};
  };
  using Blocks = std::list<Block>;

  /// Keeps a block in the cache until the end of the scope.
  class Use {
   public:
    Use(const RowWindow& window, std::int64_t number)
        : window_(window), block_(window.acquire(number)) {}
    ~Use() { window_.release(*block_); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    const std::byte* rows() const { return block_->rows.get(); }

   private:
    const RowWindow& window_;
    Blocks::iterator block_;
  };

  Blocks::iterator acquire(std::int64_t number) const;
  void release(Block& block) const;
  Blocks::iterator find_unused() const;
  void load(Blocks::iterator block, std::int64_t number, std::unique_lock<std::mutex>& lock) const;
  template <class RowOf>
  void copy_runs(std::byte* out, std::size_t count, const RowOf& row_of,
                 std::span<const std::int64_t> indices) const;

  std::unique_ptr<const BinaryFile> file_;
  std::int64_t block_rows_;
  std::size_t most_blocks_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable Blocks blocks_;  ///< the most recently used block is first
  mutable std::unordered_map<std::int64_t, Blocks::iterator> places_;
  mutable std::atomic<std::int64_t> bytes_read_ = 0;
};

RowWindow::Blocks::iterator RowWindow::acquire(std::int64_t number) const {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto place = places_.find(number);
    if (place != places_.end() && !place->second->is_loading) {
      const auto block = place->second;
      blocks_.splice(blocks_.begin(), blocks_, block);
      ++block->users;
      return block;
    }
    if (place == places_.end()) {
      if (const auto block = find_unused(); block != blocks_.end()) {
        load(block, number, lock);
        return block;
      }
    }
    changed_.wait(lock);  // another thread loads the block, or gives one back
  }
}

void RowWindow::release(Block& block) const {
  const std::lock_guard lock(mutex_);
  if (--block.users == 0) changed_.notify_all();
}

/// A block that can be replaced, or memory for one more; the end of the list if all blocks are in
/// use.
RowWindow::Blocks::iterator RowWindow::find_unused() const {
  if (blocks_.size() < most_blocks_) {
    const auto bytes = std::size_t(std::min(block_rows_, layout().rows()) * layout().row_bytes);
    auto rows = std::make_unique_for_overwrite<std::byte[]>(bytes);
    blocks_.push_back({.rows = std::move(rows)});
    return std::prev(blocks_.end());
  }
  for (auto block = blocks_.end(); block != blocks_.begin();) {
    if ((--block)->users == 0) return block;
  }
  return blocks_.end();
}

/// Reads a block in place of another one, without holding the lock. The block then has one user.
void RowWindow::load(Blocks::iterator block, std::int64_t number,
                     std::unique_lock<std::mutex>& lock) const {
  const std::int64_t first = number * block_rows_;
  const std::int64_t bytes = std::min(block_rows_, layout().rows() - first) * layout().row_bytes;
  places_.erase(block->number);
  block->number = -1;
  places_.emplace(number, block);
  block->number = number;
  block->users = 1;
  block->is_loading = true;
  blocks_.splice(blocks_.begin(), blocks_, block);
  lock.unlock();
  try {
    file_->check_unchanged();
    file_->read(layout().offset + first * layout().row_bytes, block->rows.get(), bytes);
    file_->check_unchanged();
    bytes_read_ += bytes;
  } catch (...) {
    lock.lock();
    places_.erase(number);
    block->number = -1;
    block->users = 0;
    blocks_.splice(blocks_.end(), blocks_, block);
    changed_.notify_all();
    throw;
  }
  lock.lock();
  block->is_loading = false;
  changed_.notify_all();
}

/// Copies the rows at the positions row_of(0), row_of(1), ... of `indices`, whose blocks must not
/// descend, each to its place.
template <class RowOf>
void RowWindow::copy_runs(std::byte* out, std::size_t count, const RowOf& row_of,
                          std::span<const std::int64_t> indices) const {
  const auto bytes = std::size_t(layout().row_bytes);
  for (std::size_t begin = 0; begin < count;) {
    const std::int64_t number = indices[row_of(begin)] / block_rows_;
    const std::int64_t first = number * block_rows_;
    std::size_t end = begin + 1;
    while (end < count && indices[row_of(end)] - first < block_rows_) ++end;
    const Use block(*this, number);
    const auto row = [&](std::size_t i) {
      return block.rows() + std::size_t(indices[row_of(i)] - first) * bytes;
    };
    const std::size_t fetched = bytes <= ebb::detail::longest_fetched ? end : 0;
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t soon = i + ebb::detail::rows_ahead;
      if (soon < fetched) ebb::detail::fetch_row(row(soon), bytes);
      ebb::detail::copy_row(out + row_of(i) * bytes, row(i), bytes);
    }
    begin = end;
  }
}

/// Goes block by block, so that each block is needed once, even if the cache has no room for all.
void RowWindow::copy(std::byte* out, std::span<const std::int64_t> indices) const {
  const std::size_t count = indices.size();
  const auto block_of = [&](std::int64_t index) { return index / block_rows_; };
  const auto descends = [&](std::int64_t a, std::int64_t b) { return block_of(a) > block_of(b); };
  if (std::adjacent_find(indices.begin(), indices.end(), descends) == indices.end()) {
    return copy_runs(
        out, count, [](std::size_t i) { return i; }, indices);
  }
  // From the pool of arrays, so that a loop does not allocate from the system.
  auto scratch = Array<std::int64_t>::uninitialized({std::int64_t(count)});
  const std::span<std::int64_t> order(scratch.mutate(), count);
  for (std::size_t i = 0; i < count; ++i) order[i] = std::int64_t(i);
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    const std::int64_t block_a = block_of(indices[std::size_t(a)]);
    const std::int64_t block_b = block_of(indices[std::size_t(b)]);
    return block_a != block_b ? block_a < block_b : a < b;
  });
  copy_runs(
      out, count, [&](std::size_t i) { return std::size_t(order[i]); }, indices);
}

}  // namespace

std::shared_ptr<const RowSource> window_rows(const char* operation,
                                             std::unique_ptr<const BinaryFile> file,
                                             const RowLayout& layout,
                                             const WindowOptions& options) {
  constexpr std::int64_t blocks = 8;  // at least, so that a shuffle has several blocks to mix
  const auto fail = [&](const std::string& what) {
    throw ArgumentError(std::string(operation) + ": " + what);
  };
  if (options.block_rows < 0) {
    fail("blocks of " + std::to_string(options.block_rows) +
         " rows; give at least 1, or 0 for a choice");
  }
  const std::int64_t block_rows =
      options.block_rows > 0 ? options.block_rows
                             : layout.rows_in(std::min(block_bytes, options.memory / blocks));
  const std::int64_t row_bytes = std::max(std::int64_t(1), layout.row_bytes);
  const std::int64_t most_blocks = options.memory / row_bytes / block_rows;
  if (most_blocks < 1) {
    fail(count_of(block_rows, "row") + " of " + count_of(layout.row_bytes, "byte") +
         " are read at once, more than memory = " + std::to_string(options.memory) +
         " holds; give it more" + (block_rows > 1 ? ", or smaller blocks" : ""));
  }
  return std::make_shared<RowWindow>(std::move(file), layout, block_rows, most_blocks);
}

}  // namespace ebb::inline v0::data::detail
