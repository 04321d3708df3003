// SPDX-License-Identifier: BSD-3-Clause
// Mini-batches of a data set, epoch after epoch.
#pragma once
#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "ebb/data/dataset.hpp"

namespace ebb::inline v0::data {

struct LoaderOptions {
  std::int64_t batch_size = 32;  ///< rows in a batch
  bool shuffle = true;           ///< a new order each epoch; without it, the order of the data
  bool drop_last = false;        ///< leaves out a last batch that is not full
  std::uint64_t seed = 0;        ///< of the orders
};

/// Where a loader stands: all there is to save of it.
struct LoaderPosition {
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;   ///< of the next batch, from 0
  std::int64_t cursor = 0;  ///< the rows of that epoch that were given before it

  friend EBB_INLINE bool operator==(const LoaderPosition&, const LoaderPosition&) = default;
};

namespace detail {

/// The rows an epoch gives. @throws ArgumentError for options that leave nothing to give.
EBB_API std::int64_t rows_an_epoch(std::int64_t rows, const LoaderOptions& options);
EBB_API void check_position(const LoaderPosition& position, std::int64_t rows_an_epoch);
/// Fills `order` with `permutation(order.size(), Stream(seed).split(epoch))`, in place.
EBB_API void order_of_epoch(std::span<std::int64_t> order, std::uint64_t seed, std::int64_t epoch);

}  // namespace detail

/// Gives every row of a data set once an epoch, in batches:
///
///     for (int epoch = 0; epoch < 10; ++epoch)
///       for (const auto& [x, y] : loader) ...
///
/// The loop runs from the loader's position to the end of its epoch, so that after a `break` or a
/// `seek` the next loop gives what was left. The order is a function of seed and epoch alone. An
/// epoch after the first allocates nothing from the system.
template <Dataset D>
class Loader {
 public:
  /// @throws ArgumentError when the data set or the options leave no batch to give.
  EBB_INLINE Loader(D dataset, LoaderOptions options = {})
      : dataset_(std::move(dataset)),
        options_(options),
        rows_(detail::rows_an_epoch(dataset_.size(), options)),
        position_{options.seed, 0, 0},
        order_(std::size_t(dataset_.size())) {
    // The identity, which stays when nothing shuffles.
    for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = std::int64_t(i);
  }

  class Iterator;
  /// Takes the next batch.
  EBB_INLINE Iterator begin() { return Iterator(*this); }
  EBB_INLINE std::default_sentinel_t end() const { return {}; }

  /// The number of batches in an epoch.
  EBB_INLINE std::int64_t size() const {
    return (rows_ + options_.batch_size - 1) / options_.batch_size;
  }
  const D& dataset() const { return dataset_; }

  /// Where the next batch comes from. In the body of a loop this is behind the batch at hand, and
  /// with the last batch of an epoch it is the start of the next epoch.
  EBB_INLINE LoaderPosition position() const { return position_; }
  /// Continues from a position. @throws ArgumentError when the data set has no such row.
  EBB_INLINE void seek(const LoaderPosition& position) {
    detail::check_position(position, rows_);
    position_ = position;
  }

 private:
  /// The next batch of this epoch, and the position behind it.
  EBB_INLINE auto take() {
    if (options_.shuffle &&
        !(ordered_ && ordered_->seed == position_.seed && ordered_->epoch == position_.epoch)) {
      detail::order_of_epoch(order_, position_.seed, position_.epoch);
      ordered_ = position_;
    }
    const std::int64_t first = position_.cursor;
    const std::int64_t count = std::min(options_.batch_size, rows_ - first);
    const auto to_come = std::span<const std::int64_t>(order_).subspan(std::size_t(first));
    auto batch = dataset_.rows(to_come.first(std::size_t(count)));
    if constexpr (requires { dataset_.expect(to_come); }) {
      if (options_.shuffle) dataset_.expect(to_come.subspan(std::size_t(count)));
    }
    position_.cursor += count;
    if (position_.cursor == rows_) position_ = {position_.seed, position_.epoch + 1, 0};
    return batch;
  }

  D dataset_;
  LoaderOptions options_;
  std::int64_t rows_;
  LoaderPosition position_;
  std::vector<std::int64_t> order_;
  std::optional<LoaderPosition> ordered_;  ///< the epoch that `order_` is of
};

/// An input iterator, which holds the batch at hand.
template <Dataset D>
class Loader<D>::Iterator {
 public:
  using value_type =
      std::remove_cvref_t<decltype(std::declval<const D&>().rows(std::span<const std::int64_t>()))>;
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
