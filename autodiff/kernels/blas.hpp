// SPDX-License-Identifier: BSD-3-Clause
// The only place that calls OpenBLAS, for matrix products and triangular solves.
#pragma once
#include "ebb/autodiff/values/memory.hpp"

namespace ebb::inline v0::detail {

/// c (m, n) = op(a) (m, k) op(b) (k, n), or c += ...; all matrices are dense and row-major.
/// OpenBLAS is set to one thread on first use, so that results do not depend on the number of
/// threads.
/// @throws ShapeError for a size beyond OpenBLAS's 32-bit integers.
template <class T>
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
          const T* a, const T* b, T* c, bool accumulate);

/// c = op(a) op(b), or c += ..., by the kernels for a single column or row, or for a small b, if
/// there is one.
template <class T>
void product(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
             const T* a, const T* b, T* c, bool accumulate);
/// out (+)= op(a) op(b) of two matrices whose sizes fit.
template <class T>
void product_into(Block* out, Block* a, Block* b, bool transpose_a, bool transpose_b,
                  bool accumulate);

/// A matrix op(b) (k, n) by which many others are multiplied, few rows at a time: OpenBLAS would
/// copy it for each of them. It reads b, which must live longer.
template <class T>
class RightFactor {
 public:
  RightFactor(bool transpose_b, std::int64_t n, std::int64_t k, const T* b);
  /// c (m, n) = a (m, k) op(b), or c += ... Nothing is written past the end of c, and a row of c
  /// does not depend on how many there are, if n fills vectors.
  void multiply(std::int64_t m, const T* a, T* c, bool accumulate) const;

 private:
  bool transpose_b_;
  std::int64_t n_, k_;
  const T* b_;
  BlockHandle packed_;
};

/// Which half of a matrix is used, whether it is transposed, and whether its diagonal is taken for
/// 1.
struct Triangle {
  bool upper = false, transpose = false, unit = false;
};
/// b (n, k) = op(a)^-1 b for a triangular matrix a (n, n) whose diagonal has no 0; row-major.
template <class T>
void solve_triangle(const Triangle& triangle, std::int64_t n, std::int64_t k, const T* a, T* b);

/// Converts a number of rows or columns for OpenBLAS.
/// @throws ShapeError beyond its 32-bit integers.
int blas_size(std::int64_t n);
/// Call it before any function of OpenBLAS that may start threads.
void use_one_thread();

}  // namespace ebb::inline v0::detail
