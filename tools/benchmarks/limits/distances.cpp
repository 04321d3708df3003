// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "limits.hpp"
#include "vectors.hpp"

namespace limits {
namespace {

using Int = std::int64_t;
constexpr Int wide = 2 * width;

/// The rows b (m, d) by panels of `wide` rows.
void by_columns(const float* b, float* to, Int m, Int d) {
  for (Int j = 0; j < m; ++j) {
    for (Int k = 0; k < d; ++k) to[j / wide * wide * d + k * wide + j % wide] = b[j * d + k];
  }
}

/// ga = the sums over j of w[i, j] (a_i - b_j), which is sums of weights times a, less w b: the
/// differences are taken first, so that near rows lose nothing.
void combine(const float* a, const float* b, const float* w, float* ga, Int n, Int m, Int d) {
  for (Int i = 0; i < n; ++i, a += d, ga += d, w += m) {
    Int k = 0;
    for (; k + 4 * width <= d; k += 4 * width) {
      const V x[4] = {load(a + k), load(a + k + width), load(a + k + 2 * width),
                      load(a + k + 3 * width)};
      V s[4] = {};
      for (Int j = 0; j < m; ++j) {
        const V f = splat(w[j]);
        const float* const y = b + j * d + k;
        for (int q = 0; q < 4; ++q) s[q] += f * (x[q] - load(y + q * width));
      }
      for (int q = 0; q < 4; ++q) store(ga + k + q * width, s[q]);
    }
    for (; k + width <= d; k += width) {
      V s{};
      for (Int j = 0; j < m; ++j) s += splat(w[j]) * (load(a + k) - load(b + j * d + k));
      store(ga + k, s);
    }
  }
}

}  // namespace

void distances_forward(const float* a, const float* b, float* columns, float* y, Int n, Int m,
                       Int d) {
  by_columns(b, columns, m, d);
  for (Int j = 0; j < m; j += wide) {
    const float* const panel = columns + j * d;
    for (Int i = 0; i < n; i += 4) {
      V s[4][2] = {};
      for (Int k = 0; k < d; ++k) {
        const V p = load(panel + k * wide), q = load(panel + k * wide + width);
        for (int r = 0; r < 4; ++r) {
          const V x = splat(a[(i + r) * d + k]);
          s[r][0] += (x - p) * (x - p);
          s[r][1] += (x - q) * (x - q);
        }
      }
      for (int r = 0; r < 4; ++r) {
        for (int h = 0; h < 2; ++h) {
          V root = s[r][h];
          for (int l = 0; l < width; ++l) root[l] = __builtin_sqrtf(root[l]);
          store(y + (i + r) * m + j + h * width, root);
        }
      }
    }
  }
}

void distances_backward(const float* a, const float* b, const float* g, const float* y,
                        float* weights, float* ga, float* gb, Int n, Int m, Int d) {
  for (Int i = 0; i < n * m; i += width) {
    const V size = load(y + i);
    store(weights + i, size == V{} ? V{} : load(g + i) / size);
  }
  combine(a, b, weights, ga, n, m, d);
  // By columns: the rows of the transposed weights, block by block.
  constexpr Int block = 64;
  alignas(64) float turned[block * block];
  std::fill_n(gb, m * d, 0.0F);
  for (Int j0 = 0; j0 < m; j0 += block) {
    for (Int i0 = 0; i0 < n; i0 += block) {
      for (Int i = 0; i < block; ++i) {
        for (Int j = 0; j < block; ++j) turned[j * block + i] = weights[(i0 + i) * m + j0 + j];
      }
      for (Int j = 0; j < block; ++j) {
        const float* const x = b + (j0 + j) * d;
        float* const to = gb + (j0 + j) * d;
        for (Int k = 0; k < d; k += 4 * width) {
          V s[4];
          for (int q = 0; q < 4; ++q) s[q] = load(to + k + q * width);
          for (Int i = 0; i < block; ++i) {
            const V f = splat(turned[j * block + i]);
            const float* const from = a + (i0 + i) * d + k;
            for (int q = 0; q < 4; ++q) {
              s[q] += f * (load(x + k + q * width) - load(from + q * width));
            }
          }
          for (int q = 0; q < 4; ++q) store(to + k + q * width, s[q]);
        }
      }
    }
  }
}

}  // namespace limits
