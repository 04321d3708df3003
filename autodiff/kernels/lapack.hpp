// SPDX-License-Identifier: BSD-3-Clause
// The one door to LAPACK. Matrices are dense and row-major; nothing here allocates but work space.
#pragma once
#include <cstdint>

namespace ebb::inline v0::detail {

/// Factors a (n, n) in place, a = L U P with U of unit diagonal; `swaps` has room for n numbers.
/// Returns the position of the first 0 on the diagonal of L, the pivots, or n if there is none.
template <class T>
std::int64_t factor_lu(std::int64_t n, T* a, int* swaps);
/// b (n, k) = op(a)^-1 b with what `factor_lu` made of a, which has no pivot of 0.
template <class T>
void solve_lu(std::int64_t n, std::int64_t k, bool transpose, const T* lu, const int* swaps, T* b);

/// The lower triangle of a (n, n), which alone is read, becomes L with a = L L^T. Returns the
/// position of the first pivot that is not positive, or n if there is none.
template <class T>
std::int64_t factor_cholesky(std::int64_t n, T* a);

/// The symmetric a (n, n) becomes its eigenvectors, as columns, in the ascending order of their
/// values, which go to w (n). All are NaN if a is not finite. Returns false if the iteration does
/// not converge.
template <class T>
bool decompose_symmetric(std::int64_t n, T* a, T* w);

/// a (m, n) becomes q (m, k) r (k, n), k = min(m, n), where q has orthonormal columns and r is
/// upper triangular with a diagonal that is not negative; a is used up.
template <class T>
void factor_qr(std::int64_t m, std::int64_t n, T* a, T* q, T* r);

/// a (m, n) becomes u (m, k) diag(s) vh (k, n), k = min(m, n), s in descending order; a is used up.
/// All are NaN if a is not finite. Returns false if the iteration does not converge.
template <class T>
bool decompose_singular(std::int64_t m, std::int64_t n, T* a, T* u, T* s, T* vh);

}  // namespace ebb::inline v0::detail
