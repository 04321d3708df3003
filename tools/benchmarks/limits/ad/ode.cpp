// SPDX-License-Identifier: BSD-3-Clause
// Keeps what the four slopes of each step are taken at.
#include <algorithm>

#include "ad.hpp"

namespace limits {
namespace {

/// The slope k at y.
void slope(const double* __restrict x, const double* __restrict y, double* __restrict k,
           std::int64_t n) {
  k[0] = x[0];
  for (std::int64_t i = 1; i < n; ++i) k[i] = x[i] * y[i - 1];
}

/// Adds to the gradients of x and y what that of the slope at y, gk, gives.
void add_back(const double* __restrict x, const double* __restrict y, const double* __restrict gk,
              double* __restrict gx, double* __restrict gy, std::int64_t n) {
  gx[0] += gk[0];
  for (std::int64_t i = 1; i < n; ++i) gx[i] += gk[i] * y[i - 1];
  for (std::int64_t i = 1; i < n; ++i) gy[i - 1] += gk[i] * x[i];
}

}  // namespace

double ode(const double* x, double* g, double* room, std::int64_t n, std::int64_t steps) {
  const double h = 2 / double(steps);
  double y[32] = {};
  for (std::int64_t t = 0; t < steps; ++t) {
    double *const a = room + 4 * n * t, *const b = a + n, *const c = b + n, *const d = c + n;
    double k[32], sum[32];
    for (std::int64_t i = 0; i < n; ++i) a[i] = y[i];
    slope(x, a, k, n);
    for (std::int64_t i = 0; i < n; ++i) sum[i] = k[i];
    for (std::int64_t i = 0; i < n; ++i) b[i] = a[i] + h / 2 * k[i];
    slope(x, b, k, n);
    for (std::int64_t i = 0; i < n; ++i) sum[i] += 2 * k[i];
    for (std::int64_t i = 0; i < n; ++i) c[i] = a[i] + h / 2 * k[i];
    slope(x, c, k, n);
    for (std::int64_t i = 0; i < n; ++i) sum[i] += 2 * k[i];
    for (std::int64_t i = 0; i < n; ++i) d[i] = a[i] + h * k[i];
    slope(x, d, k, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] = a[i] + h / 6 * (sum[i] + k[i]);
  }
  std::fill_n(g, n, 0.0);
  double gy[32] = {};
  gy[n - 1] = 1;
  for (std::int64_t t = steps - 1; t >= 0; --t) {
    const double *const a = room + 4 * n * t, *const b = a + n, *const c = b + n, *const d = c + n;
    double gk[32], total[32], at[32];
    const auto next = [&](const double* from, double last, double weight) {
      for (std::int64_t i = 0; i < n; ++i) gk[i] = last * at[i] + h / 6 * weight * gy[i];
      std::fill_n(at, n, 0.0);
      add_back(x, from, gk, g, at, n);
      for (std::int64_t i = 0; i < n; ++i) total[i] += at[i];
    };
    for (std::int64_t i = 0; i < n; ++i) total[i] = gy[i];
    std::fill_n(at, n, 0.0);
    next(d, 0, 1);
    next(c, h, 2);
    next(b, h / 2, 2);
    next(a, h / 2, 1);
    for (std::int64_t i = 0; i < n; ++i) gy[i] = total[i];
  }
  return y[n - 1];
}

}  // namespace limits
