// SPDX-License-Identifier: BSD-3-Clause
// The rows that an epoch draws from a data set, and their order.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "ebb/autodiff/values/random.hpp"
#include "ebb/data/batches/block_shuffle_options.hpp"

namespace ebb::inline v0::data {

namespace detail {
class EpochOrder;
}

/// The rule by which an epoch draws rows, for `LoaderOptions::sampler`. It is a value. The order is
/// a function of the random stream, which is a function of seed and epoch. A loader with workers
/// lets one of them draw the order of the next epoch during the current one.
class EBB_API Sampler {
 public:
  using Rule = std::function<void(std::span<std::int64_t> rows, Stream& stream)>;

  /// Makes a sampler of your own rule, which fills a list of `draws` row numbers.
  /// @throws ArgumentError for less than one draw and for an empty rule; ShapeError for more draws
  /// than memory holds.
  Sampler(std::int64_t draws, Rule rule);

  /// The number of rows drawn in an epoch.
  EBB_INLINE std::int64_t size() const { return draws_; }
  /// Fills a list of `size()` row numbers.
  void draw(std::span<std::int64_t> rows, Stream& stream) const { rule_(rows, stream); }

 private:
  friend class detail::EpochOrder;
  friend EBB_API Sampler block_shuffled(std::int64_t n, BlockShuffleOptions options);

  std::int64_t draws_;
  Rule rule_;
  std::optional<BlockShuffleOptions> blocks_ = {};  ///< set by `block_shuffled`
};

// Each of these functions throws ArgumentError for a data set without rows.

/// Draws n rows in the order of the data set.
EBB_API Sampler sequential(std::int64_t n);
/// Draws n rows, each once; all orders are equally likely.
EBB_API Sampler shuffled(std::int64_t n);
/// Draws `draws` of n rows (0: n draws), each independently of the others. Some rows come several
/// times; with n draws about n / e rows never come.
EBB_API Sampler bootstrap(std::int64_t n, std::int64_t draws = 0);

struct WeightedOptions {
  std::int64_t draws = 0;   ///< draws in an epoch; 0: the number of rows with replacement, of rows
                            ///< of weight above 0 without
  bool replacement = true;  ///< a row may come more than once in an epoch
};
/// Draws rows with probabilities proportional to their weights: with replacement, each draw is
/// independent; without, each draw is among the rows that are left (Efraimidis and Spirakis 2006,
/// "Weighted random sampling with a reservoir").
/// @throws ArgumentError for a weight that is negative or not finite, which it names; for weights
/// whose sum is not above 0 and finite; and for more draws without replacement than rows of weight
/// above 0.
EBB_API Sampler weighted(std::span<const double> weights, WeightedOptions options = {});

/// Draws every row once, so that any part of an epoch, and so every batch, has each class in
/// proportion: within 2 rows for two classes, and within 2 + 2 (classes - 2) share rows for more,
/// where share is the proportion of the class. `classes` has the class of each row. The rows of a
/// class are in random order.
EBB_API Sampler stratified(std::span<const std::int64_t> classes);

/// Draws every row once, for data that are read from a file: blocks of neighbours in random order,
/// where the rows of `window` blocks at a time are shuffled with each other. The file is read once
/// an epoch, block by block, if memory holds 2 `window` blocks, which a batch at the border of two
/// windows needs.
///
/// A batch has rows from `window` random places of the file. In sorted data, the mean of a batch of
/// b rows varies by about 1 / sqrt(window) of the standard deviation between blocks, in addition to
/// the 1 / sqrt(b) of a full shuffle. If that is too much, shuffle the file once. A loader draws
/// one window after the other, so that its order takes 8 bytes for each block and for each row of
/// two windows, and of one more window for each worker.
/// @throws ArgumentError for a block or a window below 1.
EBB_API Sampler block_shuffled(std::int64_t n, BlockShuffleOptions options = {});

}  // namespace ebb::inline v0::data
