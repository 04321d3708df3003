// SPDX-License-Identifier: BSD-3-Clause
#include "limits.hpp"
#include "logistic.hpp"
#include "wide_rows.hpp"

float limits::full_batch_step(const float* x, const float* y, std::int64_t rows, float* w, float* b,
                              float rate) {
  double loss = 0;
  WideRows sums(w, b);
  for (std::int64_t row = 0; row < rows; row += width) {
    const float* from = x + row * WideRows::features;
    // One plain pass over the block first: the memory's prefetchers follow nothing less simple.
    for (int i = 0; i < width * WideRows::features; i += 16) {
      const float fetched = from[i];
      asm volatile("" ::"x"(fetched));
    }
    sums.add(
        from, y + row, [](V z, V target, V & sum) __attribute__((always_inline)) {
          return logistic_slope(z, target, sum);
        });
    if (row % 4096 == 0) {
      loss += double(total(sums.loss));
      sums.loss = V{};
    }
  }
  sums.update(w, b, rate / float(rows));
  return float((loss + double(total(sums.loss))) / double(rows));
}
