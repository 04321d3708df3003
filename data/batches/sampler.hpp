// SPDX-License-Identifier: BSD-3-Clause
// Which rows of a data set an epoch gives, and in which order.
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

/// The rule by which an epoch draws rows, for `LoaderOptions::sampler`. A value; the order is a
/// function of the stream that it is given, which is a function of seed and epoch. With workers the
/// order of the next epoch is drawn by one of them, during the epoch at hand.
class EBB_API Sampler {
 public:
  using Rule = std::function<void(std::span<std::int64_t> rows, Stream& stream)>;

  /// A rule of one's own, which fills a list of `draws` row numbers.
  /// @throws ArgumentError unless there is something to draw and a rule to draw by; ShapeError for
  /// more than memory holds.
  Sampler(std::int64_t draws, Rule rule);

  /// The number of rows drawn in an epoch.
  EBB_INLINE std::int64_t size() const { return draws_; }
  /// Fills a list of `size()` rows.
  void draw(std::span<std::int64_t> rows, Stream& stream) const { rule_(rows, stream); }

 private:
  friend class detail::EpochOrder;
  friend EBB_API Sampler block_shuffled(std::int64_t n, BlockShuffleOptions options);

  std::int64_t draws_;
  Rule rule_;
  std::optional<BlockShuffleOptions> blocks_ = {};  ///< whose windows can be drawn one by one
};

// Each of these throws ArgumentError for a data set of no rows.

/// n rows in their own order.
EBB_API Sampler sequential(std::int64_t n);
/// n rows, each once, all orders equally likely.
EBB_API Sampler shuffled(std::int64_t n);
/// `draws` of n rows (n if it is 0), each independently of the others: some come several times and,
/// of n draws, about n / e never.
EBB_API Sampler bootstrap(std::int64_t n, std::int64_t draws = 0);

struct WeightedOptions {
  std::int64_t draws = 0;   ///< in an epoch; 0: as many as there are rows (of weight above 0)
  bool replacement = true;  ///< a row may come again in the same epoch
};
/// Rows with probabilities in proportion to their weights: with replacement each draw by itself;
/// without, one after the other among the rows that are left (Efraimidis and Spirakis 2006,
/// "Weighted random sampling with a reservoir"). @throws ArgumentError for a weight that is
/// negative or not finite, which it names, weights whose sum is not above 0 and finite, and more
/// draws without replacement than rows of weight above 0.
EBB_API Sampler weighted(std::span<const double> weights, WeightedOptions options = {});

/// Every row once, given the class of each, so that any stretch of an epoch, and so every batch,
/// has each class in its proportion: to within 2 rows for two classes, and 2 + 2 (classes - 2)
/// share for more. The rows of a class are in random order.
EBB_API Sampler stratified(std::span<const std::int64_t> classes);

/// Every row once, for data that are read from a file: blocks of neighbours in random order, and
/// the rows of so many blocks at a time shuffled with each other. A file is read once an epoch, in
/// pieces of a block, where memory holds 2 `window` blocks, those of a batch between one window and
/// the next. A batch sees rows of `window` random
/// places of the file: in sorted data, the mean of a batch of b rows varies by about
/// 1 / sqrt(window) of the spread of the blocks in addition to the 1 / sqrt(b) of a full shuffle.
/// Shuffle the file once if that is too much. A loader draws the windows as it comes to them, so
/// that its order takes 8 bytes for each block and each row of two windows, and of one more for
/// each worker. @throws ArgumentError for
/// sizes below 1.
EBB_API Sampler block_shuffled(std::int64_t n, BlockShuffleOptions options = {});

}  // namespace ebb::inline v0::data
