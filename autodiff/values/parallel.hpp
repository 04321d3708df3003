// SPDX-License-Identifier: BSD-3-Clause
// The only place where threads would be used: work is divided into blocks of a fixed size, so that
// results do not depend on the number of threads. At present there is one thread.
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
