// SPDX-License-Identifier: BSD-3-Clause
#include <cstring>

#include "limits.hpp"
#include "logistic.hpp"
#include "shuffle.hpp"

namespace limits {
namespace {

constexpr std::int64_t batch = 256;

LIMIT_INLINE float dot(const SparseRows& x, std::int64_t i, const float* w) {
  std::int64_t k = x.offsets[i];
  const std::int64_t end = x.offsets[i + 1];
  float a = 0, b = 0, c = 0, d = 0;
  for (; k + 4 <= end; k += 4) {
    a += x.values[k] * w[x.columns[k]];
    b += x.values[k + 1] * w[x.columns[k + 1]];
    c += x.values[k + 2] * w[x.columns[k + 2]];
    d += x.values[k + 3] * w[x.columns[k + 3]];
  }
  for (; k < end; ++k) a += x.values[k] * w[x.columns[k]];
  return (a + b) + (c + d);
}

LIMIT_INLINE void add(const SparseRows& x, std::int64_t i, float factor, float* w) {
  for (std::int64_t k = x.offsets[i]; k < x.offsets[i + 1]; ++k)
    w[x.columns[k]] += factor * x.values[k];
}

}  // namespace

void sparse_forward(const SparseRows& x, const float* w, float b, float* y) {
  for (std::int64_t i = 0; i < x.rows; ++i) y[i] = b + dot(x, i, w);
}

void sparse_forward(const SparseRows& x, const float* w, const float* b, std::int64_t outputs,
                    float* y) {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    float* const to = y + i * outputs;
    std::int64_t o = 0;
    for (; o + 4 <= outputs; o += 4) {  // an element is read once for four outputs
      const float *p0 = w + o * x.features, *p1 = p0 + x.features, *p2 = p1 + x.features,
                  *p3 = p2 + x.features;
      float s0 = b[o], s1 = b[o + 1], s2 = b[o + 2], s3 = b[o + 3];
      for (std::int64_t k = x.offsets[i]; k < x.offsets[i + 1]; ++k) {
        const std::int32_t column = x.columns[k];
        const float value = x.values[k];
        s0 += value * p0[column];
        s1 += value * p1[column];
        s2 += value * p2[column];
        s3 += value * p3[column];
      }
      to[o] = s0;
      to[o + 1] = s1;
      to[o + 2] = s2;
      to[o + 3] = s3;
    }
    for (; o < outputs; ++o) to[o] = b[o] + dot(x, i, w + o * x.features);
  }
}

void sparse_backward(const SparseRows& x, const float* g, float* gw) {
  std::memset(gw, 0, std::size_t(x.features) * sizeof(float));
  for (std::int64_t i = 0; i < x.rows; ++i) add(x, i, g[i], gw);
}

void sparse_backward(const SparseRows& x, const float* g, std::int64_t outputs, float* gw) {
  std::memset(gw, 0, std::size_t(outputs * x.features) * sizeof(float));
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t o = 0; o < outputs; ++o) add(x, i, g[i * outputs + o], gw + o * x.features);
  }
}

float sparse_epoch(const SparseRows& x, const float* y, std::uint64_t& seed, std::int64_t* order,
                   float* w, float* b, float rate, float* room) {
  shuffle(order, x.rows, seed);
  double loss = 0;
  for (std::int64_t first_row = 0; first_row < x.rows; first_row += batch) {
    const std::int64_t n = x.rows - first_row < batch ? x.rows - first_row : batch;
    const std::int64_t* rows = order + first_row;
    for (std::int64_t i = 0; i < n; ++i) room[i] = *b + dot(x, rows[i], w);
    V losses{};
    for (std::int64_t i = 0; i < n; i += width) {
      V target{}, part{};
      for (int k = 0; k < width; ++k) target[k] = i + k < n ? y[rows[i + k]] : 0;
      store(room + i, logistic_slope(load(room + i), target, part));
      losses += first(int(n - i), part);
    }
    const float factor = -rate / float(n);
    float sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      add(x, rows[i], factor * room[i], w);
      sum += room[i];
    }
    *b += factor * sum;
    for (int k = 0; k < width; ++k) loss += double(losses[k]);
  }
  return float(loss / double(x.rows));
}

}  // namespace limits
