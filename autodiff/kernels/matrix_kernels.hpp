// SPDX-License-Identifier: BSD-3-Clause
// Products of a matrix and a vector. OpenBLAS uses only 60 % of the bandwidth for tall matrices,
// and its calls cost more than the arithmetic for tiny ones, so there are kernels of our own.
#pragma once
#include "ebb/autodiff/kernels/elementwise_kernels.hpp"

namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE {

/// Reads n numbers in ascending order, which is the only order that hardware prefetchers follow.
template <class T>
EBB_INLINE void touch(const T* x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += 64 / int(sizeof(T))) {
    const T fetched = x[i];
    asm volatile("" ::"x"(fetched));
  }
}

/// Asks for n numbers, from 6 KiB behind x on, which may be past the end of an array.
template <class T>
EBB_INLINE void fetch_ahead(const T* x, std::int64_t n) {
  constexpr std::uintptr_t distance = 6 << 10, line = 64;
  const auto start = reinterpret_cast<std::uintptr_t>(x) + distance;
  const std::uintptr_t end = start + std::uintptr_t(n) * sizeof(T);
  for (auto at = start; at < end; at += line) {
    __builtin_prefetch(reinterpret_cast<const void*>(at));
  }
}

/// Products of a row-major matrix (rows, cols) and a vector, with lanes of type V.
template <class T, class V = Vector<T>>
struct MatrixKernels {
  static constexpr int W = V::size;

  /// Rows that do not fill registers of 64 bytes are read faster with half registers, fewer of
  /// which cross a cache line.
  static constexpr bool has_half = sizeof(V) == 64;
  using Half = MatrixKernels<T, Lanes<T, (has_half ? W / 2 : W)>>;

  /// True if a matrix is in memory, or in a cache that is as slow.
  EBB_INLINE static bool beyond_caches(std::int64_t rows, std::int64_t cols) {
    return rows * cols >= std::int64_t(4 << 20) / int(sizeof(T));
  }

  /// True if a matrix does not fit the first cache; where it is then, cannot be told.
  EBB_INLINE static bool beyond_first_cache(std::int64_t rows, std::int64_t cols) {
    return rows * cols >= std::int64_t(64 << 10) / int(sizeof(T));
  }

  /// y (rows,) = x (rows, cols) w (cols,) + bias.
  static void rows_dot(T* y, const T* x, const T* w, T bias, std::int64_t rows, std::int64_t cols) {
    if constexpr (has_half) {
      if (cols < W) return Half::rows_dot(y, x, w, bias, rows, cols);
    }
    const std::int64_t whole = cols / W * W;
    // Lanes after the row are masked, since they may hold a NaN. If there are none, nothing is read
    // there.
    const auto tail = V::first(int(cols - whole));
    const V last = cols > whole ? V(select(tail, V::load(w + whole), 0)) : V(0);
    if (whole == 0) {
      dot_all(y, x, bias, rows, cols,
              [&](const T* row) EBB_LAMBDA { return V(select(tail, V::load(row), 0)) * last; });
    } else {
      dot_all(y, x, bias, rows, cols, [&](const T* row) EBB_LAMBDA {
        V s = V::load(row) * V::load(w);
        for (std::int64_t c = W; c < whole; c += W) {
          s = madd(V::load(row + c), V::load(w + c), s);
        }
        return cols > whole ? madd(V(select(tail, V::load(row + whole), 0)), last, s) : s;
      });
    }
  }
  /// y (rows,) from the products of one row, lane by lane.
  template <class Products>
  EBB_INLINE static void dot_all(T* y, const T* x, T bias, std::int64_t rows, std::int64_t cols,
                                 const Products& products) {
    const T* row = x;
    // W rows make one vector of results.
    const auto next_results = [&](const auto& step) EBB_LAMBDA {
      const V sums = V::sums([&](auto) EBB_LAMBDA {
        const V p = products(row);
        row += step();
        return p;
      });
      return sums + V(bias);
    };
    // Hardware prefetchers reach two thirds of what a core can read.
    const bool fetches = beyond_first_cache(rows, cols);
    std::int64_t r = 0;
    for (; r + W <= rows; r += W) {
      if (fetches) fetch_ahead(row, W * cols);
      next_results([&]() EBB_LAMBDA { return cols; }).store(y + r);
    }
    // If fewer rows are left, the last one is used again.
    std::int64_t left = rows - r;
    if (left > 0) {
      next_results([&]() EBB_LAMBDA { return --left > 0 ? cols : 0; }).store(y + r);
    }
  }

  /// The most vectors of columns that are summed in one pass over the rows.
  static constexpr int max_vectors = sizeof(V) == 64 ? 8 : sizeof(V) == 32 ? 7 : 4;

  /// The sums of g[r] * x[r, ...] over the rows of one block, for K vectors of columns.
  template <int K, class Store>
  EBB_INLINE static void combine(const T* x, const T* g, std::int64_t rows, std::int64_t cols,
                                 [[maybe_unused]] std::int64_t width, const Store& store) {
    // A masked register of 64 bytes reads no cache line outside of the row.
    constexpr bool masks = K == 1 && has_half;
    const auto inside = V::first(int(width < W ? width : W));
    // Several chains at a time, since products and sums have a long latency.
    constexpr int chains = K > max_vectors / 2 ? 2 : 4;
    V s[chains][K];
    detail::unrolled<chains * K>([&](auto i) EBB_LAMBDA { s[i / K][i % K] = V(0); });
    const auto add = [&](auto u, const T* row, T weight) EBB_LAMBDA {
      const V factor(weight);
      detail::unrolled<K>([&](auto k) EBB_LAMBDA {
        const V x_k = masks ? V(select(inside, V::load(row + k * W), 0)) : V::load(row + k * W);
        s[u][k] = madd(factor, x_k, s[u][k]);
      });
    };
    std::int64_t r = 0;
    for (; r + chains <= rows; r += chains, x += chains * cols) {
      detail::unrolled<chains>(
          [&](auto u) EBB_LAMBDA { add(u, x + std::int64_t(u) * cols, g[r + std::int64_t(u)]); });
    }
    for (; r < rows; ++r, x += cols) add(std::integral_constant<int, 0>{}, x, g[r]);
    detail::unrolled<K>([&](auto k) EBB_LAMBDA {
      V sum = s[0][k] + s[1][k];
      if constexpr (chains == 4) sum = sum + (s[2][k] + s[3][k]);
      store(int(k) * W, sum);
    });
  }
  template <int K, class Store>
  EBB_INLINE static void combine_vectors(std::int64_t vectors, const T* x, const T* g,
                                         std::int64_t rows, std::int64_t cols, std::int64_t width,
                                         const Store& store) {
    if constexpr (K > 1) {
      if (vectors < K) return combine_vectors<K - 1>(vectors, x, g, rows, cols, width, store);
    }
    combine<K>(x, g, rows, cols, width, store);
  }
  template <class Store>
  EBB_INLINE static void combine_all(const T* x, const T* g, std::int64_t rows, std::int64_t cols,
                                     std::int64_t width, const Store& store) {
    for (std::int64_t c = 0; c < width; c += max_vectors * W) {
      combine_vectors<max_vectors>((width - c + W - 1) / W, x + c, g, rows, cols, width - c,
                                   [&](int k, const V& v) EBB_LAMBDA { store(c + k, v); });
    }
  }

  /// out (cols,) = g (rows,) x (rows, cols), or out += ...
  static void rows_combine(T* out, const T* x, const T* g, std::int64_t rows, std::int64_t cols,
                           bool accumulate) {
    constexpr std::int64_t panel = 512;
    const bool one_pass = cols <= max_vectors * W;
    const std::int64_t rows_in_block = one_pass ? 256 : 64;
    if (rows <= rows_in_block) {
      // The last vector runs over into the padding of the output.
      combine_all(x, g, rows, cols, cols, [&](std::int64_t c, const V& v) {
        (accumulate ? V::load(out + c) + v : v).store(out + c);
      });
      return;
    }
    // Blocks are combined in double.
    double total[panel + W];
    const bool touches = !one_pass && beyond_caches(rows, cols) && cols <= panel;
    for (std::int64_t first = 0; first < cols; first += panel) {
      const std::int64_t width = cols - first < panel ? cols - first : panel;
      for (std::int64_t c = 0; c < width + W; ++c) {
        total[c] = accumulate && c < width ? double(out[first + c]) : 0;
      }
      for (std::int64_t r = 0; r < rows; r += rows_in_block) {
        const std::int64_t n = rows - r < rows_in_block ? rows - r : rows_in_block;
        if (touches) touch(x + r * cols, n * cols);
        combine_all(x + r * cols + first, g + r, n, cols, width,
                    [&](std::int64_t c, const V& v) { add_lanes(total + c, v); });
      }
      for (std::int64_t c = 0; c < width; ++c) out[first + c] = T(total[c]);
    }
  }
};

}  // namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE
