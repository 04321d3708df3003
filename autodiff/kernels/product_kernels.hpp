// SPDX-License-Identifier: BSD-3-Clause
// Products of matrices of which the second one fits the first cache: it is not packed, and each sum
// stays in a register from its first term to its last. OpenBLAS copies both operands first.
#pragma once
#include "ebb/autodiff/kernels/elementwise_kernels.hpp"

namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE {

template <class T>
struct ProductKernels {
  using V = Vector<T>;
  static constexpr int W = V::size;
  /// The vectors of each of six rows that are summed at a time: as many as there are registers for.
  static constexpr int parts = sizeof(V) == 64 ? 4 : 2;
  /// The most elements of the second matrix: half of a first cache of 32 KiB.
  static constexpr std::int64_t most = (16 << 10) / int(sizeof(T));

  /// The first matrix: element (i, p) stands at i * row + p * column.
  struct Left {
    const T* data;
    std::int64_t row, column;
  };

  /// The second matrix, or some columns of it: its rows are `row` apart.
  struct Right {
    const T* data;
    std::int64_t row;
  };

  /// R rows of c, of K vectors of n columns; b has k rows.
  template <int R, int K>
  EBB_INLINE static void add_rows(const Left& a, Right b, T* c, std::int64_t n, std::int64_t k,
                                  bool accumulate) {
    V sums[R * K];
    detail::unrolled<R * K>([&](auto i) EBB_LAMBDA { sums[i] = V(0); });
    const T* from = a.data;
    for (std::int64_t p = 0; p < k; ++p, b.data += b.row, from += a.column) {
      V row[K];
      detail::unrolled<K>([&](auto j) EBB_LAMBDA { row[j] = V::load(b.data + int(j) * W); });
      detail::unrolled<R>([&](auto r) EBB_LAMBDA {
        const V factor(from[std::int64_t(r) * a.row]);
        detail::unrolled<K>([&](auto j) EBB_LAMBDA {
          constexpr int at = int(r) * K + int(j);
          sums[at] = madd(factor, row[j], sums[at]);
        });
      });
    }
    detail::unrolled<R * K>([&](auto i) EBB_LAMBDA {
      T* to = c + std::int64_t(i / K) * n + int(i % K) * W;
      (accumulate ? V::load(to) + sums[i] : sums[i]).store(to);
    });
  }

  template <int K>
  EBB_INLINE static void add_columns(Left a, const Right& b, T* c, std::int64_t m, std::int64_t n,
                                     std::int64_t k, bool accumulate) {
    const auto rows = [&](auto count) EBB_LAMBDA {
      add_rows<int(count), K>(a, b, c, n, k, accumulate);
      a.data += int(count) * a.row;
      c += int(count) * n;
      m -= int(count);
    };
    while (m >= 6) rows(std::integral_constant<int, 6>{});
    if (m >= 4) rows(std::integral_constant<int, 4>{});
    if (m >= 2) rows(std::integral_constant<int, 2>{});
    if (m >= 1) rows(std::integral_constant<int, 1>{});
  }

  /// y (columns, rows) is x (rows, columns) transposed; both sizes are multiples of S.
  EBB_INLINE static void transpose(T* y, const T* x, std::int64_t rows, std::int64_t columns) {
    constexpr int S = 16 / int(sizeof(T));
    using Piece = Lanes<T, S>;
    for (std::int64_t i = 0; i < rows; i += S) {
      for (std::int64_t j = 0; j < columns; j += S) {
        typename Piece::Register r[S], t[S];
        for (int s = 0; s < S; ++s) r[s] = Piece::load(x + (i + s) * columns + j).reg;
        if constexpr (S == 4) {
          typename Piece::Register h[S];
          for (int s = 0; s < 2; ++s) {
            h[2 * s] = __builtin_shufflevector(r[2 * s], r[2 * s + 1], 0, 4, 1, 5);
            h[2 * s + 1] = __builtin_shufflevector(r[2 * s], r[2 * s + 1], 2, 6, 3, 7);
          }
          for (int s = 0; s < 2; ++s) {
            t[2 * s] = __builtin_shufflevector(h[s], h[s + 2], 0, 1, 4, 5);
            t[2 * s + 1] = __builtin_shufflevector(h[s], h[s + 2], 2, 3, 6, 7);
          }
        } else {
          t[0] = __builtin_shufflevector(r[0], r[1], 0, 2);
          t[1] = __builtin_shufflevector(r[0], r[1], 1, 3);
        }
        for (int s = 0; s < S; ++s) Piece(t[s]).store(y + (j + s) * rows + i);
      }
    }
  }

  static bool product(bool ta, bool tb, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                      const T* b, T* c, bool accumulate) {
    if (n % W != 0 || n * k > most || (tb && k % 4 != 0)) return false;
    T turned[most];
    if (tb) {
      transpose(turned, b, n, k);
      b = turned;
    }
    const Left left = ta ? Left{a, 1, m} : Left{a, k, 1};
    std::int64_t j = 0;
    for (; j + parts * W <= n; j += parts * W) {
      add_columns<parts>(left, {b + j, n}, c + j, m, n, k, accumulate);
    }
    for (; j < n; j += W) add_columns<1>(left, {b + j, n}, c + j, m, n, k, accumulate);
    return true;
  }

  // A matrix that is multiplied often is packed once: in panels of as many columns as are summed at
  // a time, each panel dense, so that its parts fit the first cache at any size.

  static constexpr std::int64_t panel = parts * W;

  static bool pack(bool tb, std::int64_t n, std::int64_t k, const T* b, T* packed) {
    if (n % W != 0) return false;
    for (std::int64_t j = 0; j < n;) {
      const std::int64_t width = j + panel <= n ? panel : W;
      if (tb && k % (16 / int(sizeof(T))) == 0) {
        transpose(packed, b + j * k, width, k);
      } else {
        for (std::int64_t p = 0; p < k; ++p) {
          for (std::int64_t i = 0; i < width; ++i) {
            packed[p * width + i] = tb ? b[(j + i) * k + p] : b[p * n + j + i];
          }
        }
      }
      packed += width * k;
      j += width;
    }
    return true;
  }

  static void packed_product(std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                             const T* packed, T* c, bool accumulate) {
    for (std::int64_t j = 0; j < n;) {
      const std::int64_t width = j + panel <= n ? panel : W, most_rows = most / width;
      for (std::int64_t p = 0; p < k; p += most_rows) {
        const std::int64_t rows = k - p < most_rows ? k - p : most_rows;
        const Left left{a + p, k, 1};
        const Right right{packed + p * width, width};
        if (width == panel) {
          add_columns<parts>(left, right, c + j, m, n, rows, accumulate || p > 0);
        } else {
          add_columns<1>(left, right, c + j, m, n, rows, accumulate || p > 0);
        }
      }
      packed += width * k;
      j += width;
    }
  }
};

}  // namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE
