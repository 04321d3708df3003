// SPDX-License-Identifier: BSD-3-Clause
// Reductions in a fixed order: partial sums of 256 bytes, for registers of any width, are folded by
// halves; blocks of 4096 elements are combined in double.
#pragma once
#include <cmath>
#include <limits>

#include "ebb/autodiff/kernels/elementwise_kernels.hpp"

namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE {

template <class T>
struct ReduceKernels {
  using V = Vector<T>;
  static constexpr int W = V::size;
  static constexpr int registers = 256 / int(sizeof(V));
  static constexpr int width = registers * W;
  static constexpr std::int64_t block = 4096;

  /// The sum of term(i), for i < n, in the fixed order. term(i) is a vector whose lanes from n on
  /// are ignored.
  template <class F>
  EBB_INLINE static T tree(std::int64_t n, F term) {
    V partial[registers];
    detail::unrolled<registers>([&](auto k) EBB_LAMBDA { partial[k] = V(0); });
    std::int64_t i = 0;
    for (; i + width <= n; i += width) {
      detail::unrolled<registers>(
          [&](auto k) EBB_LAMBDA { partial[k] = partial[k] + term(i + std::int64_t(k) * W); });
    }
    detail::unrolled<registers>([&](auto k) EBB_LAMBDA {
      if (i >= n) return;
      V v = term(i);
      if (i + W > n) v = select(V::first(int(n - i)), v, 0);
      partial[k] = partial[k] + v;
      i += W;
    });
    return fold<registers>(partial).sum();
  }
  /// The sum of `count` registers, computed by adding halves.
  template <int count>
  EBB_INLINE static const V& fold(V* partial) {
    if constexpr (count > 1) {
      detail::unrolled<count / 2>(
          [&](auto k) EBB_LAMBDA { partial[k] = partial[k] + partial[k + count / 2]; });
      return fold<count / 2>(partial);
    } else {
      return partial[0];
    }
  }

  template <class F>
  EBB_INLINE static double tree_of_blocks(std::int64_t n, F term) {
    double total = 0;
    for (std::int64_t i = 0; i < n; i += block) {
      const std::int64_t m = n - i < block ? n - i : block;
      total += double(tree(m, [&](std::int64_t k) EBB_LAMBDA { return term(i + k); }));
    }
    return total;
  }

  static double sum(const T* x, std::int64_t n) {
    return tree_of_blocks(n, [&](std::int64_t i) EBB_LAMBDA { return V::load(x + i); });
  }

  /// The larger number; NaN if there is one.
  struct Larger {
    template <class L>
    EBB_INLINE static L of(const L& m, const L& x) {
      return select((x > m) | ~(x == x), x, m);
    }
    /// Whether x is larger than m, or the first NaN.
    EBB_INLINE static auto beats(const V& x, const V& m) { return ~(x <= m) & (m == m); }
    EBB_INLINE static bool beats(T x, T m) { return !(x <= m) && m == m; }
  };
  /// The larger number in half the time. It may ignore a NaN, for callers that find it later.
  struct LargerNumber {
    template <class L>
    EBB_INLINE static L of(const L& m, const L& x) {
      return select(x > m, x, m);
    }
  };
  /// The smaller number; NaN if there is one.
  struct Smaller {
    template <class L>
    EBB_INLINE static L of(const L& m, const L& x) {
      return select((x < m) | ~(x == x), x, m);
    }
    /// Whether x is smaller than m, or the first NaN.
    EBB_INLINE static auto beats(const V& x, const V& m) { return ~(x >= m) & (m == m); }
    EBB_INLINE static bool beats(T x, T m) { return !(x >= m) && m == m; }
  };
  /// The chosen lane, found by comparing halves.
  template <class Choice, class L>
  EBB_INLINE static T chosen(const L& m) {
    if constexpr (L::size > 2) {
      return chosen<Choice>(Choice::of(m.low(), m.high()));
    } else {
      return Choice::of(m, L(m.reg[1])).reg[0];
    }
  }

  template <class Choice>
  EBB_INLINE static T chosen_of(const T* x, std::int64_t n) {
    // Several chains at a time, since a comparison and a choice have a long latency.
    constexpr int chains = 4;
    const V first(x[0]);
    V m[chains];
    detail::unrolled<chains>([&](auto k) EBB_LAMBDA { m[k] = first; });
    std::int64_t i = 0;
    for (; i + chains * W <= n; i += chains * W) {
      detail::unrolled<chains>([&](auto k) EBB_LAMBDA {
        m[k] = Choice::of(m[k], V::load(x + i + std::int64_t(k) * W));
      });
    }
    for (; i < n; i += W) {
      V v = V::load(x + i);
      if (i + W > n) v = select(V::first(int(n - i)), v, first);
      m[0] = Choice::of(m[0], v);
    }
    return chosen<Choice>(Choice::of(Choice::of(m[0], m[1]), Choice::of(m[2], m[3])));
  }

  /// So many rows are summed in T, and these sums in double.
  static constexpr std::int64_t rows_in_block = 128;

  /// The sums of some rows of K vectors of columns.
  template <int K>
  EBB_INLINE static void add_rows(V (&s)[K], const T* x, std::int64_t rows, std::int64_t cols) {
    detail::unrolled<K>([&](auto k) EBB_LAMBDA { s[k] = V(0); });
    for (; rows > 0; --rows, x += cols) {
      detail::unrolled<K>([&](auto k)
                              EBB_LAMBDA { s[k] = s[k] + V::load(x + std::int64_t(k) * W); });
    }
  }
  /// out[c] = scale * the sum of column c, for the first `valid` columns of K vectors.
  template <int K>
  EBB_INLINE static void sum_columns(T* out, const T* x, std::int64_t rows, std::int64_t cols,
                                     double scale, int valid) {
    V s[K];
    if (rows <= rows_in_block && scale == 1 && valid == K * W) {
      add_rows(s, x, rows, cols);
      detail::unrolled<K>([&](auto k) EBB_LAMBDA { s[k].store(out + int(k) * W); });
      return;
    }
    double total[K * W];
    for (double& t : total) t = 0;
    for (std::int64_t r = 0; r < rows; r += rows_in_block) {
      add_rows(s, x + r * cols, rows - r < rows_in_block ? rows - r : rows_in_block, cols);
      detail::unrolled<K>([&](auto k) EBB_LAMBDA { add_lanes(total + int(k) * W, s[k]); });
    }
    for (int i = 0; i < valid; ++i) out[i] = T(scale * total[i]);
  }

  /// sums[c] += the sum over r of x[r * stride + c], row after row, for c < cols.
  EBB_INLINE static void add_rows(T* sums, const T* x, std::int64_t rows, std::int64_t cols,
                                  std::int64_t stride) {
    constexpr std::int64_t together = 8;  // each sum is loaded once for all of them
    for (; rows >= together; rows -= together, x += together * stride) {
      for (std::int64_t c = 0; c < cols; c += W) {
        V s = V::load(sums + c);
        detail::unrolled<together>(
            [&](auto r) EBB_LAMBDA { s = s + V::load(x + c + std::int64_t(r) * stride); });
        s.store(sums + c);
      }
    }
    for (; rows > 0; --rows, x += stride) {
      for (std::int64_t c = 0; c < cols; c += W)
        (V::load(sums + c) + V::load(x + c)).store(sums + c);
    }
  }
  /// Sums of columns from rows that are read whole, added up in the order of the narrow panels:
  /// hardware prefetchers follow nothing better.
  static void sum_long_columns(T* out, const T* x, std::int64_t rows, std::int64_t cols,
                               std::int64_t stride, double scale) {
    constexpr std::int64_t panel = 512;
    T sums[panel];
    double total[panel];
    for (std::int64_t first = 0; first < cols; first += panel) {
      const std::int64_t size = cols - first < panel ? cols - first : panel;
      for (double& t : total) t = 0;
      for (std::int64_t r = 0; r < rows; r += rows_in_block) {
        for (std::int64_t c = 0; c < size; c += W) V(0).store(sums + c);
        const std::int64_t count = rows - r < rows_in_block ? rows - r : rows_in_block;
        add_rows(sums, x + r * stride + first, count, size, stride);
        for (std::int64_t c = 0; c < size; c += W) add_lanes(total + c, V::load(sums + c));
      }
      for (std::int64_t c = 0; c < size; ++c) out[first + c] = T(scale * total[c]);
    }
  }

  static void column_sum(T* out, const T* x, std::int64_t rows, std::int64_t cols, double scale) {
    std::int64_t c = 0;
    if constexpr (sizeof(V) == 64) {
      // There are registers enough for a long run of columns.
      for (; c + 16 * W <= cols; c += 16 * W) {
        sum_columns<16>(out + c, x + c, rows, cols, scale, 16 * W);
      }
    }
    if (rows > rows_in_block && cols - c > 4 * W) {
      return sum_long_columns(out + c, x + c, rows, cols - c, cols, scale);
    }
    for (; c + 4 * W <= cols; c += 4 * W) sum_columns<4>(out + c, x + c, rows, cols, scale, 4 * W);
    const int left = int(cols - c);
    if (left > 3 * W) {
      sum_columns<4>(out + c, x + c, rows, cols, scale, left);
    } else if (left > 2 * W) {
      sum_columns<3>(out + c, x + c, rows, cols, scale, left);
    } else if (left > W) {
      sum_columns<2>(out + c, x + c, rows, cols, scale, left);
    } else if (left > 0) {
      sum_columns<1>(out + c, x + c, rows, cols, scale, left);
    }
  }

  /// log(sum(e^(x - largest))) of n >= 1 elements, and the largest one. Equal infinite elements
  /// have the distance 0. NaN if there is one, and `largest` is then any of the elements.
  static double log_sum(const T* x, std::int64_t n, T& largest) {
    const T m = largest = chosen_of<LargerNumber>(x, n);
    if (!(m - m == 0)) return log_sum_of_infinite(x, n, 1, largest);
    return log(Wide(tree_of_blocks(
                   n, [&](std::int64_t i) EBB_LAMBDA { return exp(V::load(x + i) - m); })))
        .reg[0];
  }
  /// Logarithms are taken in double.
  using Wide = Vector<double>;
  /// log_sum of elements that are `step` apart, where an infinite one or NaN is the largest.
  [[gnu::noinline, gnu::cold]] static double log_sum_of_infinite(const T* x, std::int64_t n,
                                                                 std::int64_t step, T& largest) {
    largest = x[0];
    for (std::int64_t i = 1; i < n; ++i) {
      if (Larger::beats(x[i * step], largest)) largest = x[i * step];
    }
    if (largest != largest) return double(largest);
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < n; ++i) count += x[i * step] == largest;
    return std::log(double(count));
  }

  static T logsumexp(const T* x, std::int64_t n) {
    if (n == 0) return -std::numeric_limits<T>::infinity();
    T largest;
    const double sum = log_sum(x, n, largest);
    return T(double(largest) + sum);
  }

  static void softmax(T* y, const T* x, std::int64_t rows, std::int64_t cols) {
    for (std::int64_t r = 0; r < rows; ++r, x += cols, y += cols) {
      const T m = chosen_of<LargerNumber>(x, cols);  // the sum below finds a NaN
      if (!(m - m == 0)) {
        weights_of_infinite(y, x, cols);
        continue;
      }
      const double s = tree_of_blocks(cols, [&](std::int64_t i) EBB_LAMBDA {
        const V e = exp(V::load(x + i) - m);
        e.store(y + i);
        return e;
      });
      const V factor(1 / s);
      for (std::int64_t c = 0; c < cols; c += W) (V::load(y + c) * factor).store(y + c);
    }
  }

  /// Equal infinite elements share the weight of a row.
  [[gnu::noinline, gnu::cold]] static void weights_of_infinite(T* y, const T* x,
                                                               std::int64_t cols) {
    T largest;
    const T share = T(std::exp(-log_sum_of_infinite(x, cols, 1, largest)));
    for (std::int64_t c = 0; c < cols; ++c) y[c] = x[c] == largest || share != share ? share : T(0);
  }

  /// The largest element is subtracted first: next to it, the logarithm of the sum would be
  /// rounded.
  static void log_softmax(T* y, const T* x, std::int64_t rows, std::int64_t cols) {
    for (std::int64_t r = 0; r < rows; ++r, x += cols, y += cols) {
      T largest;
      const T sum = T(log_sum(x, cols, largest));
      const V m(largest), s(sum);
      for (std::int64_t c = 0; c < cols; c += W) (V::load(x + c) - m - s).store(y + c);
      log_weights_of_infinite(y, x, cols, largest, sum);
    }
  }
  /// Infinite elements that are the largest have the distance 0 from it.
  EBB_INLINE static void log_weights_of_infinite(T* y, const T* x, std::int64_t cols, T largest,
                                                 T sum) {
    if (largest - largest == 0) return;
    for (std::int64_t c = 0; c < cols; ++c) {
      if (x[c] == largest) y[c] = -sum;
    }
  }

  static void softmax_pull(T* gx, const T* g, const T* y, std::int64_t rows, std::int64_t cols) {
    for (std::int64_t r = 0; r < rows; ++r, g += cols, y += cols, gx += cols) {
      const V dot(tree_of_blocks(
          cols, [&](std::int64_t i) EBB_LAMBDA { return V::load(g + i) * V::load(y + i); }));
      for (std::int64_t c = 0; c < cols; c += W) {
        (V::load(y + c) * (V::load(g + c) - dot)).store(gx + c);
      }
    }
  }
};

}  // namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE
