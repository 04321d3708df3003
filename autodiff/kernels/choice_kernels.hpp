// SPDX-License-Identifier: BSD-3-Clause
// The largest and smallest elements of rows and of columns, where the first of them are, and how
// equal ones share a gradient.
#pragma once
#include "ebb/autodiff/kernels/line_kernels.hpp"

namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE {

template <class T>
struct ChoiceKernels {
  using R = ReduceKernels<T>;
  using L = LineKernels<T>;
  using V = Vector<T>;
  using Bits = typename V::Bits;
  static constexpr int W = V::size;
  /// Longer rows are faster one by one.
  static constexpr std::int64_t short_choice = 8, short_search = 16;

  template <class Choice>
  static void rows(T* out, const T* x, std::int64_t rows, std::int64_t cols) {
    if (0 < cols && cols <= short_choice) {
      for (; rows >= W; rows -= W, x += W * cols, out += W) {
        T lanes[short_choice * W];
        L::take_rows(lanes, x, cols);
        L::template chosen<Choice>(cols, [&](std::int64_t i) EBB_LAMBDA {
          return V::load(lanes + i * W);
        }).store(out);
      }
    }
    for (; rows > 0; --rows, x += cols) *out++ = R::template chosen_of<Choice>(x, cols);
  }

  template <class Choice>
  static void columns(T* out, const T* x, std::int64_t rows, std::int64_t cols) {
    std::int64_t c = 0;
    for (; c + 4 * W <= cols; c += 4 * W) {
      some_columns<Choice, 4>(out + c, x + c, rows, cols, 4 * W);
    }
    for (; c < cols; c += W) some_columns<Choice, 1>(out + c, x + c, rows, cols, valid(c, cols));
  }

  /// The index of the first chosen element of each row.
  template <class Choice>
  static void first_in_rows(std::int64_t* first, const T* x, std::int64_t rows, std::int64_t cols) {
    if (0 < cols && cols <= short_search) {
      for (; rows >= W; rows -= W, x += W * cols, first += W) {
        T lanes[short_search * W];
        L::take_rows(lanes, x, cols);
        V best = V::load(lanes), at = index(0);
        for (std::int64_t i = 1; i < cols; ++i) {
          keep_better<Choice>(best, at, V::load(lanes + i * W), index(i));
        }
        put_indices(first, at, W, 0);
      }
    }
    for (; rows > 0; --rows, x += cols) *first++ = first_in_row<Choice>(x, cols);
  }

  /// The row of the first chosen element of each column.
  template <class Choice>
  static void first_in_columns(std::int64_t* first, const T* x, std::int64_t rows,
                               std::int64_t cols) {
    std::int64_t c = 0;
    for (; c + 4 * W <= cols; c += 4 * W) {
      first_in_some_columns<Choice, 4>(first + c, x + c, rows, cols, 4 * W);
    }
    for (; c < cols; c += W) {
      first_in_some_columns<Choice, 1>(first + c, x + c, rows, cols, valid(c, cols));
    }
  }

  /// Adds to the integers in `counts` how many elements of x equal y: one for each row of the
  /// grid, or one for each of its columns.
  static void count_choices(T* counts, const T* x, const In<T>& y, Grid grid) {
    for (std::int64_t r = 0; r < grid.rows; ++r, x += grid.cols) {
      const T* chosen = y.data + r * y.row;
      T* count = counts + r * y.row;
      Bits in_row(0);
      for (std::int64_t c = 0; c < grid.cols; c += W) {
        const V best = y.col ? V::load(chosen + c) : V(*chosen);
        // Without a branch, which g++ 12 cannot join at -O1 for double with SSE2.
        const auto equal = (V::load(x + c) == best) & V::first(valid(c, grid.cols));
        // All bits of a lane are the number -1.
        if (y.col) {
          V(V::load(count + c).bits() - equal.bits()).store(count + c);
        } else {
          in_row = in_row - equal.bits();
        }
      }
      for (int l = 0; !y.col && l < W; ++l) {
        *count = __builtin_bit_cast(T, Int(__builtin_bit_cast(Int, *count) + Int(in_row.reg[l])));
      }
    }
  }

  /// out = share where x equals y, else 0, or y where that is NaN. `in` is y and the shares.
  static void share_choices(T* out, const T* x, const In<T>* in, Grid grid) {
    for (std::int64_t r = 0; r < grid.rows; ++r, x += grid.cols, out += grid.cols) {
      const T *y = in[0].data + r * in[0].row, *share = in[1].data + r * in[1].row;
      for (std::int64_t c = 0; c < grid.cols; c += W) {
        const V best = in[0].col ? V::load(y + c) : V(*y);
        const V part = in[0].col ? V::load(share + c) : V(*share);
        // Others get nothing even of an infinite gradient, unless NaN leaves nothing to choose.
        const V others = select(best == best, V(0), best);
        select(V::load(x + c) == best, part, others).store(out + c);
      }
    }
  }

 private:
  using Int = LaneInt<T>;

  EBB_INLINE static int valid(std::int64_t c, std::int64_t cols) {
    return int(cols - c < W ? cols - c : W);
  }
  /// An integer as the bits of every lane.
  EBB_INLINE static V index(std::int64_t i) {
    const Bits bits(static_cast<typename Bits::Word>(i));
    return V(bits);
  }
  template <class Choice>
  EBB_INLINE static void keep_better(V& best, V& at, const V& x, const V& here) {
    const auto better = Choice::beats(x, best);
    best = select(better, x, best);
    at = select(better, here, at);
  }
  /// first = start + at, where that is not negative.
  EBB_INLINE static void put_indices(std::int64_t* first, const V& at, int count,
                                     std::int64_t start) {
    T lanes[W];
    at.store(lanes);
    for (int l = 0; l < count; ++l) {
      const Int place = __builtin_bit_cast(Int, lanes[l]);
      if (place >= 0) first[l] = start + place;
    }
  }

  /// Columns [c, c + K * W), of which the first `count` are written.
  template <class Choice, int K>
  EBB_INLINE static void some_columns(T* out, const T* x, std::int64_t rows, std::int64_t cols,
                                      int count) {
    V m[K];
    detail::unrolled<K>([&](auto k) EBB_LAMBDA { m[k] = V::load(x + int(k) * W); });
    for (std::int64_t r = 1; r < rows; ++r) {
      detail::unrolled<K>(
          [&](auto k) EBB_LAMBDA { m[k] = Choice::of(m[k], V::load(x + r * cols + int(k) * W)); });
    }
    T lanes[K * W];
    detail::unrolled<K>([&](auto k) EBB_LAMBDA { m[k].store(lanes + int(k) * W); });
    for (int i = 0; i < count; ++i) out[i] = lanes[i];
  }
  template <class Choice, int K>
  EBB_INLINE static void first_in_some_columns(std::int64_t* first, const T* x, std::int64_t rows,
                                               std::int64_t cols, int count) {
    // Rows are counted from the start of their block, in the width of T.
    constexpr std::int64_t rows_in_block = 4096;
    V best[K], at[K];
    detail::unrolled<K>([&](auto k) EBB_LAMBDA { best[k] = V::load(x + int(k) * W); });
    for (int i = 0; i < count; ++i) first[i] = 0;
    for (std::int64_t start = 0; start < rows; start += rows_in_block) {
      const std::int64_t m = rows - start < rows_in_block ? rows - start : rows_in_block;
      detail::unrolled<K>([&](auto k) EBB_LAMBDA { at[k] = index(-1); });
      for (std::int64_t r = 0; r < m; ++r) {
        const V here = index(r);
        detail::unrolled<K>([&](auto k) EBB_LAMBDA {
          keep_better<Choice>(best[k], at[k], V::load(x + (start + r) * cols + int(k) * W), here);
        });
      }
      detail::unrolled<K>([&](auto k) EBB_LAMBDA {
        const int left = count - int(k) * W;
        put_indices(first + int(k) * W, at[k], left < W ? left : W, start);
      });
    }
  }

  /// The best of each block is cheap to find, and only one block is searched.
  template <class Choice>
  EBB_INLINE static std::int64_t first_in_row(const T* x, std::int64_t n) {
    constexpr std::int64_t block = 4096;
    std::int64_t start = 0;
    T best = R::template chosen_of<Choice>(x, n < block ? n : block);
    for (std::int64_t i = block; i < n; i += block) {
      const T other = R::template chosen_of<Choice>(x + i, n - i < block ? n - i : block);
      if (!Choice::beats(other, best)) continue;
      best = other;
      start = i;
    }
    return start + find(x + start, n - start, best);
  }
  /// The index of the first element that is `value`, which is one of the n elements.
  EBB_INLINE static std::int64_t find(const T* x, std::int64_t n, T value) {
    if (value != value) {
      for (std::int64_t i = 0;; ++i) {
        if (x[i] != x[i]) return i;
      }
    }
    const V v(value);
    std::int64_t i = 0;
    for (; i + 4 * W <= n; i += 4 * W) {
      const auto low = (V::load(x + i) == v) | (V::load(x + i + W) == v);
      const auto high = (V::load(x + i + 2 * W) == v) | (V::load(x + i + 3 * W) == v);
      if ((low | high).any()) break;
    }
    while (x[i] != value) ++i;
    return i;
  }
};

}  // namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE
