// SPDX-License-Identifier: BSD-3-Clause
// Data sets whose rows are their own numbers, to see which rows a loader asks for.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <thread>
#include <vector>

#include "ebb/data/sets/dataset.hpp"

namespace ebb::test {

using Order = std::vector<std::int64_t>;

/// 0, 1, ..., n - 1.
inline Order counting(std::int64_t n) {
  Order order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t(0));
  return order;
}

inline Order sorted(Order order) {
  std::sort(order.begin(), order.end());
  return order;
}

/// Rows (i, -i) and targets 10 i, so that a row that lost its target shows.
template <class T = float>
data::TensorDataset<T> numbered(std::int64_t n) {
  auto x = Array<T>::uninitialized({n, 2}), y = Array<T>::uninitialized({n, 1});
  for (std::int64_t i = 0; i < n; ++i) {
    x.mutate()[2 * i] = T(i);
    x.mutate()[2 * i + 1] = T(-i);
    y.mutate()[i] = T(10 * i);
  }
  return {x, y};
}

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
