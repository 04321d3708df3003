// SPDX-License-Identifier: BSD-3-Clause
// The operations on vectors and matrices; see ops.hpp for what is common to all.
#pragma once
#include <string_view>
#include <vector>

#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {

// clang-format off

/// Whether the last two axes of an operand change places first
struct MatmulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
};
/// Matrix product of (..., m, k) and (..., k, n): axes before the last two are batches, which
/// broadcast. A vector is a row on the left and a column on the right. PyTorch: transposes by x.mT;
/// here options do it without a copy
template <Real T>
EBB_API Tensor<T> matmul(const Operand<T>& a, const Operand<T>& b, MatmulOptions options = {});
/// x weight^T + bias in one record: x (n, in), weight (out, in), bias (out,). PyTorch: x with any
/// number of axes, for which there is `reshape`, and no bias, which is `matmul`
template <Real T>
EBB_API Tensor<T> linear(const Operand<T>& x, const Operand<T>& weight, const Operand<T>& bias);
/// a . b of two vectors of one size
template <Real T> EBB_API Tensor<T> dot(const Operand<T>& a, const Operand<T>& b);
/// out[i, j] = a[i] b[j] of two vectors
template <Real T> EBB_API Tensor<T> outer(const Operand<T>& a, const Operand<T>& b);
/// The elements (i, i + offset) of a matrix; of a vector, the square matrix that has them there
template <Real T> EBB_API Tensor<T> diag(const Operand<T>& x, std::int64_t offset = 0);
/// The sum of the elements (i, i) of a matrix
template <Real T> EBB_API Tensor<T> trace(const Operand<T>& x);
/// The elements (i, j) with j <= i + offset of the last two axes, zeros elsewhere
template <Real T> EBB_API Tensor<T> tril(const Operand<T>& x, std::int64_t offset = 0);
/// The elements (i, j) with j >= i + offset of the last two axes, zeros elsewhere
template <Real T> EBB_API Tensor<T> triu(const Operand<T>& x, std::int64_t offset = 0);
/// Products of elements summed over the letters that the output lacks: "bij,bjk->bik" names the
/// axes of each operand and of the result, "..." stands for axes that broadcast, and without "->"
/// the letters that come once are the output, in order. A letter twice in one operand is its
/// diagonal; its sizes are equal everywhere. Operands are joined from left to right. PyTorch: a
/// size of 1 stretches, which here only "..." does, since it hides mistakes; lists of axes in the
/// place of letters; an order of products that it searches for
EBB_API Tensor<float> einsum(std::string_view equation,
                             const std::vector<Tensor<float>>& operands);
EBB_API Tensor<double> einsum(std::string_view equation,
                              const std::vector<Tensor<double>>& operands);

// Equations and factors of one matrix. PyTorch: batches of matrices, too, which here are a loop, as
// they are inside of LAPACK

/// x with a x = b, for a vector b (n,) or the columns of b (n, k). A singular a is refused.
/// PyTorch: left=False for x a = b, which here are transposes
template <Real T> EBB_API Tensor<T> solve(const Operand<T>& a, const Operand<T>& b);
/// Which triangle of a counts, whether it is transposed, and whether its diagonal is taken as 1
struct TriangularOptions {
  bool upper = false;
  bool transpose = false;
  bool unit_triangular = false;
};
/// `solve` with a triangle of a: the lower one unless told. A 0 on the diagonal is refused.
/// PyTorch: linalg.solve_triangular must be told which; the function of this name has b first and
/// takes the upper one; a 0 gives infinity, whose cause is hard to find later
template <Real T>
EBB_API Tensor<T> triangular_solve(const Operand<T>& a, const Operand<T>& b,
                                   TriangularOptions options = {});
/// The inverse of a square matrix. A singular one is refused. PyTorch: linalg.inv
template <Real T> EBB_API Tensor<T> inverse(const Operand<T>& a);
/// The lower triangular L with L L^T = (a + a^T) / 2. A matrix that is not positive definite is
/// refused. PyTorch: reads one triangle, so that an a that is not symmetric passes for another, and
/// gives the upper factor on demand
template <Real T> EBB_API Tensor<T> cholesky(const Operand<T>& a);
/// The determinant; of a singular matrix it is 0 and has its first and second derivatives; beyond
/// them a sweep is refused, though the derivatives exist
template <Real T> EBB_API Tensor<T> det(const Operand<T>& a);
/// The logarithm of the determinant: NaN if that is negative, -inf if it is 0, where a sweep is
/// refused. PyTorch: of a singular matrix a gradient of infinities or NaN, whose cause is hard to
/// find later
template <Real T> EBB_API Tensor<T> logdet(const Operand<T>& a);
/// A determinant that may be beyond the range of numbers
template <Real T>
struct SignAndLog {
  Tensor<T> sign;       ///< 1, -1 or 0; no gradient goes back
  Tensor<T> logabsdet;  ///< the logarithm of its size; -inf if it is 0
};
/// The sign of the determinant and the logarithm of its size; of a singular matrix a sweep is
/// refused. PyTorch: then a gradient of infinities or NaN, whose cause is hard to find later
template <Real T> EBB_API SignAndLog<T> slogdet(const Operand<T>& a);
/// (a + a^T) / 2 = vectors diag(values) vectors^T
template <Real T>
struct Eigenpairs {
  Tensor<T> values;   ///< (n,), ascending
  Tensor<T> vectors;  ///< (n, n), a column each, of length 1; their signs are arbitrary
};
/// The eigenvalues of the symmetric part of a matrix, and their vectors. Where values repeat the
/// vectors have no gradient: a sweep that needs it is refused. PyTorch: reads one triangle, so that
/// an a that is not symmetric passes for another; a gradient of infinities or NaN where values
/// repeat
template <Real T> EBB_API Eigenpairs<T> eigh(const Operand<T>& a);
/// a = q r with k = min(m, n)
template <Real T>
struct QR {
  Tensor<T> q;  ///< (m, k), with orthonormal columns
  Tensor<T> r;  ///< (k, n), upper triangular
};
/// Factors of a (m, n). The diagonal of r is not negative, which makes them unique for full rank;
/// for a rank below k a sweep is refused. PyTorch: signs as they come; a square q or none, by mode,
/// of which the first has no gradient
template <Real T> EBB_API QR<T> qr(const Operand<T>& a);
/// a = u diag(s) vh with k = min(m, n)
template <Real T>
struct SVD {
  Tensor<T> u;   ///< (m, k), with orthonormal columns
  Tensor<T> s;   ///< (k,), descending
  Tensor<T> vh;  ///< (k, n), with orthonormal rows; the sign of a row and of u's column is arbitrary
};
/// The reduced singular value decomposition of a (m, n). Where values repeat, or are 0 unless m =
/// n, the vectors have no gradient: a sweep that needs it is refused. PyTorch: full_matrices=False;
/// the full one has vectors without a gradient. A gradient of infinities or NaN where values repeat
template <Real T> EBB_API SVD<T> svd(const Operand<T>& a);
/// The x that minimises |a x - b|, of a (m, n) with rank n and b (m,) or (m, k); any other rank is
/// refused. PyTorch: of any rank and m < n, where x is one of many; residuals, rank and singular
/// values as well, which have operations of their own
template <Real T> EBB_API Tensor<T> lstsq(const Operand<T>& a, const Operand<T>& b);

// clang-format on

}  // namespace ebb::inline v0
