// SPDX-License-Identifier: BSD-3-Clause
#include "limits.hpp"
#include "shuffle.hpp"
#include "wide_rows.hpp"

namespace limits {
namespace {

constexpr std::int64_t batch = 256;

/// Copies n rows, and fetches those that come up to 16 rows later; `left` have not been copied yet.
void gather(const float* x, const float* y, const std::int64_t* rows, std::int64_t n,
            std::int64_t left, float* batch_x, float* batch_y) {
  constexpr int features = WideRows::features;
  constexpr std::int64_t ahead = 16;
  for (std::int64_t i = 0; i < n; ++i, batch_x += features) {
    if (i + ahead < left) {
      const float* later = x + rows[i + ahead] * features;
      // To the second cache: the first one has no room for so many requests.
      for (int k = 0; k < features + 15; k += 16) __builtin_prefetch(later + k, 0, 2);
      __builtin_prefetch(y + rows[i + ahead], 0, 2);
    }
    const float* from = x + rows[i] * features;
    int k = 0;
    for (; k + width <= features; k += width) store(batch_x + k, load(from + k));
    for (; k < features; k += 4) store4(batch_x + k, load4(from + k));
    batch_y[i] = y[rows[i]];
  }
}

}  // namespace

void gather_epoch(const float* x, const float* y, std::int64_t rows, std::uint64_t& seed,
                  std::int64_t* order, float* batch_x, float* batch_y) {
  shuffle(order, rows, seed);
  for (std::int64_t first = 0; first < rows; first += batch) {
    const std::int64_t n = rows - first < batch ? rows - first : batch;
    gather(x, y, order + first, n, rows - first, batch_x, batch_y);
  }
}

float epoch(const float* x, const float* y, std::int64_t rows, std::uint64_t& seed,
            std::int64_t* order, float* batch_x, float* batch_y, float* w, float* b, float rate) {
  shuffle(order, rows, seed);
  double loss = 0;
  std::int64_t batches = 0;
  for (std::int64_t first = 0; first < rows; first += batch, ++batches) {
    const std::int64_t n = rows - first < batch ? rows - first : batch;
    gather(x, y, order + first, n, rows - first, batch_x, batch_y);
    WideRows sums(w, b);
    for (std::int64_t row = 0; row < n; row += width) {
      sums.add(
          batch_x + row * WideRows::features, batch_y + row,
          [](V z, V target, V & sum) __attribute__((always_inline)) {
            const V d = z - target;
            sum = madd(d, d, sum);
            return d + d;
          });
    }
    sums.update(w, b, rate / float(n));
    loss += double(total(sums.loss)) / double(n);
  }
  return float(loss / double(batches));
}

}  // namespace limits
