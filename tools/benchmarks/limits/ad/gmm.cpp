// SPDX-License-Identifier: BSD-3-Clause
// One point after the other; the columns of the factors are what the loops run along.
#include <algorithm>
#include <cmath>

#include "ad.hpp"

namespace limits {
namespace {

/// Makes x the softmax of x. Returns log(sum(e^x)).
double soften(double* x, std::int64_t n) {
  const double largest = *std::max_element(x, x + n);
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += x[i] = std::exp(x[i] - largest);
  for (std::int64_t i = 0; i < n; ++i) x[i] /= sum;
  return largest + std::log(sum);
}

/// y = Q x, for a diagonal and what is below it.
void multiply(const double* diagonal, const double* __restrict below, const double* x,
              double* __restrict y, std::int64_t d) {
  for (std::int64_t i = 0; i < d; ++i) y[i] = diagonal[i] * x[i];
  for (std::int64_t i = 0; i < d; ++i) {
    for (std::int64_t j = i + 1; j < d; ++j) y[j] += below[j - i - 1] * x[i];
    below += d - i - 1;
  }
}

/// The gradients of the logarithms of the diagonal and of what is below, for that of y, -r z.
void add_gradient(const double* diagonal, const double* x, const double* z, double r,
                  double* __restrict g, std::int64_t d) {
  for (std::int64_t i = 0; i < d; ++i) g[i] += r * (1 - z[i] * x[i] * diagonal[i]);
  g += d;
  for (std::int64_t i = 0; i < d; ++i) {
    const double factor = -r * x[i];
    for (std::int64_t j = i + 1; j < d; ++j) g[j - i - 1] += factor * z[j];
    g += d - i - 1;
  }
}

}  // namespace

double gmm(const Mixture& a) {
  const std::int64_t n = a.n, k = a.k, d = a.d, size = d * (d + 1) / 2;
  std::fill_n(a.g_alphas, k, 0.0);
  std::fill_n(a.g_means, k * d, 0.0);
  std::fill_n(a.g_icf, k * size, 0.0);
  for (std::int64_t c = 0; c < k; ++c) {
    for (std::int64_t i = 0; i < d; ++i) a.scales[c * d + i] = std::exp(a.icf[c * size + i]);
  }
  double value = 0;
  for (std::int64_t point = 0; point < n; ++point) {
    const double* const x = a.x + point * d;
    for (std::int64_t c = 0; c < k; ++c) {
      double *const centred = a.centred + c * d, *const z = a.z + c * d;
      for (std::int64_t i = 0; i < d; ++i) centred[i] = x[i] - a.means[c * d + i];
      multiply(a.scales + c * d, a.icf + c * size + d, centred, z, d);
      double main = a.alphas[c];
      for (std::int64_t i = 0; i < d; ++i) main += a.icf[c * size + i] - z[i] * z[i] / 2;
      a.weights[c] = main;
    }
    value += soften(a.weights, k);
    for (std::int64_t c = 0; c < k; ++c) {
      const double r = a.weights[c];
      const double* const z = a.z + c * d;
      a.g_alphas[c] += r;
      // Q^T is left for the end.
      for (std::int64_t i = 0; i < d; ++i) a.g_means[c * d + i] += r * z[i];
      add_gradient(a.scales + c * d, a.centred + c * d, z, r, a.g_icf + c * size, d);
    }
  }
  std::copy_n(a.alphas, k, a.weights);
  value -= double(n) * soften(a.weights, k);
  const double square = a.gamma * a.gamma;
  for (std::int64_t c = 0; c < k; ++c) {
    a.g_alphas[c] -= double(n) * a.weights[c];
    const double *const scales = a.scales + c * d, *below = a.icf + c * size + d;
    double *const g_means = a.g_means + c * d, *const g = a.g_icf + c * size;
    for (std::int64_t i = 0; i < d; ++i) {
      double sum = scales[i] * g_means[i];
      for (std::int64_t j = i + 1; j < d; ++j) sum += below[j - i - 1] * g_means[j];
      g_means[i] = sum;
      below += d - i - 1;
      value -= square / 2 * scales[i] * scales[i] - a.m * a.icf[c * size + i];
      g[i] -= square * scales[i] * scales[i] - a.m;
    }
    for (std::int64_t i = d; i < size; ++i) {
      const double e = a.icf[c * size + i];
      value -= square / 2 * e * e;
      g[i] -= square * e;
    }
  }
  return value;
}

}  // namespace limits
