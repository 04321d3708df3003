// SPDX-License-Identifier: BSD-3-Clause
// Layer normalisation (Ba, Kiros and Hinton 2016): all passes over a row find it in the first
// cache, so that memory is read once.
#pragma once
#include <cmath>

#include "ebb/autodiff/kernels/reduce_kernels.hpp"

namespace ebb::inline v0::detail::inline EBB_UNIT {

template <class T>
struct NormaliseKernels {
  using R = ReduceKernels<T>;
  using V = Vector<T>;
  static constexpr int W = V::size;

  /// A row x becomes (x - mean) * scale.
  struct Moments {
    T mean, scale;

    EBB_INLINE Moments(const T* x, std::int64_t n, double eps) {
      mean = T(R::sum(x, n) / double(n));
      const V m(mean);
      const double squares = R::tree_of_blocks(
          n, [&](std::int64_t i) __attribute__((always_inline)) {
            const V d = V::load(x + i) - m;
            return d * d;
          });
      scale = T(1 / std::sqrt(squares / double(n) + eps));
    }
  };

  static void layer_norm(T* y, const T* x, const T* weight, const T* bias, std::int64_t rows,
                         std::int64_t cols, double eps) {
    for (std::int64_t r = 0; r < rows; ++r, x += cols, y += cols) {
      const Moments moments(x, cols, eps);
      const V mean(moments.mean), scale(moments.scale);
      for (std::int64_t c = 0; c < cols; c += W) {
        const V normal = (V::load(x + c) - mean) * scale;
        madd(normal, V::load(weight + c), V::load(bias + c)).store(y + c);
      }
    }
  }

  /// With z = (x - mean) * scale and h = g * weight: gx = scale * (h - mean(h) - z * mean(h * z)),
  /// and g * z and g for the weight and the bias, summed over blocks of rows in T, then in double.
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
      for (std::int64_t r = first; r < last; ++r) pull_row(p, r);
      for (std::int64_t c = 0; c < n; ++c) {
        p.totals[c] += double(p.weight_sums[c]);
        p.totals[n + c] += double(p.bias_sums[c]);
      }
    }
    for (std::int64_t c = 0; c < 2 * n; ++c) p.out[p.rows * n + c] = T(p.totals[c]);
  }

 private:
  EBB_INLINE static void pull_row(const LayerNormPull<T>& p, std::int64_t r) {
    const std::int64_t n = p.cols;
    const T *x = p.x + r * n, *g = p.g + r * n, *w = p.weight;
    T* gx = p.out + r * n;
    const Moments moments(x, n, p.eps);
    const V mean(moments.mean), scale(moments.scale);
    const auto h = [=](std::int64_t i) __attribute__((always_inline)) {
      return V::load(g + i) * V::load(w + i);
    };
    const auto z = [=](std::int64_t i) __attribute__((always_inline)) {
      return (V::load(x + i) - mean) * scale;
    };
    const V shift(R::tree_of_blocks(n, h) / double(n));
    const V slope(
        R::tree_of_blocks(
            n, [=](std::int64_t i) __attribute__((always_inline)) { return h(i) * z(i); }) /
        double(n));
    for (std::int64_t c = 0; c < n; c += W) {
      const V normal = z(c), upstream = V::load(g + c);
      (scale * (h(c) - shift - normal * slope)).store(gx + c);
      madd(upstream, normal, V::load(p.weight_sums + c)).store(p.weight_sums + c);
      (upstream + V::load(p.bias_sums + c)).store(p.bias_sums + c);
    }
  }
};

}  // namespace ebb::inline v0::detail::inline EBB_UNIT
