// SPDX-License-Identifier: BSD-3-Clause
#include <cblas.h>

#include "limits.hpp"
#include "vectors.hpp"

namespace limits {
namespace {

using Int = std::int64_t;
using C = Convolution;
constexpr Int plane = C::side * C::side, patch = C::in * 9;

void product(bool ta, bool tb, Int m, Int n, Int k, const float* a, const float* b, float beta,
             float* c) {
  cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
              blasint(m), blasint(n), blasint(k), 1.0f, a, blasint(ta ? m : k), b,
              blasint(tb ? k : n), beta, c, blasint(n));
}

/// Element (i, j) of the kernel sees the plane moved by this many numbers; what comes in from
/// another row, or from outside, is padding.
struct Move {
  Int row, column;
  explicit Move(Int k) : row(k / 3 - 1), column(k % 3 - 1) {}
  Int distance() const { return row * C::side + column; }
  /// Clears what is padding in a plane that was moved.
  LIMIT_INLINE void clear(float* to) const {
    if (column != 0) {
      float* at = to + (column < 0 ? 0 : C::side - 1);
      for (Int i = 0; i < C::side; ++i) at[i * C::side] = 0;
    }
    if (row != 0) {
      float* at = to + (row < 0 ? 0 : plane - C::side);
      for (Int i = 0; i < C::side; ++i) at[i] = 0;
    }
  }
};

/// The windows of an image as columns. Planes are written one after another, so that a vector may
/// run over into the next one.
void unfold(const float* image, float* columns) {
  for (Int c = 0; c < C::in; ++c, image += plane) {
    for (Int k = 0; k < 9; ++k, columns += plane) {
      const Move move(k);
      const Int d = move.distance(), first = d < 0 ? -d : 0, last = d < 0 ? plane : plane - d;
      for (Int i = first; i < last; i += width) store(columns + i, load(image + i + d));
      move.clear(columns);
    }
  }
}

/// The sums over the windows that an element is in, plus a number for each plane if there are any.
void fold(float* columns, float* image, const float* bias = nullptr) {
  for (Int c = 0; c < C::in; ++c, image += plane) {
    for (Int i = 0; i < plane; i += width) store(image + i, splat(bias ? bias[c] : 0));
    for (Int k = 0; k < 9; ++k, columns += plane) {
      const Move move(k);
      move.clear(columns);
      const Int d = move.distance(), first = d < 0 ? -d : 0, last = d < 0 ? plane : plane - d;
      Int i = first;
      for (; i + width <= last; i += width) {
        store(image + i + d, load(image + i + d) + load(columns + i));
      }
      for (; i < last; ++i) image[i + d] += columns[i];
    }
  }
}

}  // namespace

void convolution_forward(const float* x, const float* w, const float* b, float* columns, float* y) {
  for (Int n = 0; n < C::batch; ++n, x += C::in * plane, y += C::out * plane) {
    for (Int c = 0; c < C::out; ++c) {
      for (Int i = 0; i < plane; i += width) store(y + c * plane + i, splat(b[c]));
    }
    unfold(x, columns);
    product(false, false, C::out, plane, patch, w, columns, 1, y);
  }
}

void convolution_backward(const float* x, const float* w, const float* g, float* columns, float* gx,
                          float* gw, float* gb) {
  for (Int c = 0; c < C::out; ++c) gb[c] = 0;
  for (Int n = 0; n < C::batch; ++n) {
    product(true, false, patch, plane, C::out, w, g, 0, columns);
    fold(columns, gx);
    unfold(x, columns);
    product(false, true, C::out, patch, plane, g, columns, n > 0 ? 1 : 0, gw);
    for (Int c = 0; c < C::out; ++c) {
      V sums{};
      for (Int i = 0; i < plane; i += width) sums += load(g + c * plane + i);
      gb[c] += total(sums);
    }
    x += C::in * plane;
    gx += C::in * plane;
    g += C::out * plane;
  }
}

void transposed_convolution_forward(const float* x, const float* w, const float* b, float* columns,
                                    float* y) {
  for (Int n = 0; n < C::batch; ++n, x += C::out * plane, y += C::in * plane) {
    product(true, false, patch, plane, C::out, w, x, 0, columns);
    fold(columns, y, b);
  }
}

}  // namespace limits
