// SPDX-License-Identifier: BSD-3-Clause
// A data set whose rows are their own numbers, to see which rows a loader asks for.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>
#include <vector>

namespace ebb::test {

using Order = std::vector<std::int64_t>;

/// Gives the row numbers themselves, after a time that differs from batch to batch.
struct Numbers {
  std::int64_t n = 100;
  std::shared_ptr<std::atomic<int>> calls = std::make_shared<std::atomic<int>>(0);

  std::int64_t size() const { return n; }
  Order rows(std::span<const std::int64_t> indices) const {
    ++*calls;
    std::this_thread::sleep_for(std::chrono::microseconds(indices[0] % 7 * 50));
    return {indices.begin(), indices.end()};
  }
};

/// The batches of a loader that are left in its epoch.
std::vector<Order> rest(auto& loader) {
  std::vector<Order> batches;
  for (const Order& batch : loader) batches.push_back(batch);
  return batches;
}

}  // namespace ebb::test
