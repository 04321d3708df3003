// SPDX-License-Identifier: BSD-3-Clause
// L-BFGS by the two loops of Nocedal (1980), with the line search of Nocedal and Wright (2006,
// algorithms 3.5 and 3.6), as one writes it for one program: all memory is there before.
#include <cblas.h>

#include <algorithm>
#include <cmath>

#include "limits.hpp"

namespace limits {
namespace {

using Int = std::int64_t;

double dot(const double* a, const double* b, Int n) {
  constexpr int parts = 32;
  double sums[parts] = {};
  Int i = 0;
  for (; i + parts <= n; i += parts)
    for (int k = 0; k < parts; ++k) sums[k] += a[i + k] * b[i + k];
  double total = 0;
  for (; i < n; ++i) total += a[i] * b[i];
  for (double sum : sums) total += sum;
  return total;
}
void add(double* y, double factor, const double* x, Int n) {
  for (Int i = 0; i < n; ++i) y[i] += factor * x[i];
}

struct Trial {
  double step, value, slope;
};

double cubic(const Trial& a, const Trial& b) {
  const double d = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step);
  const double square = d * d - a.slope * b.slope, middle = (a.step + b.step) / 2;
  if (!(square >= 0)) return middle;
  const double root = std::copysign(std::sqrt(square), b.step - a.step);
  const double at =
      b.step - (b.step - a.step) * (b.slope + root - d) / (b.slope - a.slope + 2 * root);
  const double low = std::min(a.step, b.step), high = std::max(a.step, b.step);
  const double margin = 0.1 * (high - low);
  return std::isfinite(at) ? std::clamp(at, low + margin, high - margin) : middle;
}

/// A step with f <= f_0 + 1e-4 step slope_0 and |slope| <= 0.9 |slope_0|.
template <class Evaluate>
double wolfe(const Evaluate& evaluate, double value, double slope, double step) {
  const Trial start{0, value, slope};
  const auto is_low = [&](const Trial& t) { return t.value <= value + 1e-4 * t.step * slope; };
  const auto is_flat = [&](const Trial& t) { return std::fabs(t.slope) <= -0.9 * slope; };
  Trial low = start, high = start, before = start;
  for (int trial = 0;; ++trial) {
    const Trial t = evaluate(step);
    if (!is_low(t) || (trial > 0 && t.value >= before.value)) {
      low = before;
      high = t;
      break;
    }
    if (is_flat(t) || trial == 30) return step;
    if (t.slope >= 0) {
      low = t;
      high = before;
      break;
    }
    before = t;
    step *= 2;
  }
  for (int trial = 0; trial < 30; ++trial) {
    const Trial t = evaluate(cubic(low, high));
    if (!is_low(t) || t.value > low.value) {
      high = t;
      continue;
    }
    if (is_flat(t)) return t.step;
    if (t.slope * (high.step - low.step) >= 0) high = low;
    low = t;
  }
  return 0;
}

#ifdef __AVX512F__
constexpr int lanes = 8;
#elif defined(__AVX__)
constexpr int lanes = 4;
#else
constexpr int lanes = 2;
#endif
typedef double V __attribute__((vector_size(8 * lanes)));
typedef double Unaligned __attribute__((vector_size(8 * lanes), aligned(8), may_alias));
typedef Int Bits __attribute__((vector_size(8 * lanes)));

/// e^x for x in [-700, 0], to about 1e-15.
V exponential(V x) {
  constexpr double shift = 0x1.8p52;  // added, it leaves the nearest integer in the last bits
  const V shifted = x * 1.4426950408889634 + shift, k = shifted - shift;
  const V r = x - k * 0.693147180369123816490 - k * 1.90821492927058770002e-10;
  V p = r / 479001600.0 + 1 / 39916800.0;
  p = p * r + 1 / 3628800.0;
  p = p * r + 1 / 362880.0;
  p = p * r + 1 / 40320.0;
  p = p * r + 1 / 5040.0;
  p = p * r + 1 / 720.0;
  p = p * r + 1 / 120.0;
  p = p * r + 1 / 24.0;
  p = p * r + 1 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1;
  p = p * r + 1;
  return (V)((Bits)p + ((Bits)shifted << 52));
}

/// log(1 + e) for e in [0, 1], as 2 artanh(e / (2 + e)).
V logarithm_of_one_and(V e) {
  const V s = e / (e + 2), square = s * s;
  V p = square / 31.0 + 1 / 29.0;
#pragma GCC unroll 14
  for (int k = 27; k >= 1; k -= 2) p = p * square + 1 / double(k);
  return 2 * s * p;
}

}  // namespace

int lbfgs(Function f, void* data, Int n, double tolerance, int iterations, double* start,
          double* room) {
  constexpr int history = 10;
  double *x = start, *g = room, *d = g + n, *next_x = d + n, *next_g = next_x + n;
  double *s = next_g + n, *y = s + history * n, inverse[history], weights[history];
  int pairs = 0, done = 0;  // pair number k stands at k % history
  double value = f(data, x, g);
  for (; done < iterations; ++done) {
    const double size = std::sqrt(dot(g, g, n));
    if (size <= tolerance) break;
    for (Int i = 0; i < n; ++i) d[i] = -g[i];
    const int oldest = std::max(0, pairs - history);
    for (int k = pairs - 1; k >= oldest; --k) {
      const int p = k % history;
      weights[p] = inverse[p] * dot(s + p * n, d, n);
      add(d, -weights[p], y + p * n, n);
    }
    if (pairs > 0) {
      const int p = (pairs - 1) % history;
      const double scale = 1 / (inverse[p] * dot(y + p * n, y + p * n, n));
      for (Int i = 0; i < n; ++i) d[i] *= scale;
    }
    for (int k = oldest; k < pairs; ++k) {
      const int p = k % history;
      add(d, weights[p] - inverse[p] * dot(y + p * n, d, n), s + p * n, n);
    }
    double next = value;
    const double step = wolfe(
        [&](double length) {
          for (Int i = 0; i < n; ++i) next_x[i] = x[i] + length * d[i];
          next = f(data, next_x, next_g);
          return Trial{length, next, dot(next_g, d, n)};
        },
        value, dot(g, d, n), pairs > 0 ? 1 : 1 / std::max(1.0, size));
    if (step == 0) break;
    const int p = pairs++ % history;
    for (Int i = 0; i < n; ++i) s[p * n + i] = next_x[i] - x[i];
    for (Int i = 0; i < n; ++i) y[p * n + i] = next_g[i] - g[i];
    inverse[p] = 1 / dot(s + p * n, y + p * n, n);
    std::swap(x, next_x);
    std::swap(g, next_g);
    value = next;
  }
  if (x != start) std::copy_n(x, n, start);
  return done;
}

double logistic_gradient(const LogisticRows& rows, const double* w, double* gradient) {
  [[maybe_unused]] static const bool once = (openblas_set_num_threads(1), true);
  const auto n = blasint(rows.rows), d = blasint(rows.features);
  cblas_dgemv(CblasRowMajor, CblasNoTrans, n, d, 1, rows.x, d, w, 1, 0, rows.room, 1);
  V losses{};
  for (Int i = 0; i < rows.rows; i += lanes) {  // the last ones count none that is not there
    const int there = int(std::min<Int>(lanes, rows.rows - i));
    V z{}, y{};
    if (there == lanes) {
      z = *reinterpret_cast<const Unaligned*>(rows.room + i);
      y = *reinterpret_cast<const Unaligned*>(rows.y + i);
    } else {
      for (int k = 0; k < there; ++k) z[k] = rows.room[i + k], y[k] = rows.y[i + k];
    }
    const V e = exponential(z < 0 ? z : -z);
    const V terms = (z > 0 ? z : V{}) - y * z + logarithm_of_one_and(e);
    const V slopes = (z >= 0 ? V{} + 1 : e) / (1 + e) - y;
    if (there == lanes) {
      losses += terms;
      *reinterpret_cast<Unaligned*>(rows.room + i) = slopes;
    } else {
      for (int k = 0; k < there; ++k) losses[k] += terms[k], rows.room[i + k] = slopes[k];
    }
  }
  double loss = 0;
  for (int k = 0; k < lanes; ++k) loss += losses[k];
  const double scale = 1 / double(rows.rows);
  cblas_dgemv(CblasRowMajor, CblasTrans, n, d, scale, rows.x, d, rows.room, 1, 0, gradient, 1);
  double square = 0;
  for (Int j = 0; j < rows.features; ++j) {
    gradient[j] += rows.penalty * w[j];
    square += w[j] * w[j];
  }
  return loss * scale + rows.penalty / 2 * square;
}

}  // namespace limits
