// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/loader.hpp"

#include <numeric>
#include <string>

#include "ebb/autodiff/error.hpp"
#include "ebb/autodiff/random.hpp"

namespace ebb::inline v0::data::detail {

std::int64_t rows_an_epoch(std::int64_t rows, const LoaderOptions& options) {
  const std::int64_t batch = options.batch_size;
  if (rows < 1) throw ArgumentError("Loader: the data set has no rows");
  if (batch < 1) {
    throw ArgumentError("Loader: batch_size must be at least 1, not " + std::to_string(batch));
  }
  if (!options.drop_last) return rows;
  if (rows < batch) {
    throw ArgumentError("Loader: drop_last leaves no batch of " + std::to_string(batch) + " from " +
                        std::to_string(rows) + " rows; use a smaller batch_size");
  }
  return rows / batch * batch;
}

void check_position(const LoaderPosition& position, std::int64_t rows) {
  if (position.epoch >= 0 && position.cursor >= 0 && position.cursor < rows) return;
  throw ArgumentError("Loader: no position epoch " + std::to_string(position.epoch) + ", cursor " +
                      std::to_string(position.cursor) + " in epochs of " + std::to_string(rows) +
                      " rows; was it saved from another data set?");
}

void order_of_epoch(std::span<std::int64_t> order, std::uint64_t seed, std::int64_t epoch) {
  Stream stream = Stream(seed).split(std::uint64_t(epoch));
  std::iota(order.begin(), order.end(), std::int64_t(0));
  shuffle(order, stream);
}

}  // namespace ebb::inline v0::data::detail
