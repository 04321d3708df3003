// SPDX-License-Identifier: BSD-3-Clause
// Arithmetic of vectors of double.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ebb/autodiff/values/memory.hpp"

namespace ebb::inline v0::optim::detail {

/// Memory from the pools of arrays: what one minimisation has freed serves the next, where the
/// system would clear new pages.
template <class T>
struct Pooled {
  using value_type = T;
  Pooled() = default;
  template <class U>
  Pooled(const Pooled<U>&) {}
  T* allocate(std::size_t n) {
    return reinterpret_cast<T*>(ebb::detail::allocate({std::int64_t(n)}, sizeof(T))->payload());
  }
  void deallocate(T* elements, std::size_t) {
    ebb::detail::release(reinterpret_cast<ebb::detail::Block*>(elements) - 1);
  }
  bool operator==(const Pooled&) const { return true; }
};
using Vector = std::vector<double, Pooled<double>>;

/// sign(z) max(|z| - t, 0).
inline double soft_threshold(double z, double t) { return z > t ? z - t : z < -t ? z + t : 0; }

/// The sum of term(0), term(1), ... of n terms, in eight sums, so that no addition waits for the
/// one before.
template <class Term>
double sum_of(std::size_t n, const Term& term) {
  double sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::size_t k = 0; k < 8; ++k) sums[k] += term(i + k);
  for (; i < n; ++i) sums[0] += term(i);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}
/// a . b of n numbers.
inline double dot(const double* a, const double* b, std::size_t n) {
  return sum_of(n, [=](std::size_t i) { return a[i] * b[i]; });
}
inline double dot(const Vector& a, const Vector& b) { return dot(a.data(), b.data(), a.size()); }
/// True if no element is NaN or infinite: what times 0 is not 0.
inline bool is_finite(const Vector& a) {
  const double* const from = a.data();
  return sum_of(a.size(), [=](std::size_t i) { return from[i] * 0; }) == 0;
}
/// The euclidean length, also where squares overflow or vanish, from a . a.
inline double norm(const Vector& a, double square) {
  const double plain = std::sqrt(square);
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
inline double norm(const Vector& a) { return norm(a, dot(a, a)); }
/// y += factor x.
inline void add(Vector& y, double factor, const Vector& x) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += factor * x[i];
}
/// Eight numbers at once, wherever they are; two by two where the processor has no more.
typedef double Eight __attribute__((vector_size(64), aligned(8), may_alias));
inline const Eight& eight(const double& first) { return reinterpret_cast<const Eight&>(first); }
inline Eight& eight(double& first) { return reinterpret_cast<Eight&>(first); }
inline double total(const Eight& sums) {
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// y += factor x; returns y . z then, from one look at y. No vector may be another one.
inline double add_and_dot(Vector& y, double factor, const Vector& x, const Vector& z) {
  Eight sums = {};
  std::size_t i = 0;
  for (; i + 8 <= y.size(); i += 8) {
    const Eight now = eight(y[i]) + factor * eight(x[i]);
    eight(y[i]) = now;
    sums += now * eight(z[i]);
  }
  for (; i < y.size(); ++i) {
    y[i] += factor * x[i];
    sums[0] += y[i] * z[i];
  }
  return total(sums);
}
/// A change s of x and y of the gradient, and their products.
struct Change {
  Vector s, y;
  double ss = 0, sy = 0, yy = 0;

  /// The change from x and g to next_x and next_g, in the memory of the one before.
  void set(const Vector& x, const Vector& g, const Vector& next_x, const Vector& next_g) {
    s.resize(x.size());
    y.resize(x.size());
    Eight squares = {}, products = {}, others = {};
    std::size_t i = 0;
    for (; i + 8 <= x.size(); i += 8) {
      const Eight a = eight(next_x[i]) - eight(x[i]), b = eight(next_g[i]) - eight(g[i]);
      eight(s[i]) = a;
      eight(y[i]) = b;
      squares += a * a;
      products += a * b;
      others += b * b;
    }
    for (; i < x.size(); ++i) {
      s[i] = next_x[i] - x[i];
      y[i] = next_g[i] - g[i];
      squares[0] += s[i] * s[i];
      products[0] += s[i] * y[i];
      others[0] += y[i] * y[i];
    }
    ss = total(squares);
    sy = total(products);
    yy = total(others);
  }
  /// Without curvature it would make the next direction one that does not go down.
  bool has_curvature() const { return sy > 1e-10 * norm(s, ss) * norm(y, yy); }
};
/// y = a + factor b, in the memory of y.
inline void set_sum(Vector& y, const Vector& a, double factor, const Vector& b) {
  y.resize(a.size());
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = a[i] + factor * b[i];
}
/// a + factor b.
inline Vector sum(const Vector& a, double factor, const Vector& b) {
  Vector y;
  set_sum(y, a, factor, b);
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
