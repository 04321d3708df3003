// SPDX-License-Identifier: BSD-3-Clause
// Arithmetic of vectors of double.
#pragma once
#include <cmath>
#include <cstddef>
#include <vector>

namespace ebb::inline v0::optim::detail {

using Vector = std::vector<double>;

/// a . b, in eight sums, so that no addition waits for the one before.
inline double dot(const Vector& a, const Vector& b) {
  double sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= a.size(); i += 8)
    for (std::size_t k = 0; k < 8; ++k) sums[k] += a[i + k] * b[i + k];
  for (; i < a.size(); ++i) sums[0] += a[i] * b[i];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}
/// The euclidean length, also where squares overflow or vanish.
inline double norm(const Vector& a) {
  const double plain = std::sqrt(dot(a, a));
  if (plain > 1e-150 && plain < 1e150) return plain;
  double largest = 0;
  for (double e : a) {
    if (std::isnan(e)) return e;
    largest = std::fmax(largest, std::abs(e));
  }
  if (largest == 0 || std::isinf(largest)) return largest;
  Vector scaled = a;
  for (double& e : scaled) e /= largest;
  return largest * std::sqrt(dot(scaled, scaled));
}
/// y += factor x.
inline void add(Vector& y, double factor, const Vector& x) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += factor * x[i];
}
/// a + factor b.
inline Vector sum(const Vector& a, double factor, const Vector& b) {
  Vector y(a.size());
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = a[i] + factor * b[i];
  return y;
}
inline Vector times(double factor, Vector x) {
  for (double& e : x) e *= factor;
  return x;
}
/// The product of a matrix (rows, x.size()), row by row, and x.
inline Vector product(const Vector& matrix, const Vector& x) {
  Vector y(matrix.size() / x.size(), 0);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double* row = matrix.data() + i * x.size();
    for (std::size_t j = 0; j < x.size(); ++j) y[i] += row[j] * x[j];
  }
  return y;
}

}  // namespace ebb::inline v0::optim::detail
