// SPDX-License-Identifier: BSD-3-Clause
// Regression on rows of 100 features, each read from memory once.
#pragma once
#include "vectors.hpp"

namespace limits {
namespace {

/// The sums of a regression over rows for which the weights stay the same.
struct WideRows {
  static constexpr int features = 100, parts = (features + width - 1) / width;
  V weight[parts], gradient[parts];
  V errors{}, loss{};
  float bias;

  LIMIT_INLINE WideRows(const float* w, const float* b) : bias(*b) {
    for (int k = 0; k < parts; ++k) {
      weight[k] = load(w + k * width);
      gradient[k] = V{};
    }
  }

  /// Adds `width` rows; `slope` as in small_step.
  template <class Slope>
  LIMIT_INLINE void add(const float* x, const float* y, const Slope& slope) {
    const V z = bias + row_totals([&](int row) __attribute__((always_inline)) {
                  const float* from = x + row * features;
                  V dot[2] = {load(from) * weight[0], load(from + width) * weight[1]};
#pragma GCC unroll 32
                  for (int k = 2; k < parts; ++k) {
                    dot[k % 2] = madd(load(from + k * width), weight[k], dot[k % 2]);
                  }
                  return dot[0] + dot[1];
                });
    const V error = slope(z, load(y), loss);
    errors += error;
    alignas(64) float e[width];
    store(e, error);
#pragma GCC unroll 4
    for (int row = 0; row < width; ++row) {
      const float* from = x + row * features;
#pragma GCC unroll 32
      for (int k = 0; k < parts; ++k) {
        gradient[k] = madd(load(from + k * width), splat(e[row]), gradient[k]);
      }
    }
  }

  /// w -= factor gradient, b likewise.
  LIMIT_INLINE void update(float* w, float* b, float factor) const {
    for (int k = 0; k < parts; ++k) {
      const V updated = madd(gradient[k], splat(-factor), weight[k]);
      store(w + k * width, first(features - k * width, updated));
    }
    *b -= factor * total(errors);
  }
};

}  // namespace
}  // namespace limits
