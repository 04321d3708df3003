// SPDX-License-Identifier: BSD-3-Clause
// The only place that calls LAPACK. Matrices are dense and row-major; only work space is allocated.
#pragma once
#include <cstdint>

namespace ebb::inline v0::detail {

/// Factors a (n, n) in place, a = L U P, where U has a unit diagonal; `swaps` must have n elements.
/// Returns the position of the first 0 on the diagonal of L (the pivots), or n if there is none.
template <class T>
std::int64_t factor_lu(std::int64_t n, T* a, int* swaps);
/// b (n, k) = op(a)^-1 b, with the result of `factor_lu`, which must have no pivot of 0.
template <class T>
void solve_lu(std::int64_t n, std::int64_t k, bool transpose, const T* lu, const int* swaps, T* b);

/// The reciprocal of the condition |a| |a^-1| of a matrix with these factors and this norm, which
/// is the largest sum of the absolute values of a row. |a^-1| is estimated from a few solutions,
/// and rarely too small by more than a factor of 3 (Higham 2002, "Accuracy and Stability of
/// Numerical Algorithms", 15.3). All numbers must be finite, and no pivot 0.
template <class T>
double estimate_condition(std::int64_t n, const T* lu, T norm);

/// Replaces the lower triangle of a (n, n), which is the only part that is read, by L with a = L
/// L^T. Returns the position of the first pivot that is not positive, or n if there is none.
template <class T>
std::int64_t factor_cholesky(std::int64_t n, T* a);

/// Replaces the symmetric a (n, n) by its eigenvectors, as columns, in ascending order of the
/// eigenvalues, which are written to w (n). All are NaN if a is not finite. Returns false if the
/// iteration does not converge.
template <class T>
bool decompose_symmetric(std::int64_t n, T* a, T* w);

/// Factors a (m, n) into q (m, k) r (k, n), k = min(m, n), where q has orthonormal columns, and r
/// is upper triangular with a diagonal that is not negative. a is overwritten.
template <class T>
void factor_qr(std::int64_t m, std::int64_t n, T* a, T* q, T* r);

/// Factors a (m, n) into u (m, k) diag(s) vh (k, n), k = min(m, n), with s in descending order. a
/// is overwritten. All are NaN if a is not finite. Returns false if the iteration does not
/// converge.
template <class T>
bool decompose_singular(std::int64_t m, std::int64_t n, T* a, T* u, T* s, T* vh);

}  // namespace ebb::inline v0::detail
