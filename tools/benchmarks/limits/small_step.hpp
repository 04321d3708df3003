// SPDX-License-Identifier: BSD-3-Clause
// A regression step on 32 rows of 10 features with everything in registers and the first cache.
#pragma once
#include "vectors.hpp"

namespace limits {
namespace {

/// `slope(z, y, loss)` returns the gradient of a row's loss in z and adds the loss to `loss`.
template <class Slope>
LIMIT_INLINE float small_step(const float* x, const float* y, float* w, float* b, float rate,
                              const Slope& slope) {
  constexpr int rows = 32, features = 10, parts = (features + width - 1) / width;
  V weight[parts];
  for (int k = 0; k < parts; ++k) weight[k] = load(w + k * width);

  alignas(64) float e[rows];
  V loss{}, errors{};
#pragma GCC unroll 8
  for (int i = 0; i < rows; i += width) {
    const V z = *b + row_totals([&](int row) __attribute__((always_inline)) {
      const float* from = x + (i + row) * features;
      V dot = load(from) * weight[0];
      for (int k = 1; k < parts; ++k) {
        dot = madd(load(from + k * width), weight[k], dot);
      }
      return dot;
    });
    const V error = slope(z, load(y + i), loss);
    store(e + i, error);
    errors += error;
  }

  V gradient[4][parts] = {};
#pragma GCC unroll 32
  for (int row = 0; row < rows; ++row) {
    for (int k = 0; k < parts; ++k) {
      V& g = gradient[row % 4][k];
      g = madd(load(x + row * features + k * width), splat(e[row]), g);
    }
  }
  const float factor = -rate / float(rows);
  for (int k = 0; k < parts; ++k) {
    const V g = (gradient[0][k] + gradient[1][k]) + (gradient[2][k] + gradient[3][k]);
    // What stands past the tenth feature is the next row.
    store(w + k * width, first(features - k * width, madd(g, splat(factor), weight[k])));
  }
  *b += factor * total(errors);
  return total(loss) / float(rows);
}

}  // namespace
}  // namespace limits
