// SPDX-License-Identifier: BSD-3-Clause
#pragma once
#include <utility>

#include "vectors.hpp"

namespace limits {
namespace {

/// Vigna's SplitMix64.
LIMIT_INLINE std::uint64_t next(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

void shuffle(std::int64_t* order, std::int64_t n, std::uint64_t& seed) {
  for (std::int64_t i = n - 1; i > 0; --i) {
    const auto k = std::int64_t((next(seed) >> 32) * std::uint64_t(i + 1) >> 32);
    std::swap(order[i], order[k]);
  }
}

}  // namespace
}  // namespace limits
