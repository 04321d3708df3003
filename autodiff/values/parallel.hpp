// SPDX-License-Identifier: BSD-3-Clause
// The one door for threads: work in blocks of a fixed size, so that no result depends on how many
// threads share it. There is one thread so far.
#pragma once
#include <algorithm>
#include <cstdint>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0::detail {

/// Calls f(first, last) for each block of [0, n).
template <class F>
EBB_INLINE void parallel_blocks(std::int64_t n, std::int64_t block, const F& f) {
  for (std::int64_t first = 0; first < n; first += block) f(first, std::min(first + block, n));
}

/// The sum of f(first, last) over the blocks of [0, n), added up in their order.
template <class F>
EBB_INLINE double parallel_sum(std::int64_t n, std::int64_t block, const F& f) {
  if (n <= block) return n > 0 ? f(std::int64_t(0), n) : 0;
  double total = 0;
  for (std::int64_t first = 0; first < n; first += block) {
    total += f(first, std::min(first + block, n));
  }
  return total;
}

}  // namespace ebb::inline v0::detail
