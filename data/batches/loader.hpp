// SPDX-License-Identifier: BSD-3-Clause
// Mini-batches of a data set, epoch after epoch.
#pragma once
#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "ebb/data/batches/prefetch.hpp"
#include "ebb/data/batches/sampler.hpp"
#include "ebb/data/sets/dataset.hpp"

namespace ebb::inline v0::data {

struct LoaderOptions {
  std::int64_t batch_size = 32;  ///< rows in a batch
  bool shuffle = true;           ///< a new order each epoch; without it, the order of the data
  bool drop_last = false;        ///< leaves out a last batch that is not full
  std::uint64_t seed = 0;        ///< of the orders

  /// Which rows are drawn, in place of `shuffle`: `weighted(...)`, `stratified(...)`, ... The loop
  /// throws ArgumentError for a row that the data set does not have.
  std::optional<Sampler> sampler = std::nullopt;

  int workers = 0;   ///< threads that make batches ahead; 0: the caller makes each when it is due
  int prefetch = 4;  ///< batches that each worker makes ahead

  /// Of `world` processes that share an epoch, this one takes every world-th row of its order, from
  /// the rank-th on: all rows once between them, and with `drop_last` the same number of batches.
  std::int64_t rank = 0, world = 1;
};

/// Where a loader stands: all there is to save of it.
struct LoaderPosition {
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;   ///< of the next batch, from 0
  std::int64_t cursor = 0;  ///< the rows of that epoch that were given before it

  friend EBB_INLINE bool operator==(const LoaderPosition&, const LoaderPosition&) = default;
};

namespace detail {

/// The rows of each epoch, in order. Only an order that must be drawn as a whole is kept.
class EBB_API EpochOrder {
 public:
  /// @throws ArgumentError for options that leave nothing to give.
  EpochOrder(std::int64_t rows, const LoaderOptions& options);
  EpochOrder(const EpochOrder&) = delete;
  EpochOrder& operator=(const EpochOrder&) = delete;
  ~EpochOrder();

  /// The number of rows that an epoch gives.
  EBB_INLINE std::int64_t size() const { return size_; }
  /// Goes to an epoch. Nobody may be at `rows`.
  EBB_INLINE void go_to(std::uint64_t seed, std::int64_t epoch) {
    if (!(now_.drawn && now_.seed == seed && now_.epoch == epoch)) change(seed, epoch);
  }
  /// Some rows of the epoch, in `memory` unless they are kept. Threads may ask at the same time.
  EBB_INLINE std::span<const std::int64_t> rows(std::int64_t first, std::int64_t count,
                                                std::vector<std::int64_t>& memory) const {
    if (is_kept_) return now_.rows.subspan(std::size_t(first), std::size_t(count));
    memory.resize(std::size_t(count));
    fill(memory, first);
    return memory;
  }
  /// Of those from `first` on as many as are at hand, at least `count`, or all that there are.
  EBB_INLINE std::span<const std::int64_t> rows_to_come(std::int64_t first, std::int64_t count,
                                                        std::vector<std::int64_t>& memory) const {
    return rows(first, is_kept_ ? size_ - first : std::min(count, size_ - first), memory);
  }
  /// Draws an epoch that will be asked for next; the one at hand stays.
  void prepare(std::uint64_t seed, std::int64_t epoch);
  /// @throws ArgumentError unless an epoch has such a row.
  void check(const LoaderPosition& position) const;

 private:
  struct Draw {
    bool drawn = false;
    std::uint64_t seed = 0;
    std::int64_t epoch = 0;
    std::vector<std::int64_t> all = {};
    std::span<const std::int64_t> rows = {};  ///< those of this rank
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
  std::unique_ptr<Windows> windows_;  ///< of a block-wise shuffle
};

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
/// The loop runs from the loader's position to the end of its epoch, so that after a `break` or a
/// `seek` the next loop gives what was left. The order is a function of seed and epoch alone, and
/// so are the batches, whatever the number of workers. With workers the data set must allow `rows`
/// to be called by several threads at a time; what it throws there is thrown by the loop, at the
/// batch in question. The order takes 8 bytes a row, with workers 16, but nothing without a
/// shuffle or a sampler, and little with `block_shuffled`. Without a sampler and workers an epoch
/// after the first allocates nothing from the system.
template <Dataset D>
class Loader {
 public:
  /// @throws ArgumentError when the data set or the options leave no batch to give.
  EBB_INLINE Loader(D dataset, LoaderOptions options = {})
      : source_(std::make_unique<Source>(std::move(dataset), options)),
        position_{options.seed, 0, 0} {}

  class Iterator;
  /// Takes the next batch.
  EBB_INLINE Iterator begin() { return Iterator(*this); }
  EBB_INLINE std::default_sentinel_t end() const { return {}; }

  /// The number of batches in an epoch.
  EBB_INLINE std::int64_t size() const { return source_->batches(0); }
  const D& dataset() const { return source_->dataset; }

  /// Where the next batch comes from. In the body of a loop this is behind the batch at hand, and
  /// with the last batch of an epoch it is the start of the next epoch.
  EBB_INLINE LoaderPosition position() const { return position_; }
  /// Continues from a position. @throws ArgumentError when the data set has no such row.
  EBB_INLINE void seek(const LoaderPosition& position) {
    source_->order.check(position);
    position_ = position;
  }
  /// Continues at the start of an epoch.
  EBB_INLINE void set_epoch(std::int64_t epoch) { seek({position_.seed, epoch, 0}); }

 private:
  using Batch =
      std::remove_cvref_t<decltype(std::declval<const D&>().rows(std::span<const std::int64_t>()))>;

  /// What the workers share. It stays where it is when the loader moves.
  struct Source {
    D dataset;
    bool in_order;  ///< memory is read from front to back, which the processor foresees
    detail::EpochOrder order;
    std::int64_t batch_size;  ///< at most that of an epoch

    std::vector<std::int64_t> memory = {}, memory_to_come = {};  ///< of the caller's rows

    // Of the workers: where they began, and what they made from there on.
    struct Made {
      std::vector<std::int64_t> memory = {};
      std::optional<Batch> batch = {};
    };
    LoaderPosition at = {};
    std::vector<Made> made;
    std::optional<LoaderPosition> next;  ///< of the next batch to be taken, if they are at work
    std::optional<detail::Prefetcher> prefetcher;  ///< the last member: it ends before the others

    EBB_INLINE Source(D d, const LoaderOptions& options)
        : dataset(std::move(d)),
          in_order(!options.shuffle && !options.sampler),
          order(dataset.size(), options),
          batch_size(std::min(options.batch_size, order.size())) {
      if (options.workers == 0) return;
      // An epoch has no use for more.
      const std::int64_t slots =
          std::min(std::int64_t(options.workers) * options.prefetch, batches(0));
      made.resize(std::size_t(slots));
      prefetcher.emplace(
          std::min(std::int64_t(options.workers), slots), slots,
          detail::Prefetcher::Task{this, detail::make_batch<Source>, detail::draw_ahead<Source>});
    }

    // What the workers do.
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
      if constexpr (requires { dataset.expect(std::span<const std::int64_t>()); }) {
        const auto to_come = std::min(from.cursor + batch_size, order.size());
        if (!in_order) {
          dataset.expect(order.rows_to_come(to_come, batch_size, memory_to_come));
        }
      }
      return result;
    }

    /// The same from the workers, who are set to this place if they are at another.
    EBB_INLINE Batch fetch(const LoaderPosition& from, const LoaderPosition& after) {
      if (!(next && *next == from)) {
        next.reset();
        prefetcher->stop();
        at = from;
        order.go_to(at.seed, at.epoch);
        prefetcher->start(batches(at.cursor));
      }
      next.reset();  // if this batch cannot be made, it is tried again
      Batch result = std::move(*made[prefetcher->wait()].batch);
      prefetcher->release();
      if (after.cursor != 0) next = after;
      return result;
    }
  };

  /// The next batch of this epoch, and the position behind it.
  EBB_INLINE Batch take() {
    Source& source = *source_;
    const std::int64_t cursor = position_.cursor + source.batch_size;
    const LoaderPosition after = cursor < source.order.size()
                                     ? LoaderPosition{position_.seed, position_.epoch, cursor}
                                     : LoaderPosition{position_.seed, position_.epoch + 1, 0};
    Batch batch = source.prefetcher ? source.fetch(position_, after) : source.make(position_);
    position_ = after;
    return batch;
  }

  std::unique_ptr<Source> source_;
  LoaderPosition position_;
};

/// An input iterator, which holds the batch at hand.
template <Dataset D>
class Loader<D>::Iterator {
 public:
  using value_type = Batch;
  using difference_type = std::ptrdiff_t;

  EBB_INLINE explicit Iterator(Loader& loader) : loader_(&loader) { take(); }
  EBB_INLINE const value_type& operator*() const { return *batch_; }
  EBB_INLINE const value_type* operator->() const { return &*batch_; }
  EBB_INLINE Iterator& operator++() {
    // Given back before the next batch is made, which then fills the same memory.
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
  }

  Loader* loader_;
  std::optional<value_type> batch_;
  bool last_ = false;  ///< the batch at hand ends the epoch
};

}  // namespace ebb::inline v0::data
