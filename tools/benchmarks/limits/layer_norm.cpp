// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>

#include "limits.hpp"
#include "vectors.hpp"

namespace limits {
namespace {

using Int = std::int64_t;

/// Mean and 1 / sqrt(variance + eps) of a row.
struct Moments {
  float mean, scale;
  LIMIT_INLINE Moments(const float* x, Int n) {
    V sum{}, sum2{};
    for (Int i = 0; i < n; i += 2 * width) {
      sum += load(x + i);
      sum2 += load(x + i + width);
    }
    mean = total(sum + sum2) / float(n);
    V squares{}, squares2{};
    for (Int i = 0; i < n; i += 2 * width) {
      const V d = load(x + i) - mean, d2 = load(x + i + width) - mean;
      squares = madd(d, d, squares);
      squares2 = madd(d2, d2, squares2);
    }
    scale = 1 / std::sqrt(total(squares + squares2) / float(n) + 1e-5f);
  }
};

}  // namespace

void layer_norm_forward(const float* x, const float* w, const float* b, float* y, Int rows,
                        Int columns) {
  for (Int row = 0; row < rows; ++row, x += columns, y += columns) {
    const Moments m(x, columns);
    for (Int i = 0; i < columns; i += width) {
      store(y + i, madd((load(x + i) - m.mean) * m.scale, load(w + i), load(b + i)));
    }
  }
}

void layer_norm_backward(const float* x, const float* w, const float* g, float* gx, float* gw,
                         float* gb, Int rows, Int columns) {
  for (Int i = 0; i < columns; i += width) {
    store(gw + i, V{});
    store(gb + i, V{});
  }
  for (Int row = 0; row < rows; ++row, x += columns, g += columns, gx += columns) {
    const Moments m(x, columns);
    V sum{}, product{};
    for (Int i = 0; i < columns; i += width) {
      const V h = load(g + i) * load(w + i), z = (load(x + i) - m.mean) * m.scale;
      sum += h;
      product = madd(h, z, product);
    }
    const float shift = total(sum) / float(columns), slope = total(product) / float(columns);
    for (Int i = 0; i < columns; i += width) {
      const V gi = load(g + i), h = gi * load(w + i), z = (load(x + i) - m.mean) * m.scale;
      store(gx + i, (h - shift - z * slope) * m.scale);
      store(gw + i, madd(gi, z, load(gw + i)));
      store(gb + i, load(gb + i) + gi);
    }
  }
}

}  // namespace limits
