// SPDX-License-Identifier: BSD-3-Clause
// Cyclic coordinate descent on the residual, as in glmnet and scikit-learn: sweeps over the weights
// that are not 0 between sweeps over all, and the duality gap after each of those.
#include <cblas.h>

#include <algorithm>
#include <cmath>

#include "limits.hpp"

namespace limits {
namespace {

using Int = std::int64_t;

double dot(const double* a, const double* b, Int n) {
  constexpr int lanes = 32;
  double sums[lanes] = {};
  Int i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int k = 0; k < lanes; ++k) sums[k] += a[i + k] * b[i + k];
  double total = 0;
  for (; i < n; ++i) total += a[i] * b[i];
  for (double sum : sums) total += sum;
  return total;
}

}  // namespace

double lasso(const double* columns, const double* y, const double* squares, Int n, Int d,
             double strength, double gap, double* w, double* room) {
  [[maybe_unused]] static const bool once = (openblas_set_num_threads(1), true);
  double *const r = room, *const g = room + n;
  std::copy_n(y, n, r);
  std::fill_n(w, d, 0.0);
  const double whole = dot(y, y, n) / double(2 * n);
  /// Moves a weight to its best place; returns what that changed, in units of y.
  const auto move = [&](Int j) {
    const double* const x = columns + j * n;
    const double before = w[j], slope = dot(x, r, n) / double(n) + squares[j] * before;
    const double over = std::max(std::fabs(slope) - strength, 0.0);
    w[j] = std::copysign(over, slope) / squares[j];
    const double change = w[j] - before;
    if (change == 0) return 0.0;
    for (Int i = 0; i < n; ++i) r[i] -= change * x[i];
    return change * change * squares[j];
  };
  double bound = 0;
  for (int round = 0; round < 1000; ++round) {
    double first = 0;
    for (Int j = 0; j < d; ++j) first = std::max(first, move(j));
    for (int sweep = 0; sweep < 1000; ++sweep) {
      double largest = 0;
      for (Int j = 0; j < d; ++j)
        if (w[j] != 0) largest = std::max(largest, move(j));
      if (largest <= 1e-4 * first) break;
    }
    cblas_dgemv(CblasRowMajor, CblasNoTrans, blasint(d), blasint(n), 1 / double(n), columns,
                blasint(n), r, 1, 0, g, 1);
    double steepest = 0, sum = 0;
    for (Int j = 0; j < d; ++j) {
      steepest = std::max(steepest, std::fabs(g[j]));
      sum += std::fabs(w[j]);
    }
    const double rr = dot(r, r, n) / double(n), ry = dot(r, y, n) / double(n);
    const double scale = std::clamp(ry / rr, -strength / steepest, strength / steepest);
    bound = rr / 2 + strength * sum - scale * (ry - scale * rr / 2);
    if (bound <= gap * whole) break;
  }
  return bound / whole;
}

}  // namespace limits
