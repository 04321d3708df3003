// SPDX-License-Identifier: BSD-3-Clause
// Products of a matrix and a vector. OpenBLAS leaves 40 % of the bandwidth on tall matrices and
// costs more than the arithmetic on tiny ones, so these are our own.
#pragma once
#include "ebb/autodiff/kernels/elementwise_kernels.hpp"

namespace ebb::inline v0::detail::inline EBB_UNIT {

template <class T>
struct MatrixKernels {
  using V = Vector<T>;
  static constexpr int W = V::size;

  static void rows_dot(T* y, const T* x, const T* w, T bias, std::int64_t rows, std::int64_t cols) {
    const std::int64_t whole = cols / W * W;
    const auto tail = V::first(int(cols - whole));
    const V last = cols > whole ? V(select(tail, V::load(w + whole), 0)) : V(0);
    // The products of one row, lane by lane; lanes past the row are masked, they may hold a NaN.
    auto products = [&](const T* row) __attribute__((always_inline)) {
      V s = cols > whole ? V(select(tail, V::load(row + whole), 0)) * last : V(0);
      for (std::int64_t c = 0; c < whole; c += W) s = madd(V::load(row + c), V::load(w + c), s);
      return s;
    };
    std::int64_t r = 0;
    for (; r + 4 <= rows; r += 4) {
      const T* row = x + r * cols;
      V::sum4(y + r, products(row), products(row + cols), products(row + 2 * cols),
              products(row + 3 * cols));
    }
    for (; r < rows; ++r) y[r] = products(x + r * cols).sum();
    if (bias != 0) {
      for (r = 0; r < rows; r += W) (V::load(y + r) + V(bias)).store(y + r);
    }
  }

  /// out[0, K * W) += scale * sum of g[r] * x[r, ...] over the rows of one block.
  template <int K>
  EBB_INLINE static void combine(double* total, const T* x, const T* g, std::int64_t rows,
                                 std::int64_t cols) {
    constexpr int unroll = 4;
    V s[unroll][K];
    for (int u = 0; u < unroll; ++u) {
      for (int k = 0; k < K; ++k) s[u][k] = V(0);
    }
    std::int64_t r = 0;
    for (; r + unroll <= rows; r += unroll) {
      for (int u = 0; u < unroll; ++u) {
        const V factor(g[r + u]);
        for (int k = 0; k < K; ++k) {
          s[u][k] = madd(factor, V::load(x + (r + u) * cols + k * W), s[u][k]);
        }
      }
    }
    for (; r < rows; ++r) {
      const V factor(g[r]);
      for (int k = 0; k < K; ++k) s[0][k] = madd(factor, V::load(x + r * cols + k * W), s[0][k]);
    }
    for (int k = 0; k < K; ++k) {
      T lanes[W];
      ((s[0][k] + s[1][k]) + (s[2][k] + s[3][k])).store(lanes);
      for (int i = 0; i < W; ++i) total[k * W + i] += double(lanes[i]);
    }
  }

  static void rows_combine(T* out, const T* x, const T* g, std::int64_t rows, std::int64_t cols,
                           bool accumulate) {
    constexpr std::int64_t panel = 512, rows_in_block = 64;
    double total[panel + W];
    for (std::int64_t first = 0; first < cols; first += panel) {
      const std::int64_t width = cols - first < panel ? cols - first : panel;
      for (std::int64_t c = 0; c < width; ++c) total[c] = accumulate ? double(out[first + c]) : 0;
      for (std::int64_t c = width; c < width + W; ++c) total[c] = 0;
      for (std::int64_t r = 0; r < rows; r += rows_in_block) {
        const std::int64_t n = rows - r < rows_in_block ? rows - r : rows_in_block;
        const T* block = x + r * cols + first;
        std::int64_t c = 0;
        for (; c + 2 * W <= width; c += 2 * W) combine<2>(total + c, block + c, g + r, n, cols);
        for (; c < width; c += W) combine<1>(total + c, block + c, g + r, n, cols);
      }
      for (std::int64_t c = 0; c < width; ++c) out[first + c] = T(total[c]);
    }
  }
};

}  // namespace ebb::inline v0::detail::inline EBB_UNIT
