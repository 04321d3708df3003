// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/loader.hpp"

#include <string>
#include <utility>

#include "ebb/autodiff/error.hpp"

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
    throw ArgumentError("Loader: " + std::to_string(options.workers) + " workers that prefetch " +
                        std::to_string(options.prefetch) +
                        " batches each; workers is at least 0 and prefetch at least 1");
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
    throw ArgumentError("Loader: " + std::to_string(rows) + " rows leave none" + share);
  }
  if (rows / world < batch) {
    throw ArgumentError("Loader: drop_last leaves no batch of " + std::to_string(batch) + " from " +
                        std::to_string(rows) + " rows" + share + "; use a smaller batch_size");
  }
  return rows / world / batch * batch;
}

}  // namespace

EpochOrder::EpochOrder(std::int64_t rows, const LoaderOptions& options)
    : sampler_(sampler_of(rows, options)),
      constant_(!options.shuffle && !options.sampler),
      rows_(rows),
      rank_(options.rank),
      world_(options.world),
      size_(rows_an_epoch(sampler_.size(), options)) {}

void EpochOrder::draw(Draw& to, std::uint64_t seed, std::int64_t epoch) const {
  to.drawn = false;
  to.all.resize(std::size_t(sampler_.size()));
  Stream stream = Stream(seed).split(std::uint64_t(epoch));
  sampler_.draw(to.all, stream);
  for (const std::int64_t row : to.all) {
    if (row < 0 || row >= rows_) {
      throw ArgumentError("Loader: the sampler drew row " + std::to_string(row) +
                          " of a data set with " + std::to_string(rows_) + " rows");
    }
  }
  // Its own rows move to the front, none before it was read.
  for (std::size_t i = 0; world_ > 1 && i < std::size_t(size_); ++i) {
    to.all[i] = to.all[i * std::size_t(world_) + std::size_t(rank_)];
  }
  to.rows = std::span(to.all).first(std::size_t(size_));
  to.seed = seed;
  to.epoch = epoch;
  to.drawn = true;
}

void EpochOrder::change(std::uint64_t seed, std::int64_t epoch) {
  if (next_.drawn && next_.seed == seed && next_.epoch == epoch) {
    std::swap(now_, next_);
  } else {
    draw(now_, seed, epoch);
  }
}

void EpochOrder::prepare(std::uint64_t seed, std::int64_t epoch) {
  if (!constant_) draw(next_, seed, epoch);
}

void EpochOrder::check(const LoaderPosition& position) const {
  // The next epochs have numbers, too.
  constexpr std::int64_t last = std::int64_t(1) << 62;
  const bool has_epoch = position.epoch >= 0 && position.epoch <= last;
  if (has_epoch && position.cursor >= 0 && position.cursor < size_) return;
  throw ArgumentError("Loader: no position epoch " + std::to_string(position.epoch) + ", cursor " +
                      std::to_string(position.cursor) + " in epochs of " + std::to_string(size_) +
                      " rows; was it saved from another data set?");
}

}  // namespace ebb::inline v0::data::detail
