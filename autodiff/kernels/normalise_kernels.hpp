// SPDX-License-Identifier: BSD-3-Clause
// Layer normalisation (Ba, Kiros and Hinton 2016). All passes over a row find it in the first-level
// cache, so that memory is read once.
#pragma once
#include <cmath>
#include <limits>

#include "ebb/autodiff/kernels/reduce_kernels.hpp"

namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE {

template <class T>
struct NormaliseKernels {
  using R = ReduceKernels<T>;
  using V = Vector<T>;
  static constexpr int W = V::size;

  /// The number of rows that are processed together, since the sums of different rows do not wait
  /// for each other. It is not more than the ways of a first-level cache, where rows of some sizes
  /// would collide. Long rows are processed one by one.
  static constexpr std::int64_t together = 4, pulled_together = 2;
  EBB_INLINE static std::int64_t rows_at_once(std::int64_t most, std::int64_t left,
                                              std::int64_t cols) {
    if (cols > 512) return 1;
    return left < most ? left : most;
  }

  /// Replaces each row x by z = (x - mean) * scale.
  struct Moments {
    T mean[together], scale[together];

    EBB_INLINE Moments(const T* x, std::int64_t rows, std::int64_t n, double eps) {
      for (std::int64_t r = 0; r < rows; ++r) mean[r] = T(R::sum(x + r * n, n) / double(n));
      for (std::int64_t r = 0; r < rows; ++r) {
        const V m(mean[r]);
        const double squares = R::tree_of_blocks(n, [&](std::int64_t i) EBB_LAMBDA {
          const V d = V::load(x + r * n + i) - m;
          return d * d;
        });
        const double spread = squares / double(n) + eps;
        scale[r] = spread > least && spread < std::numeric_limits<double>::infinity()
                       ? T(1 / std::sqrt(spread))
                       : scale_out_of_range(x + r * n, n, mean[r], eps);
      }
    }

    /// Below this number squares of distances lose digits.
    static constexpr double least = sizeof(T) == 4 ? 1e-30 : 1e-280;

    /// The scale for values whose squares overflow or underflow.
    [[gnu::noinline, gnu::cold]] static T scale_out_of_range(const T* x, std::int64_t n, T mean,
                                                             double eps) {
      double largest = 0, squares = 0;
      for (std::int64_t i = 0; i < n; ++i) largest = std::fmax(largest, std::abs(x[i] - mean));
      if (largest == 0) return T(1 / std::sqrt(eps));
      for (std::int64_t i = 0; i < n; ++i) {
        const double d = double(x[i] - mean) / largest;
        squares += d * d;
      }
      return T(1 / std::sqrt(squares / double(n) + eps / largest / largest) / largest);
    }
  };

  static void layer_norm(T* y, const T* x, const T* weight, const T* bias, std::int64_t rows,
                         std::int64_t cols, double eps) {
    for (std::int64_t left = rows; left > 0;) {
      const std::int64_t m = rows_at_once(together, left, cols);
      const Moments moments(x, m, cols, eps);
      for (std::int64_t r = 0; r < m; ++r, x += cols, y += cols) {
        const V mean(moments.mean[r]), scale(moments.scale[r]);
        for (std::int64_t c = 0; c < cols; c += W) {
          const V z = (V::load(x + c) - mean) * scale;
          madd(z, V::load(weight + c), V::load(bias + c)).store(y + c);
        }
      }
      left -= m;
    }
  }

  /// With h = g * weight: gx = scale * (h - mean(h) - z * mean(h * z)); and g * z and g for the
  /// weight and the bias, summed over blocks of rows in T, and over all rows in double.
  static void layer_norm_pull(const LayerNormPull<T>& p) {
    constexpr std::int64_t rows_in_block = 64;
    const std::int64_t n = p.cols;
    for (std::int64_t c = 0; c < 2 * n; ++c) p.totals[c] = 0;
    for (std::int64_t first = 0; first < p.rows; first += rows_in_block) {
      const std::int64_t last = p.rows - first < rows_in_block ? p.rows : first + rows_in_block;
      for (std::int64_t c = 0; c < n; c += W) {
        V(0).store(p.weight_sums + c);
        V(0).store(p.bias_sums + c);
      }
      for (std::int64_t r = first; r < last;) {
        const std::int64_t m = rows_at_once(pulled_together, last - r, n);
        pull_rows(p, r, m);
        r += m;
      }
      for (std::int64_t c = 0; c < n; ++c) {
        p.totals[c] += double(p.weight_sums[c]);
        p.totals[n + c] += double(p.bias_sums[c]);
      }
    }
    for (std::int64_t c = 0; c < 2 * n; ++c) p.out[p.rows * n + c] = T(p.totals[c]);
  }

 private:
  EBB_INLINE static void pull_rows(const LayerNormPull<T>& p, std::int64_t first,
                                   std::int64_t rows) {
    const std::int64_t n = p.cols;
    const T *x = p.x + first * n, *g = p.g + first * n, *w = p.weight;
    T* gx = p.out + first * n;
    const Moments moments(x, rows, n, p.eps);
    T shift[pulled_together], slope[pulled_together];
    for (std::int64_t r = 0; r < rows; ++r) {
      const V mean(moments.mean[r]), scale(moments.scale[r]);
      const auto h = [=](std::int64_t i)
                         EBB_LAMBDA { return V::load(g + r * n + i) * V::load(w + i); };
      shift[r] = T(R::tree_of_blocks(n, h) / double(n));
      slope[r] = T(
          R::tree_of_blocks(
              n, [=](std::int64_t i) __attribute__((
                     always_inline)) { return h(i) * ((V::load(x + r * n + i) - mean) * scale); }) /
          double(n));
    }
    for (std::int64_t r = 0; r < rows; ++r, x += n, g += n, gx += n) {
      const V mean(moments.mean[r]), scale(moments.scale[r]), s(shift[r]), t(slope[r]);
      for (std::int64_t c = 0; c < n; c += W) {
        const V z = (V::load(x + c) - mean) * scale, upstream = V::load(g + c);
        (scale * (upstream * V::load(w + c) - s - z * t)).store(gx + c);
        madd(upstream, z, V::load(p.weight_sums + c)).store(p.weight_sums + c);
        (upstream + V::load(p.bias_sums + c)).store(p.bias_sums + c);
      }
    }
  }
};

}  // namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE
