// SPDX-License-Identifier: BSD-3-Clause
#include "limits.hpp"
#include "logistic.hpp"
#include "wide_rows.hpp"

namespace limits {
namespace {

/// Adds all rows; returns the mean loss.
template <class Slope>
LIMIT_INLINE float add_all(WideRows& sums, const float* x, const float* y, std::int64_t rows,
                           const Slope& slope) {
  double loss = 0;
  for (std::int64_t row = 0; row < rows; row += width) {
    const float* from = x + row * WideRows::features;
    // One plain pass over the block first: the memory's prefetchers follow nothing less simple.
    for (int i = 0; i < width * WideRows::features; i += 16) {
      const float fetched = from[i];
      asm volatile("" ::"x"(fetched));
    }
    sums.add(from, y + row, slope);
    if (row % 4096 == 0) {
      loss += double(total(sums.loss));
      sums.loss = V{};
    }
  }
  return float((loss + double(total(sums.loss))) / double(rows));
}

}  // namespace
}  // namespace limits

float limits::full_batch_step(const float* x, const float* y, std::int64_t rows, float* w, float* b,
                              float rate) {
  WideRows sums(w, b);
  const float loss = add_all(
      sums, x, y, rows, [](V z, V target, V & sum) __attribute__((always_inline)) {
        return logistic_slope(z, target, sum);
      });
  sums.update(w, b, rate / float(rows));
  return loss;
}

float limits::full_batch_gradient(const float* x, const float* y, std::int64_t rows, const float* w,
                                  const float* b, float* gw, float* gb) {
  WideRows sums(w, b);
  const float loss = add_all(
      sums, x, y, rows, [](V z, V target, V & sum) __attribute__((always_inline)) {
        const V d = z - target;
        sum = madd(d, d, sum);
        return d + d;
      });
  for (int k = 0; k < WideRows::parts; ++k) {
    store(gw + k * width, sums.gradient[k] * splat(1 / float(rows)));
  }
  *gb = total(sums.errors) / float(rows);
  return loss;
}
