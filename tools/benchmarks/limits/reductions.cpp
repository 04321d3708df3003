// SPDX-License-Identifier: BSD-3-Clause
#include "limits.hpp"
#include "vectors.hpp"

namespace limits {

float sum(const float* x, std::int64_t n) {
  double result = 0;
  for (std::int64_t i = 0; i < n;) {
    const std::int64_t last = n - i < 4096 ? n : i + 4096;
    V part[8] = {};
    for (; i < last; i += 8 * width) {
      for (int k = 0; k < 8; ++k) part[k] = part[k] + load(x + i + k * width);
    }
    result += double(limits::total(((part[0] + part[1]) + (part[2] + part[3])) +
                                   ((part[4] + part[5]) + (part[6] + part[7]))));
  }
  return float(result);
}

void sum_rows(const float* x, float* y, std::int64_t rows, std::int64_t columns) {
  constexpr int parts = 256 / width;
  for (std::int64_t i = 0; i < columns; i += 256) {
    V sums[parts] = {};
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* from = x + row * columns + i;
#pragma GCC unroll 64
      for (int k = 0; k < parts; ++k) sums[k] += load(from + k * width);
    }
    for (int k = 0; k < parts; ++k) store(y + i + k * width, sums[k]);
  }
}

void sum_columns(const float* x, float* y, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; i += 4) {
    const auto row = [&](int r) __attribute__((always_inline)) {
      const float* from = x + (i + r) * columns;
      V sums[4] = {};
      for (std::int64_t j = 0; j < columns; j += 4 * width) {
        for (int k = 0; k < 4; ++k) sums[k] += load(from + j + k * width);
      }
      return (sums[0] + sums[1]) + (sums[2] + sums[3]);
    };
    store4(y + i, totals(row(0), row(1), row(2), row(3)));
  }
}

void softmax_forward(const float* x, float* y, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t row = 0; row < rows; ++row, x += columns, y += columns) {
    V top = load(x);
    V top2 = load(x + width);
    for (std::int64_t i = 0; i < columns; i += 2 * width) {
      top = larger(top, load(x + i));
      top2 = larger(top2, load(x + i + width));
    }
    alignas(64) float lanes[width];
    store(lanes, larger(top, top2));
    float largest = lanes[0];
    for (float v : lanes) largest = largest < v ? v : largest;
    V sum{}, sum2{};
    for (std::int64_t i = 0; i < columns; i += 2 * width) {
      const V e = exponential(load(x + i) - largest),
              e2 = exponential(load(x + i + width) - largest);
      store(y + i, e);
      store(y + i + width, e2);
      sum += e;
      sum2 += e2;
    }
    const float scale = 1 / total(sum + sum2);
    for (std::int64_t i = 0; i < columns; i += width) store(y + i, load(y + i) * scale);
  }
}

void softmax_backward(const float* y, const float* g, float* gx, std::int64_t rows,
                      std::int64_t columns) {
  for (std::int64_t row = 0; row < rows; ++row, y += columns, g += columns, gx += columns) {
    V dot{}, dot2{};
    for (std::int64_t i = 0; i < columns; i += 2 * width) {
      dot = madd(load(y + i), load(g + i), dot);
      dot2 = madd(load(y + i + width), load(g + i + width), dot2);
    }
    const float shift = total(dot + dot2);
    for (std::int64_t i = 0; i < columns; i += width) {
      store(gx + i, load(y + i) * (load(g + i) - shift));
    }
  }
}

}  // namespace limits
