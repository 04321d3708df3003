// SPDX-License-Identifier: BSD-3-Clause
// Matrices of 64 rows and columns fit the first cache: no block of them is packed, and each sum
// stays in a register from its first term to its last.
#include "limits.hpp"
#include "vectors.hpp"

namespace limits {
namespace {

constexpr std::int64_t n = 64;
/// So many vectors of each of six rows are summed at a time: as many as there are registers for.
constexpr int parts = width == 16 ? 4 : 2, block = parts * width;

/// Rows [i, i + R) of a b, of `block` columns; a stands at (row, column) = row ai + column ap.
template <int R>
LIMIT_INLINE void add_rows(const float* a, std::int64_t ai, std::int64_t ap, const float* b,
                           float* c) {
  V sums[R][parts] = {};
  for (std::int64_t p = 0; p < n; ++p) {
    V row[parts];
#pragma GCC unroll 4
    for (int k = 0; k < parts; ++k) row[k] = load(b + p * n + k * width);
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      const V factor = splat(a[r * ai + p * ap]);
#pragma GCC unroll 4
      for (int k = 0; k < parts; ++k) sums[r][k] = madd(factor, row[k], sums[r][k]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int k = 0; k < parts; ++k) store(c + r * n + k * width, sums[r][k]);
  }
}

void product(const float* a, std::int64_t ai, std::int64_t ap, const float* b, float* c) {
  for (std::int64_t j = 0; j < n; j += block) {
    std::int64_t i = 0;
    for (; i + 6 <= n; i += 6) add_rows<6>(a + i * ai, ai, ap, b + j, c + i * n + j);
    add_rows<n % 6>(a + i * ai, ai, ap, b + j, c + i * n + j);
  }
}

void transpose(const float* x, float* y) {
  for (std::int64_t i = 0; i < n; i += 4) {
    for (std::int64_t j = 0; j < n; j += 4) {
      __m128 row[4];
      for (int k = 0; k < 4; ++k) row[k] = _mm_load_ps(x + (i + k) * n + j);
      _MM_TRANSPOSE4_PS(row[0], row[1], row[2], row[3]);
      for (int k = 0; k < 4; ++k) _mm_store_ps(y + (j + k) * n + i, row[k]);
    }
  }
}

}  // namespace

void batched_product(const float* a, const float* b, const float* g, float* y, float* ga, float* gb,
                     std::int64_t count) {
  alignas(64) float turned[n * n];
  const std::int64_t end = count * n * n;
  for (std::int64_t i = 0; i < end; i += n * n) product(a + i, n, 1, b + i, y + i);
  for (std::int64_t i = 0; i < end; i += n * n) {
    transpose(b + i, turned);
    product(g + i, n, 1, turned, ga + i);
    product(a + i, 1, n, g + i, gb + i);
  }
}

}  // namespace limits
