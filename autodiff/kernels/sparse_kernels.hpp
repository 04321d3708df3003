// SPDX-License-Identifier: BSD-3-Clause
// Products of sparse rows and a dense weight, and the gradient in that weight, one pass over the
// non-zeros. Rows are taken one after another, so that every sum has one order.
#pragma once
#include "ebb/autodiff/kernels/elementwise_kernels.hpp"

namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE {

template <class T>
struct SparseKernels {
  using V = Vector<T>;
  static constexpr int W = V::size;
  using View = SparseView<T>;

  /// Calls f(row, begin, end) for each row, with the range of its elements.
  template <class F>
  EBB_INLINE static void for_each_row(const View& x, const F& f) {
    for (std::int64_t i = 0; i < x.rows; ++i) f(i, x.ranges[2 * i], x.ranges[2 * i + 1]);
  }

  /// The dot products of a row with one vector, in four sums.
  EBB_INLINE static T dot(const View& x, std::int64_t k, std::int64_t end, const T* w) {
    T a = 0, b = 0, c = 0, d = 0;
    for (; k + 4 <= end; k += 4) {
      a += x.values[k] * w[x.indices[k]];
      b += x.values[k + 1] * w[x.indices[k + 1]];
      c += x.values[k + 2] * w[x.indices[k + 2]];
      d += x.values[k + 3] * w[x.indices[k + 3]];
    }
    for (; k < end; ++k) a += x.values[k] * w[x.indices[k]];
    return (a + b) + (c + d);
  }

  /// y (rows, outputs) = x w^T + bias, for w (outputs, columns).
  static void by_output(T* y, const View& x, const T* w, const T* bias, std::int64_t outputs,
                        std::int64_t columns) {
    for_each_row(x, [&](std::int64_t i, std::int64_t begin, std::int64_t end) EBB_LAMBDA {
      T* const to = y + i * outputs;
      std::int64_t o = 0;
      for (; o + 4 <= outputs; o += 4) {  // the elements of a row are read once for four outputs
        const T *p = w + o * columns, *q = p + columns, *r = q + columns, *s = r + columns;
        T a = 0, b = 0, c = 0, d = 0;
        for (std::int64_t k = begin; k < end; ++k) {
          const std::int64_t j = x.indices[k];
          const T v = x.values[k];
          a += v * p[j];
          b += v * q[j];
          c += v * r[j];
          d += v * s[j];
        }
        const T sums[4] = {a, b, c, d};
        for (int e = 0; e < 4; ++e) to[o + e] = (bias ? bias[o + e] : T(0)) + sums[e];
      }
      for (; o < outputs; ++o)
        to[o] = (bias ? bias[o] : T(0)) + dot(x, begin, end, w + o * columns);
    });
  }

  /// y (rows, outputs) = x w, for w (columns, outputs). Whole vectors are written, which the next
  /// row writes again.
  static void by_column(T* y, const View& x, const T* w, std::int64_t outputs) {
    const auto part = [&](auto count, std::int64_t at) EBB_LAMBDA {
      constexpr int K = int(count);
      for_each_row(x, [&](std::int64_t i, std::int64_t begin, std::int64_t end) EBB_LAMBDA {
        V sums[K];
        detail::unrolled<K>([&](auto j) EBB_LAMBDA { sums[j] = V(0); });
        for (std::int64_t k = begin; k < end; ++k) {
          const T* const row = w + x.indices[k] * outputs + at;
          const V v(x.values[k]);
          detail::unrolled<K>(
              [&](auto j) EBB_LAMBDA { sums[j] = madd(v, V::load(row + int(j) * W), sums[j]); });
        }
        detail::unrolled<K>([&](auto j) EBB_LAMBDA {
          const std::int64_t first = at + int(j) * W;
          put_first(sums[j], y + i * outputs + first, outputs - first);
        });
      });
    };
    std::int64_t j = 0;
    for (; j + 4 * W <= outputs; j += 4 * W) part(std::integral_constant<int, 4>{}, j);
    for (; j < outputs; j += W) part(std::integral_constant<int, 1>{}, j);
  }
  /// w (outputs, columns) += g^T x, for g (rows, outputs). A gradient of 0 adds nothing, whatever
  /// it meets.
  static void pull_by_output(T* w, const View& x, const T* g, std::int64_t outputs,
                             std::int64_t columns) {
    for_each_row(x, [&](std::int64_t i, std::int64_t begin, std::int64_t end) EBB_LAMBDA {
      for (std::int64_t o = 0; o < outputs; ++o) {
        const T factor = g[i * outputs + o];
        if (factor == 0) continue;
        T* const to = w + o * columns;
        for (std::int64_t k = begin; k < end; ++k) to[x.indices[k]] += factor * x.values[k];
      }
    });
  }

  /// w (columns, outputs) += x^T g, for g (rows, outputs).
  static void pull_by_column(T* w, const View& x, const T* g, std::int64_t outputs) {
    for_each_row(x, [&](std::int64_t i, std::int64_t begin, std::int64_t end) EBB_LAMBDA {
      for (std::int64_t j = 0; j < outputs; j += W) {
        const std::int64_t n = outputs - j;
        const V factor = V::load(g + i * outputs + j);
        for (std::int64_t k = begin; k < end; ++k) {
          T* const to = w + x.indices[k] * outputs + j;
          const V before = V::load(to);
          const V sum = madd(factor, V(x.values[k]), before);
          put_first(select(factor == V(0), before, sum), to, n);
        }
      }
    });
  }
};

}  // namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE
