// SPDX-License-Identifier: BSD-3-Clause
// LAPACK, through the interface of xtensor-blas. LAPACK is column-major, and reads a row-major
// matrix as its transpose: each function here factors the transpose, and needs no copy.
#include "ebb/autodiff/kernels/lapack.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>
// The second header needs the first.
#include <xflens/cxxblas/auxiliary/debugmacro.h>
#include <xflens/cxxlapack/cxxlapack.cxx>

#include "ebb/autodiff/kernels/blas.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
namespace {

/// Calls f(work, size) twice: to ask for the best size of the work space, and with that size.
template <class T, class F>
int with_work(F f) {
  T best = 0;
  if (const int info = f(&best, -1)) return info;
  // The size may have been rounded down to a float.
  std::vector<T> work(std::size_t(double(best) * 1.0000002) + 1);
  return f(work.data(), int(work.size()));
}

/// True if all numbers are finite; otherwise an iteration may not end.
template <class T>
bool is_finite(const T* x, std::int64_t n) {
  return std::all_of(x, x + n, [](T v) { return std::isfinite(v); });
}

template <class T>
constexpr T nan = std::numeric_limits<T>::quiet_NaN();

}  // namespace

template <class T>
std::int64_t factor_lu(std::int64_t n, T* a, int* swaps) {
  if (n == 0) return 0;
  use_one_thread();
  const int N = blas_size(n), info = cxxlapack::getrf<int>(N, N, a, N, swaps);
  return info > 0 ? info - 1 : n;
}
EBB_FOR_REALS(factor_lu)

template <class T>
void solve_lu(std::int64_t n, std::int64_t k, bool transpose, const T* lu, const int* swaps, T* b) {
  const auto swap_rows = [=](std::int64_t i) {
    const std::int64_t j = swaps[i] - 1;
    if (i != j) std::swap_ranges(b + i * k, b + (i + 1) * k, b + j * k);
  };
  // a = L U P; LAPACK sees a^T = P^T U^T L^T.
  const Triangle lower{.transpose = transpose}, upper{true, transpose, true};
  if (transpose) {
    for (std::int64_t i = 0; i < n; ++i) swap_rows(i);
    solve_triangle(upper, n, k, lu, b);
    solve_triangle(lower, n, k, lu, b);
  } else {
    solve_triangle(lower, n, k, lu, b);
    solve_triangle(upper, n, k, lu, b);
    for (std::int64_t i = n; i-- > 0;) swap_rows(i);
  }
}
EBB_FOR_REALS(solve_lu)

template <class T>
double estimate_condition(std::int64_t n, const T* lu, T norm) {
  if (n == 0) return 1;
  use_one_thread();
  std::vector<T> work(std::size_t(4 * n));
  std::vector<int> integers(static_cast<std::size_t>(n));
  const int N = blas_size(n);
  T condition = 0;
  // The sums of rows are those of the columns of the transpose.
  cxxlapack::gecon<int>('1', N, lu, N, norm, condition, work.data(), integers.data());
  return double(condition);
}
EBB_FOR_REALS(estimate_condition)

template <class T>
std::int64_t factor_cholesky(std::int64_t n, T* a) {
  if (n == 0) return 0;
  use_one_thread();
  const int N = blas_size(n), info = cxxlapack::potrf<int>('U', N, a, N);
  return info > 0 ? info - 1 : n;
}
EBB_FOR_REALS(factor_cholesky)

template <class T>
bool decompose_symmetric(std::int64_t n, T* a, T* w) {
  if (n == 0) return true;
  if (!is_finite(a, n * n)) {
    std::fill_n(a, n * n, nan<T>);
    std::fill_n(w, n, nan<T>);
    return true;
  }
  use_one_thread();
  const int N = blas_size(n);
  int best = 0;
  std::vector<int> integers(1);
  const int info = with_work<T>([&](T* work, int size) {
    const bool ask = size < 0;
    if (!ask) integers.resize(std::size_t(best));
    int* const room = ask ? &best : integers.data();
    return cxxlapack::syevd<int>('V', 'U', N, a, N, w, work, size, room, ask ? -1 : best);
  });
  // The vectors are in rows now.
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < i; ++j) std::swap(a[i * n + j], a[j * n + i]);
  }
  return info == 0;
}
EBB_FOR_REALS(decompose_symmetric)

template <class T>
void factor_qr(std::int64_t m, std::int64_t n, T* a, T* q, T* r) {
  const std::int64_t k = std::min(m, n);
  if (k == 0) return;
  use_one_thread();
  const int M = blas_size(m), N = blas_size(n), K = int(k);
  // a^T = r^T q^T, which LAPACK calls LQ.
  std::vector<T> tau(std::size_t(k), T(0));
  with_work<T>(
      [&](T* work, int size) { return cxxlapack::gelqf<int>(N, M, a, N, tau.data(), work, size); });
  for (std::int64_t i = 0; i < k; ++i) {
    std::fill_n(r + i * n, i, T(0));
    std::copy_n(a + i * n + i, n - i, r + i * n + i);
  }
  with_work<T>([&](T* work, int size) {
    return cxxlapack::orglq<int>(K, M, K, a, N, tau.data(), work, size);
  });
  for (std::int64_t i = 0; i < m; ++i) std::copy_n(a + i * n, k, q + i * k);
  for (std::int64_t j = 0; j < k; ++j) {
    if (!(r[j * n + j] < 0)) continue;
    for (std::int64_t i = j; i < n; ++i) r[j * n + i] = -r[j * n + i];
    for (std::int64_t i = 0; i < m; ++i) q[i * k + j] = -q[i * k + j];
  }
}
EBB_FOR_REALS(factor_qr)

template <class T>
bool decompose_singular(std::int64_t m, std::int64_t n, T* a, T* u, T* s, T* vh) {
  const std::int64_t k = std::min(m, n);
  if (k == 0) return true;
  if (!is_finite(a, m * n)) {
    std::fill_n(u, m * k, nan<T>);
    std::fill_n(s, k, nan<T>);
    std::fill_n(vh, k * n, nan<T>);
    return true;
  }
  use_one_thread();
  const int M = blas_size(m), N = blas_size(n), K = int(k);
  // a^T = vh^T diag(s) u^T
  std::vector<int> integers(std::size_t(8 * k));
  return with_work<T>([&](T* work, int size) {
           return cxxlapack::gesdd<int>('S', N, M, a, N, s, vh, N, u, K, work, size,
                                        integers.data());
         }) == 0;
}
EBB_FOR_REALS(decompose_singular)

}  // namespace ebb::inline v0::detail
