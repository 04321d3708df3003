// SPDX-License-Identifier: BSD-3-Clause
// Reductions of many lines: columns, and rows that are too short to fill registers. Each lane has
// a line of its own; its terms are added in the order of `ReduceKernels`, so that the results are
// the same bits.
#pragma once
#include <cmath>
#include <limits>
#include <utility>

#include "ebb/autodiff/kernels/reduce_kernels.hpp"

namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE {

template <class T>
struct LineKernels {
  using R = ReduceKernels<T>;
  using V = Vector<T>;
  using Wide = typename R::Wide;
  static constexpr int W = V::size;
  /// Longer lines fill registers of their own.
  static constexpr std::int64_t short_line = detail::short_line;
  EBB_INLINE static bool is_short(std::int64_t n) { return 0 < n && n <= short_line; }
  /// Sums of longer rows are faster one by one.
  static constexpr std::int64_t short_sum = 16;

  /// W short rows of x: element i of row r becomes lanes[i * W + r].
  EBB_INLINE static void take_rows(T* lanes, const T* x, std::int64_t cols) {
    for (std::int64_t i = 0; i < cols; ++i) {
      apart(x + i, cols, std::make_index_sequence<W>{}).store(lanes + i * W);
    }
  }
  /// W elements that are `step` apart. Loading what was stored one by one would wait.
  template <std::size_t... r>
  EBB_INLINE static V apart(const T* x, std::int64_t step, std::index_sequence<r...>) {
    return V(typename V::Register{x[std::int64_t(r) * step]...});
  }
  EBB_INLINE static void put_rows(T* y, const T* lanes, std::int64_t cols) {
    for (int r = 0; r < W; ++r) {
      for (std::int64_t i = 0; i < cols; ++i) y[r * cols + i] = lanes[i * W + r];
    }
  }

  /// The sum of 1 <= n <= short_line terms of each lane. R::tree folds its partial sums by halves:
  /// those at `first` and every `step` from there are summed here. Partial sums from n on are 0.
  template <class F, int first = 0, int step = 1>
  EBB_INLINE static V tree(std::int64_t n, F term) {
    if constexpr (step >= short_line) {
      return V(0) + term(first);
    } else {
      const V low = tree<F, first, 2 * step>(n, term);
      if (first + step >= n) return low;
      return low + tree<F, first + step, 2 * step>(n, term);
    }
  }

  /// The sum of each row, divided.
  static void row_sum(T* out, const T* x, std::int64_t rows, std::int64_t cols, double divisor) {
    if (0 < cols && cols <= short_sum) {
      for (; rows >= W; rows -= W, x += W * cols, out += W) {
        T lanes[short_line * W];
        take_rows(lanes, x, cols);
        tree(cols, [&](std::int64_t i) EBB_LAMBDA { return V::load(lanes + i * W); }).store(out);
        for (int l = 0; divisor != 1 && l < W; ++l) out[l] = T(double(out[l]) / divisor);
      }
    }
    for (; rows > 0; --rows, x += cols) *out++ = T(R::sum(x, cols) / divisor);
  }

  /// The chosen one of n >= 1 elements of each lane.
  template <class Choice, class F>
  EBB_INLINE static V chosen(std::int64_t n, F load) {
    V m = load(0);
    for (std::int64_t i = 1; i < n; ++i) m = Choice::of(m, load(i));
    return m;
  }

  /// e^(x - m) of n elements x of each lane.
  template <class F>
  EBB_INLINE static V powers(T* lanes, std::int64_t n, const V& m, F load) {
    for (std::int64_t i = 0; i < n; ++i) exp(load(i) - m).store(lanes + i * W);
    return tree(n, [&](std::int64_t i) EBB_LAMBDA { return V::load(lanes + i * W); });
  }

  /// Lines of n elements: element i of line l is x[l * line + i * step].
  struct Lines {
    const T* x;
    std::int64_t n, line, step;
  };
  /// What R::log_sum gives, for some registers of lines: the logarithms do not wait for each other.
  struct LogSums {
    static constexpr int most = 4 * W;
    T sums[most], largest[most];
    double logs[most];

    /// Takes W lines of n elements, the first of which is line l. load(i) is element i of each.
    template <class F>
    EBB_INLINE void take(int l, std::int64_t n, F load) {
      const V m = chosen<typename R::LargerNumber>(n, load);
      m.store(largest + l);
      T each[short_line * W];
      powers(each, n, m, load).store(sums + l);
    }
    /// The logarithms for `count` lines, in whole registers. Only the first `valid` are needed.
    EBB_INLINE void finish(const Lines& lines, int count, int valid) {
      for (int l = 0; l < count; ++l) logs[l] = double(sums[l]);
      for (int l = 0; l < count; l += Wide::size) log(Wide::load(logs + l)).store(logs + l);
      for (int l = 0; l < valid; ++l) {
        if (largest[l] - largest[l] == 0) continue;
        logs[l] = R::log_sum_of_infinite(lines.x + l * lines.line, lines.n, lines.step, largest[l]);
      }
    }
    EBB_INLINE void add(T* out, int valid) const {
      for (int l = 0; l < valid; ++l) out[l] = T(double(largest[l]) + logs[l]);
    }
  };

  static void row_logsumexp(T* out, const T* x, std::int64_t rows, std::int64_t cols) {
    while (is_short(cols) && rows >= W) {
      LogSums of;
      int count = 0;
      for (; count < LogSums::most && rows - count >= W; count += W) {
        T lanes[short_line * W];
        take_rows(lanes, x + count * cols, cols);
        of.take(count, cols, [&](std::int64_t i) EBB_LAMBDA { return V::load(lanes + i * W); });
      }
      of.finish({x, cols, cols, 1}, count, count);
      of.add(out, count);
      rows -= count;
      x += count * cols;
      out += count;
    }
    for (; rows > 0; --rows, x += cols) *out++ = R::logsumexp(x, cols);
  }
  static void column_logsumexp(T* out, const T* x, std::int64_t rows, std::int64_t cols) {
    if (rows < 1) {
      for (std::int64_t c = 0; c < cols; ++c) out[c] = -std::numeric_limits<T>::infinity();
      return;
    }
    for (std::int64_t c = 0; c < cols; c += LogSums::most) {
      LogSums of;
      const int valid = int(cols - c < LogSums::most ? cols - c : LogSums::most);
      int count = 0;
      for (; count < valid; count += W) {
        const T* at = x + c + count;
        of.take(count, rows, [&](std::int64_t i) EBB_LAMBDA { return V::load(at + i * cols); });
      }
      of.finish({x + c, rows, 1, cols}, count, valid);
      of.add(out + c, valid);
    }
  }

  static void softmax(T* y, const T* x, std::int64_t rows, std::int64_t cols) {
    if (is_short(cols)) {
      for (; rows >= W; rows -= W, x += W * cols, y += W * cols) softmax_of_lanes(y, x, cols);
    }
    R::softmax(y, x, rows, cols);
  }
  static void log_softmax(T* y, const T* x, std::int64_t rows, std::int64_t cols) {
    if (is_short(cols)) {
      for (; rows >= W; rows -= W, x += W * cols, y += W * cols) log_softmax_of_lanes(y, x, cols);
    }
    R::log_softmax(y, x, rows, cols);
  }
  static void softmax_pull(T* gx, const T* g, const T* y, std::int64_t rows, std::int64_t cols) {
    if (is_short(cols)) {
      for (; rows >= W; rows -= W, g += W * cols, y += W * cols, gx += W * cols) {
        T lanes[short_line * W], upstream[short_line * W];
        take_rows(lanes, y, cols);
        take_rows(upstream, g, cols);
        const V dot = tree(cols, [&](std::int64_t i) EBB_LAMBDA {
          return V::load(upstream + i * W) * V::load(lanes + i * W);
        });
        for (std::int64_t i = 0; i < cols * W; i += W) {
          (V::load(lanes + i) * (V::load(upstream + i) - dot)).store(lanes + i);
        }
        put_rows(gx, lanes, cols);
      }
    }
    R::softmax_pull(gx, g, y, rows, cols);
  }

 private:
  EBB_INLINE static void softmax_of_lanes(T* y, const T* x, std::int64_t cols) {
    T lanes[short_line * W];
    take_rows(lanes, x, cols);
    const auto load = [&](std::int64_t i) EBB_LAMBDA { return V::load(lanes + i * W); };
    const V m = chosen<typename R::LargerNumber>(cols, load);
    const V factor = inverse(powers(lanes, cols, m, load));
    for (std::int64_t i = 0; i < cols; ++i) (load(i) * factor).store(lanes + i * W);
    put_rows(y, lanes, cols);
    if (!(~(m - m == V(0))).any()) return;
    T largest[W];
    m.store(largest);
    for (int l = 0; l < W; ++l) {
      if (!(largest[l] - largest[l] == 0)) R::weights_of_infinite(y + l * cols, x + l * cols, cols);
    }
  }
  /// 1 / x, computed in double.
  EBB_INLINE static V inverse(const V& x) {
    if constexpr (sizeof(T) == 8) {
      return V(1) / x;
    } else {
      T lanes[W];
      x.store(lanes);
      for (int l = 0; l < W; ++l) lanes[l] = T(1 / double(lanes[l]));
      return V::load(lanes);
    }
  }
  EBB_INLINE static void log_softmax_of_lanes(T* y, const T* x, std::int64_t cols) {
    T lanes[short_line * W], scalar[W];
    take_rows(lanes, x, cols);
    const auto load = [&](std::int64_t i) EBB_LAMBDA { return V::load(lanes + i * W); };
    LogSums of;
    of.take(0, cols, load);
    of.finish({x, cols, cols, 1}, W, W);
    for (int l = 0; l < W; ++l) scalar[l] = T(of.logs[l]);
    const V m = V::load(of.largest), s = V::load(scalar);
    for (std::int64_t i = 0; i < cols; ++i) (load(i) - m - s).store(lanes + i * W);
    put_rows(y, lanes, cols);
    for (int l = 0; l < W; ++l) {
      R::log_weights_of_infinite(y + l * cols, x + l * cols, cols, of.largest[l], scalar[l]);
    }
  }
};

}  // namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE
