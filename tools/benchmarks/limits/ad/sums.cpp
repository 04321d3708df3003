// SPDX-License-Identifier: BSD-3-Clause
// Sums, and what is nearest.
#include <algorithm>
#include <cmath>

#include "ad.hpp"
#include "pack.hpp"

namespace limits {

double log_sum_exp(const double* x, double* g, std::int64_t n) {
  double largest = x[0];
  for (std::int64_t i = 1; i < n; ++i) largest = std::max(largest, x[i]);
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    g[i] = std::exp(x[i] - largest);
    sum += g[i];
  }
  const double scale = 1 / sum;
  for (std::int64_t i = 0; i < n; ++i) g[i] *= scale;
  return largest + std::log(sum);
}

double least_squares(const double* powers, const double* s, const double* x, double* g,
                     std::int64_t n, std::int64_t m) {
  Pack sums[32] = {}, squares = {};
  for (std::int64_t i = 0; i < n; i += 4 * lanes) {
    const double* const at = powers + i;
    Pack a = load(s + i), b = load(s + i + lanes), c = load(s + i + 2 * lanes),
         d = load(s + i + 3 * lanes);
    for (std::int64_t j = 0; j < m; ++j) {
      a -= x[j] * load(at + j * n);
      b -= x[j] * load(at + j * n + lanes);
      c -= x[j] * load(at + j * n + 2 * lanes);
      d -= x[j] * load(at + j * n + 3 * lanes);
    }
    for (std::int64_t j = 0; j < m; ++j) {
      sums[j] += a * load(at + j * n) + b * load(at + j * n + lanes);
      sums[j] += c * load(at + j * n + 2 * lanes) + d * load(at + j * n + 3 * lanes);
    }
    squares += (a * a + b * b) + (c * c + d * d);
  }
  for (std::int64_t j = 0; j < m; ++j) g[j] = -total(sums[j]);
  return total(squares) / 2;
}

double kmeans(const double* points, const double* centres, double* gradient, double* hessian,
              double* room, std::int64_t n, std::int64_t k, std::int64_t d) {
  const std::int64_t width = (k + 15) / 16 * 16;
  double *const columns = room, *const counts = room + d * width;
  for (std::int64_t j = 0; j < d; ++j) {
    // Those that fill up the last block are nowhere near.
    for (std::int64_t c = 0; c < width; ++c) {
      columns[j * width + c] = c < k ? centres[c * d + j] : 1e100;
    }
  }
  std::fill_n(gradient, k * d, 0.0);
  std::fill_n(counts, k, 0.0);
  double cost = 0;
  for (std::int64_t i = 0; i < n; ++i, points += d) {
    Pack least = 1e300 - Pack{}, at = {};
    for (std::int64_t c = 0; c < width; c += 2 * lanes) {
      Pack a = {}, b = {};
      for (std::int64_t j = 0; j < d; ++j) {
        const Pack e = load(columns + j * width + c) - points[j];
        const Pack f = load(columns + j * width + c + lanes) - points[j];
        a += e * e;
        b += f * f;
      }
      const auto block = double(c);
      at = a < least ? block - Pack{} : at;
      least = a < least ? a : least;
      at = b < least ? block + double(lanes) - Pack{} : at;
      least = b < least ? b : least;
    }
    std::int64_t lane = 0;
    for (std::int64_t q = 1; q < lanes; ++q) lane = least[q] < least[lane] ? q : lane;
    const std::int64_t best = std::int64_t(at[lane]) + lane;
    cost += least[lane];
    counts[best] += 1;
    for (std::int64_t j = 0; j < d; ++j) {
      gradient[best * d + j] += 2 * (centres[best * d + j] - points[j]);
    }
  }
  for (std::int64_t c = 0; c < k; ++c) std::fill_n(hessian + c * d, d, 2 * counts[c]);
  return cost;
}

}  // namespace limits
