// SPDX-License-Identifier: BSD-3-Clause
// Running sums, rows by index, and sorting.
#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "limits.hpp"
#include "vectors.hpp"

namespace limits {

void cumsum_last(const float* x, float* y, std::int64_t rows, std::int64_t columns, bool reverse) {
  constexpr int together = 8;  // sums that do not wait for one another
  for (std::int64_t row = 0; row < rows; row += together) {
    const float* from = x + row * columns;
    float* to = y + row * columns;
    double total[together] = {};
    for (std::int64_t k = 0; k < columns; ++k) {
      const std::int64_t at = reverse ? columns - 1 - k : k;
#pragma GCC unroll 8
      for (int r = 0; r < together; ++r) {
        total[r] += double(from[r * columns + at]);
        to[r * columns + at] = float(total[r]);
      }
    }
  }
}

void cumsum_first(const float* x, float* y, double* total, std::int64_t rows, std::int64_t columns,
                  bool reverse) {
  std::fill_n(total, columns, 0.0);
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t start = (reverse ? rows - 1 - row : row) * columns;
    const float* __restrict from = x + start;
    float* __restrict to = y + start;
    for (std::int64_t i = 0; i < columns; ++i) {
      total[i] += double(from[i]);
      to[i] = float(total[i]);
    }
  }
}

void columns_apart_and_together(const float* x, float* apart, float* y, std::int64_t rows,
                                std::int64_t columns) {
  for (std::int64_t k = 0; k < columns; ++k) {
    for (std::int64_t i = 0; i < rows; ++i) apart[k * rows + i] = x[i * columns + k];
  }
  for (std::int64_t k = 0; k < columns; ++k) {
    for (std::int64_t i = 0; i < rows; ++i) y[i * columns + k] = apart[k * rows + i];
  }
}

void gather_last(const float* x, const std::int64_t* index, float* y, std::int64_t rows,
                 std::int64_t columns) {
  for (std::int64_t row = 0; row < rows; ++row, x += columns, index += columns, y += columns) {
    for (std::int64_t k = 0; k < columns; ++k) y[k] = x[index[k]];
  }
}

void gather_first(const float* x, const std::int64_t* index, float* y, std::int64_t rows,
                  std::int64_t columns) {
  for (std::int64_t row = 0; row < rows; ++row, index += columns, y += columns) {
    for (std::int64_t k = 0; k < columns; ++k) y[k] = x[index[k] * columns + k];
  }
}

void scatter_add_last(const float* x, const std::int64_t* index, float* y, std::int64_t rows,
                      std::int64_t columns) {
  for (std::int64_t row = 0; row < rows; ++row, x += columns, index += columns, y += columns) {
    for (std::int64_t k = 0; k < columns; ++k) y[index[k]] += x[k];
  }
}

void scatter_add_first(const float* x, const std::int64_t* index, float* y, std::int64_t rows,
                       std::int64_t columns) {
  for (std::int64_t row = 0; row < rows; ++row, x += columns, index += columns) {
    for (std::int64_t k = 0; k < columns; ++k) y[index[k] * columns + k] += x[k];
  }
}

void gather_rows(const float* x, const std::int64_t* index, float* y, std::int64_t count,
                 std::int64_t columns) {
  for (std::int64_t j = 0; j < count; ++j) {
    const float* from = x + index[j] * columns;
    for (std::int64_t i = 0; i < columns; i += width) stream(y + j * columns + i, load(from + i));
  }
  _mm_sfence();
}

void scatter_add_rows(const float* x, const std::int64_t* index, float* y, std::int64_t count,
                      std::int64_t rows, std::int64_t columns) {
  std::memset(y, 0, std::size_t(rows * columns) * sizeof(float));
  for (std::int64_t j = 0; j < count; ++j) {
    float* to = y + index[j] * columns;
    for (std::int64_t i = 0; i < columns; i += width) {
      store(to + i, load(to + i) + load(x + j * columns + i));
    }
  }
}

float embedding_step(float* w, const std::int64_t* index, float* drawn, std::int64_t count,
                     std::int64_t columns, float rate) {
  const float n = float(count * columns);
  V sum = splat(0);
  for (std::int64_t j = 0; j < count; ++j) {
    for (std::int64_t i = 0; i < columns; i += width) {
      const V x = load(w + index[j] * columns + i);
      store(drawn + j * columns + i, x);
      sum = sum + x * x;
    }
  }
  const V step = splat(2 * rate / n);
  for (std::int64_t j = 0; j < count; ++j) {
    float* const to = w + index[j] * columns;
    for (std::int64_t i = 0; i < columns; i += width) {
      store(to + i, load(to + i) - step * load(drawn + j * columns + i));
    }
  }
  return total(sum) / n;
}

void sort_rows(const float* x, float* y, std::int64_t* order, std::int64_t rows) {
  // Four passes of a byte each over keys with their places; signs are turned so that the bits of a
  // key are in the order of its number.
  constexpr int columns = 256;
  std::uint64_t keys[columns], room[columns];
  for (std::int64_t row = 0; row < rows; ++row, x += columns, y += columns, order += columns) {
    std::uint32_t starts[4][256] = {};
    for (int k = 0; k < columns; ++k) {
      const auto bits = std::bit_cast<std::uint32_t>(x[k] + 0.0f);
      const std::uint32_t key =
          x[k] != x[k] ? UINT32_MAX : bits ^ (std::uint32_t(std::int32_t(bits) >> 31) | (1U << 31));
      keys[k] = std::uint64_t(key) << 32 | std::uint32_t(k);
      for (int d = 0; d < 4; ++d) ++starts[d][key >> (8 * d) & 255];
    }
    std::uint64_t *from = keys, *to = room;
    for (int d = 0; d < 4; ++d) {
      std::uint32_t start = 0;
      for (std::uint32_t& s : starts[d]) start += std::exchange(s, start);
      for (int k = 0; k < columns; ++k) to[starts[d][from[k] >> (32 + 8 * d) & 255]++] = from[k];
      std::swap(from, to);
    }
    for (int k = 0; k < columns; ++k) {
      order[k] = std::int64_t(from[k] & UINT32_MAX);
      y[k] = x[order[k]];
    }
  }
}

void sort_rows_backward(const float* g, const std::int64_t* order, float* gx, std::int64_t rows) {
  constexpr std::int64_t columns = 256;
  for (std::int64_t row = 0; row < rows; ++row, g += columns, gx += columns, order += columns) {
    for (std::int64_t k = 0; k < columns; ++k) gx[order[k]] = g[k];  // each place comes once
  }
}

}  // namespace limits
