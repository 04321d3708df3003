// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/kernels/blas.hpp"

#include <cblas.h>

#include <algorithm>
#include <limits>

#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {

// With more threads OpenBLAS gives other bits, and it starts as many as there are cores.
void use_one_thread() {
  static const bool done = (openblas_set_num_threads(1), true);
  (void)done;
}

namespace {

template <class T>
void small_product(bool ta, bool tb, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                   const T* b, T* c, bool accumulate) {
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      T s = 0;
      for (std::int64_t p = 0; p < k; ++p) {
        s += (ta ? a[p * m + i] : a[i * k + p]) * (tb ? b[j * k + p] : b[p * n + j]);
      }
      c[i * n + j] = accumulate ? c[i * n + j] + s : s;
    }
  }
}

/// @throws ShapeError for (m, k) x (k, n) that OpenBLAS cannot count.
void check_sizes(std::int64_t m, std::int64_t n, std::int64_t k) {
  constexpr std::int64_t limit = std::numeric_limits<blasint>::max();
  if (m <= limit && n <= limit && k <= limit) return;
  throw ShapeError("matmul: sizes (" + std::to_string(m) + ", " + std::to_string(k) + ") x (" +
                   std::to_string(k) + ", " + std::to_string(n) +
                   ") are beyond the 32-bit integers of OpenBLAS; split the product");
}

}  // namespace

template <class T>
void gemm(bool ta, bool tb, std::int64_t m, std::int64_t n, std::int64_t k, const T* a, const T* b,
          T* c, bool accumulate) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    if (!accumulate) std::fill_n(c, m * n, T(0));
    return;
  }
  check_sizes(m, n, k);
  const auto M = blasint(m), N = blasint(n), K = blasint(k);
  const auto op_a = ta ? CblasTrans : CblasNoTrans, op_b = tb ? CblasTrans : CblasNoTrans;
  const T beta = accumulate ? T(1) : T(0);
  use_one_thread();
  if constexpr (sizeof(T) == 4) {
    cblas_sgemm(CblasRowMajor, op_a, op_b, M, N, K, 1, a, ta ? M : K, b, tb ? K : N, beta, c, N);
  } else {
    cblas_dgemm(CblasRowMajor, op_a, op_b, M, N, K, 1, a, ta ? M : K, b, tb ? K : N, beta, c, N);
  }
}
EBB_FOR_REALS(gemm)

namespace {

/// c (m,) = a (m, n) b (n,), or adds that, by OpenBLAS.
template <class T>
void gemv(std::int64_t m, std::int64_t n, const T* a, const T* b, T* c, bool accumulate) {
  check_sizes(m, 1, n);
  const auto M = blasint(m), N = blasint(n);
  // Some versions keep a NaN in c with a beta of 0.
  if (!accumulate) std::fill_n(c, m, T(0));
  use_one_thread();
  if constexpr (sizeof(T) == 4) {
    cblas_sgemv(CblasRowMajor, CblasNoTrans, M, N, 1, a, N, b, 1, 1, c, 1);
  } else {
    cblas_dgemv(CblasRowMajor, CblasNoTrans, M, N, 1, a, N, b, 1, 1, c, 1);
  }
}

/// The product by the kernel that suits the sizes.
template <class T>
EBB_INLINE void choose_product(bool ta, bool tb, std::int64_t m, std::int64_t n, std::int64_t k,
                               const T* a, const T* b, T* c, bool accumulate) {
  if (k == 0 || m == 0 || n == 0) {
    if (!accumulate) std::fill_n(c, m * n, T(0));
  } else if (n == 1 && !ta && !accumulate) {
    kernels<T>().rows_dot(c, a, b, 0, m, k);
  } else if (n == 1 && ta) {
    kernels<T>().rows_combine(c, a, b, k, m, accumulate);
  } else if (m == 1 && !tb) {
    kernels<T>().rows_combine(c, b, a, k, n, accumulate);
  } else if (m == 1 && !accumulate) {
    kernels<T>().rows_dot(c, b, a, 0, n, k);
  } else if (m == 1 && tb && n * k > 64) {
    // A product of matrices would pack the whole of b for one row.
    gemv(n, k, b, a, c, accumulate);
  } else if (m * n * k <= 64) {
    small_product(ta, tb, m, n, k, a, b, c, accumulate);
  } else if (!kernels<T>().product(ta, tb, m, n, k, a, b, c, accumulate)) {
    gemm(ta, tb, m, n, k, a, b, c, accumulate);
  }
}

}  // namespace

template <class T>
void product(bool ta, bool tb, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
             const T* b, T* c, bool accumulate) {
  choose_product(ta, tb, m, n, k, a, b, c, accumulate);
}
EBB_FOR_REALS(product)

template <class T>
EBB_HOT void product_into(Block* out, Block* a, Block* b, bool ta, bool tb, bool accumulate) {
  choose_product(ta, tb, a->shape[ta ? 1 : 0], b->shape[tb ? 0 : 1], a->shape[ta ? 0 : 1],
                 a->data<T>(), b->data<T>(), out->data<T>(), accumulate);
}
EBB_FOR_REALS(product_into)

template <class T>
RightFactor<T>::RightFactor(bool transpose_b, std::int64_t n, std::int64_t k, const T* b)
    : transpose_b_(transpose_b), n_(n), k_(k), b_(b) {
  if (n == 0 || k == 0) return;
  BlockHandle packed(allocate({n * k}, sizeof(T)));
  if (kernels<T>().pack(transpose_b, n, k, b, packed->data<T>())) packed_ = std::move(packed);
}

template <class T>
void RightFactor<T>::multiply(std::int64_t m, const T* a, T* c, bool accumulate) const {
  if (packed_) {
    kernels<T>().packed_product(m, n_, k_, a, packed_->data<T>(), c, accumulate);
  } else if (m * n_ * k_ <= 64) {
    small_product(false, transpose_b_, m, n_, k_, a, b_, c, accumulate);
  } else {
    gemm(false, transpose_b_, m, n_, k_, a, b_, c, accumulate);
  }
}
template class RightFactor<float>;
template class RightFactor<double>;

template <class T>
void solve_triangle(const Triangle& triangle, std::int64_t n, std::int64_t k, const T* a, T* b) {
  if (n == 0 || k == 0) return;
  const auto N = blas_size(n), K = blas_size(k);
  const auto half = triangle.upper ? CblasUpper : CblasLower;
  const auto op_a = triangle.transpose ? CblasTrans : CblasNoTrans;
  const auto diagonal = triangle.unit ? CblasUnit : CblasNonUnit;
  use_one_thread();
  if constexpr (sizeof(T) == 4) {
    cblas_strsm(CblasRowMajor, CblasLeft, half, op_a, diagonal, N, K, 1, a, N, b, K);
  } else {
    cblas_dtrsm(CblasRowMajor, CblasLeft, half, op_a, diagonal, N, K, 1, a, N, b, K);
  }
}
EBB_FOR_REALS(solve_triangle)

int blas_size(std::int64_t n) {
  if (n <= std::numeric_limits<blasint>::max()) return int(n);
  throw ShapeError("a matrix with " + std::to_string(n) +
                   " rows or columns is beyond the 32-bit integers of OpenBLAS");
}

}  // namespace ebb::inline v0::detail
