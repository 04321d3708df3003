// SPDX-License-Identifier: BSD-3-Clause
// Mini-batches of a data set, epoch by epoch.
#pragma once
#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ebb/autodiff/values/fields.hpp"
#include "ebb/data/batches/prefetch.hpp"
#include "ebb/data/batches/sampler.hpp"
#include "ebb/data/sets/dataset.hpp"

namespace ebb::inline v0::data {

struct LoaderOptions {
  std::int64_t batch_size = 32;  ///< rows in a batch
  bool shuffle = true;           ///< a new order each epoch; otherwise the order of the data set
  bool drop_last = false;        ///< leaves out a last batch that is not full
  std::uint64_t seed = 0;        ///< seed of the orders

  /// The rule by which rows are drawn, in place of `shuffle`: `weighted(...)`, `stratified(...)`,
  /// ... The loop throws ArgumentError for a row that the data set does not have.
  std::optional<Sampler> sampler = std::nullopt;

  int workers = 0;   ///< threads that make batches ahead; 0: the caller makes each batch
  int prefetch = 4;  ///< batches that each worker makes ahead

  /// Divides an epoch among `world` processes: this one takes every world-th row of the order,
  /// starting with row `rank`. Together they take each row once; with `drop_last` all have the same
  /// number of batches.
  std::int64_t rank = 0, world = 1;
};

/// The position of a loader; a checkpoint needs nothing else of it.
struct LoaderPosition {
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;   ///< the epoch of the next batch, from 0
  std::int64_t cursor = 0;  ///< the rows of that epoch that come before the batch

  friend EBB_INLINE bool operator==(const LoaderPosition&, const LoaderPosition&) = default;
};

namespace detail {

/// The rows of each epoch, in order. They are kept in memory only if the order must be drawn as a
/// whole.
class EBB_API EpochOrder {
 public:
  /// @throws ArgumentError if the options leave no batch.
  EpochOrder(std::int64_t rows, const LoaderOptions& options);
  EpochOrder(const EpochOrder&) = delete;
  EpochOrder& operator=(const EpochOrder&) = delete;
  ~EpochOrder();

  /// The number of rows in an epoch.
  EBB_INLINE std::int64_t size() const { return size_; }
  /// Switches to an epoch. No other thread may be inside `rows`.
  EBB_INLINE void go_to(std::uint64_t seed, std::int64_t epoch) {
    if (!(now_.drawn && now_.seed == seed && now_.epoch == epoch)) change(seed, epoch);
  }
  /// The rows at the positions [first, first + count) of the epoch. If they are not kept, they are
  /// written to `memory`. Several threads may call it at the same time.
  EBB_INLINE std::span<const std::int64_t> rows(std::int64_t first, std::int64_t count,
                                                std::vector<std::int64_t>& memory) const {
    if (is_kept_) return now_.rows.subspan(std::size_t(first), std::size_t(count));
    memory.resize(std::size_t(count));
    fill(memory, first);
    return memory;
  }
  /// Row numbers from position `first`: at least `count` of them, or all to the end of the epoch.
  EBB_INLINE std::span<const std::int64_t> rows_to_come(std::int64_t first, std::int64_t count,
                                                        std::vector<std::int64_t>& memory) const {
    return rows(first, is_kept_ ? size_ - first : std::min(count, size_ - first), memory);
  }
  /// Draws an epoch that will be needed next; the current one does not change.
  void prepare(std::uint64_t seed, std::int64_t epoch);
  /// @throws ArgumentError unless an epoch has this position.
  void check_position(const LoaderPosition& position) const;

 private:
  struct Draw {
    bool drawn = false;
    std::uint64_t seed = 0;
    std::int64_t epoch = 0;
    std::vector<std::int64_t> all = {};
    std::span<const std::int64_t> rows = {};  ///< the rows of this rank
  };
  void change(std::uint64_t seed, std::int64_t epoch);
  void draw(Draw& to, std::uint64_t seed, std::int64_t epoch) const;
  void check_rows(std::span<const std::int64_t> rows) const;
  void fill(std::span<std::int64_t> rows, std::int64_t first) const;

  Sampler sampler_;
  bool is_kept_;
  std::int64_t rows_, rank_, world_, size_;
  Draw now_, next_;
  struct Windows;
  std::unique_ptr<Windows> windows_;  ///< the windows of a block-wise shuffle
};

/// @throws ArgumentError.
[[noreturn]] EBB_API void fail_nested_loop();

template <class Source>
static void make_batch(void* source, std::size_t slot, std::int64_t ticket) {
  static_cast<Source*>(source)->prefetch(slot, ticket);
}
template <class Source>
static void draw_ahead(void* source) {
  static_cast<Source*>(source)->draw_ahead();
}

}  // namespace detail

/// Gives every row of a data set once an epoch, in batches:
///
///     for (int epoch = 0; epoch < 10; ++epoch)
///       for (const auto& [x, y] : loader) ...
///
/// A loop runs from the position of the loader to the end of the epoch, so that after a `break` or
/// a `seek` the next loop gives the rest. A loop inside of a loop over the same loader would take
/// its batches, which the outer loop reports as an ArgumentError. The order, and so the batches,
/// depend only on seed and epoch, not on the number of workers. With workers, several threads call
/// `rows` of the data set at the same time; an exception that it throws is thrown by the loop, at
/// that batch. The order takes 8 bytes a row, or 16 with workers; nothing without a shuffle or a
/// sampler; and little with `block_shuffled`. Without a sampler and workers, every epoch after the
/// first allocates nothing from the system.
template <Dataset D>
class Loader {
 public:
  /// @throws ArgumentError if the data set or the options leave no batch.
  EBB_INLINE Loader(D dataset, LoaderOptions options = {})
      : source_(std::make_unique<Source>(std::move(dataset), options)),
        position_{options.seed, 0, 0} {}

  class Iterator;
  /// Takes the first batch of the loop.
  EBB_INLINE Iterator begin() { return Iterator(*this); }
  EBB_INLINE std::default_sentinel_t end() const { return {}; }

  /// The number of batches in an epoch.
  EBB_INLINE std::int64_t size() const { return source_->batches(0); }
  /// The number of batches from the position to the end of its epoch.
  EBB_INLINE std::int64_t batches_left() const { return source_->batches(position_.cursor); }
  const D& dataset() const { return source_->dataset; }

  /// The position of the next batch. In the body of a loop it is the one after the current batch;
  /// after the last batch of an epoch it is the start of the next epoch.
  EBB_INLINE LoaderPosition position() const { return position_; }
  /// Continues from a position.
  /// @throws ArgumentError if the data set does not have it.
  EBB_INLINE void seek(const LoaderPosition& position) {
    source_->order.check_position(position);
    position_ = position;
  }
  /// Visits the position, and the number of rows, which must be that of the data set.
  /// @throws ArgumentError for a position that the data set does not have.
  EBB_INLINE void each(Fields& field) {
    LoaderPosition position = position_;
    std::int64_t rows = source_->dataset.size();
    field("rows", rows);
    field("seed", position.seed);
    field("epoch", position.epoch);
    field("cursor", position.cursor);
    field.refuse_unless(rows == source_->dataset.size(),
                        "the loader had " + std::to_string(rows) + " rows, and has " +
                            std::to_string(source_->dataset.size()));
    if (!(position == position_)) seek(position);
  }
  /// Continues at the start of an epoch.
  /// @throws ArgumentError for a negative epoch.
  EBB_INLINE void set_epoch(std::int64_t epoch) { seek({position_.seed, epoch, 0}); }

 private:
  using Batch =
      std::remove_cvref_t<decltype(std::declval<const D&>().rows(std::span<const std::int64_t>()))>;

  /// The state that the workers share. It does not move when the loader moves.
  struct Source {
    D dataset;
    bool in_order;  ///< memory is read from front to back, which the hardware foresees
    detail::EpochOrder order;
    std::int64_t batch_size;  ///< at most the number of rows in an epoch

    std::vector<std::int64_t> memory = {}, memory_to_come = {};  ///< the rows of `make`

    // The state of the workers: the position at which they started, and the batches they made from
    // there.
    struct Made {
      std::vector<std::int64_t> memory = {};
      std::optional<Batch> batch = {};
    };
    LoaderPosition at = {};
    std::vector<Made> made;
    /// Position of the next batch to take from the workers, if they run.
    std::optional<LoaderPosition> next;
    std::optional<detail::Prefetcher> prefetcher;  ///< the last member, destroyed first

    EBB_INLINE Source(D d, const LoaderOptions& options)
        : dataset(std::move(d)),
          in_order(!options.shuffle && !options.sampler),
          order(dataset.size(), options),
          batch_size(std::min(options.batch_size, order.size())) {
      if (options.workers == 0) return;
      // More batches than batches in an epoch would never be used.
      const std::int64_t most =
          std::min(std::int64_t(options.workers) * options.prefetch, batches(0));
      made.resize(std::size_t(most));
      prefetcher.emplace(
          std::min(std::int64_t(options.workers), most), most,
          detail::Prefetcher::Task{this, detail::make_batch<Source>, detail::draw_ahead<Source>});
    }

    // The functions that the workers call.
    EBB_INLINE void prefetch(std::size_t slot, std::int64_t ticket) {
      const auto rows = batch(at.cursor + ticket * batch_size, made[slot].memory);
      made[slot].batch.emplace(dataset.rows(rows));
    }
    EBB_INLINE void draw_ahead() { order.prepare(at.seed, at.epoch + 1); }

    EBB_INLINE std::int64_t batches(std::int64_t cursor) const {
      return (order.size() - cursor + batch_size - 1) / batch_size;
    }
    EBB_INLINE std::span<const std::int64_t> batch(std::int64_t first,
                                                   std::vector<std::int64_t>& in) const {
      return order.rows(first, std::min(batch_size, order.size() - first), in);
    }

    EBB_INLINE Batch make(const LoaderPosition& from) {
      order.go_to(from.seed, from.epoch);
      Batch result = dataset.rows(batch(from.cursor, memory));
      if constexpr (requires { dataset.prefetch(std::span<const std::int64_t>()); }) {
        const auto to_come = std::min(from.cursor + batch_size, order.size());
        if (!in_order) {
          dataset.prefetch(order.rows_to_come(to_come, batch_size, memory_to_come));
        }
      }
      return result;
    }

    /// Takes the batch at `from` from the workers, restarting them there if they were elsewhere.
    EBB_INLINE Batch fetch(const LoaderPosition& from, const LoaderPosition& after) {
      if (!(next && *next == from)) {
        next.reset();
        prefetcher->stop();
        at = from;
        order.go_to(at.seed, at.epoch);
        prefetcher->start(batches(at.cursor));
      }
      next.reset();  // if this batch cannot be made, the next call tries again
      Batch result = std::move(*made[prefetcher->wait()].batch);
      prefetcher->release();
      if (after.cursor != 0) next = after;
      return result;
    }
  };

  /// Takes the next batch of this epoch, and moves the position to the one after it.
  EBB_INLINE Batch take() {
    Source& source = *source_;
    const std::int64_t cursor = position_.cursor + source.batch_size;
    const LoaderPosition after = cursor < source.order.size()
                                     ? LoaderPosition{position_.seed, position_.epoch, cursor}
                                     : LoaderPosition{position_.seed, position_.epoch + 1, 0};
    Batch batch = source.prefetcher ? source.fetch(position_, after) : source.make(position_);
    position_ = after;
    ++taken_;
    return batch;
  }

  std::unique_ptr<Source> source_;
  LoaderPosition position_;
  std::uint64_t taken_ = 0;  ///< the batches that all loops took
};

/// An input iterator, which holds the current batch.
template <Dataset D>
class Loader<D>::Iterator {
 public:
  using value_type = Batch;
  using difference_type = std::ptrdiff_t;

  EBB_INLINE explicit Iterator(Loader& loader) : loader_(&loader) { take(); }
  EBB_INLINE const value_type& operator*() const { return *batch_; }
  EBB_INLINE const value_type* operator->() const { return &*batch_; }
  EBB_INLINE Iterator& operator++() {
    if (loader_->taken_ != taken_) detail::fail_nested_loop();
    // Freed before the next batch is made, which then uses the same memory.
    batch_.reset();
    if (!last_) take();
    return *this;
  }
  EBB_INLINE void operator++(int) { ++*this; }
  friend EBB_INLINE bool operator==(const Iterator& i, std::default_sentinel_t) {
    return !i.batch_;
  }

 private:
  EBB_INLINE void take() {
    batch_.emplace(loader_->take());
    last_ = loader_->position_.cursor == 0;
    taken_ = loader_->taken_;
  }

  Loader* loader_;
  std::optional<value_type> batch_;
  bool last_ = false;        ///< the current batch is the last of the epoch
  std::uint64_t taken_ = 0;  ///< the loader's count after the current batch
};

}  // namespace ebb::inline v0::data
