// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/batches/loader.hpp"

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>

#include "ebb/autodiff/kernels/row_copy.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/batches/block_order.hpp"
#include "ebb/data/files/binary_file.hpp"

namespace ebb::inline v0::data::detail {
namespace {

Sampler sampler_of(std::int64_t rows, const LoaderOptions& options) {
  if (rows < 1) throw ArgumentError("Loader: the data set has no rows");
  if (options.sampler) return *options.sampler;
  return options.shuffle ? shuffled(rows) : sequential(rows);
}

std::int64_t rows_an_epoch(std::int64_t rows, const LoaderOptions& options) {
  const std::int64_t batch = options.batch_size, rank = options.rank, world = options.world;
  if (batch < 1) {
    throw ArgumentError("Loader: batch_size must be at least 1, not " + std::to_string(batch));
  }
  if (options.workers < 0 || options.prefetch < 1) {
    throw ArgumentError("Loader: workers is " + std::to_string(options.workers) + " and prefetch " +
                        std::to_string(options.prefetch) +
                        "; workers must be at least 0 and prefetch at least 1");
  }
  if (rank < 0 || rank >= world) {
    throw ArgumentError("Loader: rank " + std::to_string(rank) + " of a world of " +
                        std::to_string(world) + "; it is in [0, world)");
  }
  const std::string share =
      world == 1 ? "" : " for rank " + std::to_string(rank) + " of " + std::to_string(world);
  if (!options.drop_last) {
    const std::int64_t own = rows / world + (rank < rows % world ? 1 : 0);
    if (own > 0) return own;
    throw ArgumentError("Loader: " + count_of(rows, "row") + (rows == 1 ? " leaves" : " leave") +
                        " none" + share);
  }
  if (rows / world < batch) {
    throw ArgumentError("Loader: drop_last leaves no batch of " + std::to_string(batch) + " from " +
                        count_of(rows, "row") + share + "; use a smaller batch_size");
  }
  return rows / world / batch * batch;
}

}  // namespace

/// The windows that were drawn last. The workers share them; otherwise each would draw all of them.
struct EpochOrder::Windows {
  using Rows = std::shared_ptr<const std::vector<std::int64_t>>;
  struct Window {
    std::int64_t index = -1;
    Rows rows = {};
  };

  std::mutex mutex;
  std::optional<BlockOrder> order;
  std::vector<Window> kept;  ///< rows of the current epoch; window i at i modulo their number

  explicit Windows(std::size_t count) : kept(count) {}

  void begin(BlockOrder of_epoch) {
    order = std::move(of_epoch);
    std::fill(kept.begin(), kept.end(), Window{});
  }

  Rows get(std::int64_t index) {
    const std::lock_guard lock(mutex);
    Window& window = kept[std::size_t(index) % kept.size()];
    if (window.index == index) return window.rows;
    std::vector<std::int64_t> rows(std::size_t(order->begin(index + 1) - order->begin(index)));
    order->draw(index, rows);
    window = {index, std::make_shared<const std::vector<std::int64_t>>(std::move(rows))};
    return window.rows;
  }
};

void fail_nested_loop() {
  throw ArgumentError(
      "Loader: another loop took batches of this loader during this one; give the inner loop a "
      "loader of its own");
}

EpochOrder::EpochOrder(std::int64_t rows, const LoaderOptions& options)
    : sampler_(sampler_of(rows, options)),
      is_kept_((options.shuffle || options.sampler) && !sampler_.blocks_),
      rows_(rows),
      rank_(options.rank),
      world_(options.world),
      size_(rows_an_epoch(sampler_.size(), options)) {
  // One batch for each worker and for the caller, and one more after them.
  constexpr int most = 64;
  const int at_work = std::min(options.workers, most) + 2;
  if (sampler_.blocks_) windows_ = std::make_unique<Windows>(std::size_t(at_work));
}

EpochOrder::~EpochOrder() = default;

void EpochOrder::check_rows(std::span<const std::int64_t> rows) const {
  if (ebb::detail::are_inside(rows, rows_)) return;
  for (const std::int64_t row : rows) {
    if (row >= 0 && row < rows_) continue;
    throw ArgumentError("Loader: the sampler drew row " + std::to_string(row) +
                        " of a data set with " + count_of(rows_, "row"));
  }
}

void EpochOrder::draw(Draw& to, std::uint64_t seed, std::int64_t epoch) const {
  to.drawn = false;
  Stream stream = Stream(seed).split(std::uint64_t(epoch));
  if (is_kept_) {
    to.all.resize(std::size_t(sampler_.size()));
    sampler_.draw(to.all, stream);
    check_rows(to.all);
    // The rows of this rank move to the front; each element is read before it is overwritten.
    for (std::size_t i = 0; world_ > 1 && i < std::size_t(size_); ++i) {
      to.all[i] = to.all[i * std::size_t(world_) + std::size_t(rank_)];
    }
    to.rows = std::span(to.all).first(std::size_t(size_));
  } else if (windows_) {
    const std::int64_t last = sampler_.size() - 1;
    check_rows({&last, 1});
    windows_->begin(BlockOrder(sampler_.size(), *sampler_.blocks_, stream));
  }
  to.seed = seed;
  to.epoch = epoch;
  to.drawn = true;
}

void EpochOrder::fill(std::span<std::int64_t> rows, std::int64_t first) const {
  std::int64_t place = first * world_ + rank_;
  if (!windows_) {
    for (std::int64_t& row : rows) row = std::exchange(place, place + world_);
    return;
  }
  Windows::Rows window;
  for (std::int64_t begin = 0, end = 0; std::int64_t & row : rows) {
    if (place >= end) {
      const std::int64_t index = windows_->order->window_of(place);
      window = windows_->get(index);
      begin = windows_->order->begin(index);
      end = windows_->order->begin(index + 1);
    }
    row = (*window)[std::size_t(place - begin)];
    place += world_;
  }
}

void EpochOrder::change(std::uint64_t seed, std::int64_t epoch) {
  if (next_.drawn && next_.seed == seed && next_.epoch == epoch) {
    std::swap(now_, next_);
  } else {
    draw(now_, seed, epoch);
  }
}

void EpochOrder::prepare(std::uint64_t seed, std::int64_t epoch) {
  if (is_kept_) draw(next_, seed, epoch);
}

void EpochOrder::check_position(const LoaderPosition& position) const {
  // A limit below the largest integer, so that the number of the next epoch does not overflow.
  constexpr std::int64_t last = std::int64_t(1) << 62;
  const bool has_epoch = position.epoch >= 0 && position.epoch <= last;
  if (has_epoch && position.cursor >= 0 && position.cursor < size_) return;
  throw ArgumentError("Loader: no position epoch " + std::to_string(position.epoch) + ", cursor " +
                      std::to_string(position.cursor) + " in epochs of " + std::to_string(size_) +
                      " rows; was it saved from another data set?");
}

}  // namespace ebb::inline v0::data::detail
