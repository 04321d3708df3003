// SPDX-License-Identifier: BSD-3-Clause
// The operations on vectors and matrices; see ops.hpp for the properties that all operations share.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "ebb/autodiff/values/number.hpp"
#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {

// clang-format off

/// Options of matmul: whether the last two axes of an operand are swapped first
struct MatmulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
};
/// Matrix product of (..., m, k) and (..., k, n). Axes before the last two are batches, which
/// broadcast. A vector is a row on the left and a column on the right. `SparseRows` (n, in) times a
/// matrix or a vector have gradients in that alone.
/// @pytorch transposes by x.mT; the options do it without a copy.
template <Real T>
EBB_API Tensor<T> matmul(const Operand<T>& a, const Operand<T>& b, MatmulOptions options = {});
EBB_REFUSE_MIXED(matmul)
/// x weight^T + bias: x (..., in), weight (out, in), bias (out,). It is one record for x (n, in).
/// x may also be `SparseRows`, in which there is no gradient.
/// @pytorch also takes no bias: write `matmul`.
template <Real T>
EBB_API Tensor<T> linear(const Operand<T>& x, const Operand<T>& weight, const Operand<T>& bias);
/// a . b for two vectors of one size.
template <Real T> EBB_API Tensor<T> dot(const Operand<T>& a, const Operand<T>& b);
/// The cross product along an axis of the result, on which both must have 3 elements; the other
/// axes broadcast.
/// @pytorch calls it linalg.cross, which takes arrays with one number of axes.
template <Real T>
EBB_API Tensor<T> cross(const Operand<T>& a, const Operand<T>& b, int axis = -1);
/// The Kronecker product: every element of a times all of b, as blocks. Both have three axes at
/// most; axes of size 1 stand before those of the one that has fewer.
/// @pytorch takes any number of axes.
template <Real T> EBB_API Tensor<T> kron(const Operand<T>& a, const Operand<T>& b);
/// The powers 1, x, x^2, ..., x^(n - 1) of each element, (..., n) for x (...), in columns; from the
/// highest with `decreasing`, as NumPy has them. `matmul(vander(x, n), c)` is the polynomial with
/// the coefficients c (n,), of which c[0] is the constant. Slopes at 0 are right at every order.
/// @pytorch calls it linalg.vander, which takes no scalar; its vander is decreasing.
template <Real T>
EBB_API Tensor<T> vander(const Operand<T>& x, std::int64_t n, bool decreasing = false);
/// A matrix of matrices, row by row: `block({{a, b}, {c, d}})` has a beside b, and both above c and
/// d. The heights within a row must be equal, and so must the widths of all rows, which may have
/// different numbers of parts. Axes before the last two must be equal.
/// @pytorch has no such operation: write cat twice.
EBB_API Tensor<float> block(const std::vector<std::vector<Tensor<float>>>& rows);
EBB_API Tensor<double> block(const std::vector<std::vector<Tensor<double>>>& rows);
/// The distances (..., n, m) between all rows of a (..., n, d) and of b (..., m, d): the p-norms of
/// their differences, p > 0. Axes before the last two broadcast. The slope is that of `norm`, 0
/// between equal rows. Each difference is taken before it is squared, so that rows that are near
/// each other lose no digits. A gradient for p other than 1 and 2, and one of higher order, takes
/// memory for n m d numbers.
/// @pytorch takes products in place of the differences if n or m is above 25, which loses the
/// digits of near rows, unless compute_mode forbids it; and p = 0, which is no norm.
template <Real T>
EBB_API Tensor<T> cdist(const Operand<T>& a, const Operand<T>& b, double p = 2);
/// out[i, j] = a[i] b[j] for two vectors
template <Real T> EBB_API Tensor<T> outer(const Operand<T>& a, const Operand<T>& b);
/// The elements (i, i + offset) of a matrix; for a vector, the square matrix with these elements
/// and zeros.
template <Real T> EBB_API Tensor<T> diag(const Operand<T>& x, std::int64_t offset = 0);
/// The sum of the elements (i, i) of a matrix
template <Real T> EBB_API Tensor<T> trace(const Operand<T>& x);
/// The elements (i, j) with j <= i + offset of the last two axes; zeros elsewhere
template <Real T> EBB_API Tensor<T> tril(const Operand<T>& x, std::int64_t offset = 0);
/// The elements (i, j) with j >= i + offset of the last two axes; zeros elsewhere
template <Real T> EBB_API Tensor<T> triu(const Operand<T>& x, std::int64_t offset = 0);
/// Options of lower_triangle: whether the packed elements are row by row, as PyTorch's tril_indices
/// has them, in place of column by column, as LAPACK packs them.
struct PackedOptions {
  detail::ByName only_by_name = detail::ByName();
  bool by_rows = false;
};
/// Lower triangles (..., d, d) of packed elements (..., d (d + 1) / 2), column by column: of a, b,
/// c, d, e, f the rows are (a, 0, 0), (b, d, 0), (c, e, f). With a `diagonal` (..., d) the packed
/// elements (..., d (d - 1) / 2) are those below it: of a, b, c and a diagonal x, y, z the rows are
/// (x, 0, 0), (a, y, 0), (b, c, z). The axes before the last must be equal. For l with a positive
/// diagonal, as exp(x), `matmul(l, l, {.transpose_b = true})` is positive definite.
/// @pytorch has no such operation: it assigns to elements at tril_indices.
template <Real T>
EBB_API Tensor<T> lower_triangle(const Operand<T>& packed, PackedOptions options = {});
template <Real T>
EBB_API Tensor<T> lower_triangle(const Operand<T>& packed, const Operand<T>& diagonal,
                                 PackedOptions options = {});
/// Sums of products over the letters that the output lacks. "bij,bjk->bik" names the axes of each
/// operand and of the result; "..." means axes that broadcast. Without "->" the output has the
/// letters that occur once, in alphabetical order. A letter that occurs twice in one operand takes
/// its diagonal. All axes of one letter must have the same size. Operands are joined from left to
/// right.
/// @pytorch stretches a size of 1, which hides mistakes (write "..."); takes lists of axes in place
/// of letters; and searches for an order of the products.
EBB_API Tensor<float> einsum(std::string_view equation,
                             const std::vector<Tensor<float>>& operands);
EBB_API Tensor<double> einsum(std::string_view equation,
                              const std::vector<Tensor<double>>& operands);

// Linear equations, and factors of matrices: the last two axes are those of a matrix, and each
// matrix of a batch is treated alone.

/// The x with a x = b, for a (..., n, n), and a vector b (n,) or the columns of b (..., n, k).
/// Axes before the last two broadcast. An a that is singular to working precision is an error:
/// 1 / (|a| |a^-1|), as estimated, is below eps, even with its rows and columns scaled by powers of
/// two.
/// @pytorch also takes left=False, for x a = b: write transposes. It takes b with one axis less
/// than a for vectors: write `unsqueeze`.
template <Real T> EBB_API Tensor<T> solve(const Operand<T>& a, const Operand<T>& b);
/// Options of triangular_solve: which triangle of a is used, whether it is transposed, and whether
/// its diagonal is taken for 1.
struct TriangularOptions {
  bool upper = false;
  bool transpose = false;
  bool unit_triangular = false;
};
/// The x with t x = b, where t is a triangle of a (..., n, n): the lower one, unless `upper`; b is
/// as for `solve`. A 0 on the diagonal is an error; a poor condition is not, since such systems are
/// solved accurately.
/// @pytorch calls it linalg.solve_triangular, which must be told the triangle; its triangular_solve
/// takes b first, and the upper triangle. A 0 on the diagonal gives infinity.
template <Real T>
EBB_API Tensor<T> triangular_solve(const Operand<T>& a, const Operand<T>& b,
                                   TriangularOptions options = {});
/// The inverse of square matrices (..., n, n). A matrix that is singular to working precision is an
/// error, as for `solve`.
/// @pytorch calls it linalg.inv.
template <Real T> EBB_API Tensor<T> inverse(const Operand<T>& a);
/// The lower triangular L with L L^T = (a + a^T) / 2, for a (..., n, n). A matrix that is not
/// positive definite is an error.
/// @pytorch reads one triangle, so that a matrix that is not symmetric is taken for another one,
/// and also gives the upper factor.
template <Real T> EBB_API Tensor<T> cholesky(const Operand<T>& a);
/// The x with l l^T x = b, where l (..., n, n) is a lower triangle, as of `cholesky`, and b as for
/// `solve`. What stands above the diagonal of l is not read; a 0 on it is an error.
/// @pytorch takes b first, and also the upper factor: write its transpose.
template <Real T> EBB_API Tensor<T> cholesky_solve(const Operand<T>& l, const Operand<T>& b);
/// The power a^k of square matrices (..., n, n): the identity for k = 0, and powers of the inverse
/// for k < 0, where a matrix that is singular to working precision is an error, as for `solve`.
template <Real T> EBB_API Tensor<T> matrix_power(const Operand<T>& a, std::int64_t k);
/// 1 + a + a^2 / 2 + a^3 / 6 + ... for square matrices (..., n, n), by scaling, a rational
/// approximation, and squaring (Al-Mohy and Higham 2009).
template <Real T> EBB_API Tensor<T> matrix_exp(const Operand<T>& a);
/// The determinants (...) of a (..., n, n). Near singular matrices their derivatives are cofactors,
/// without an inverse: they are as accurate there as elsewhere, at every order.
template <Real T> EBB_API Tensor<T> det(const Operand<T>& a);
/// The logarithm of the determinants (...) of a (..., n, n): NaN if the determinant is negative;
/// -inf if it is 0, where a sweep throws.
/// @pytorch has a gradient of infinities or NaN for a singular matrix.
template <Real T> EBB_API Tensor<T> logdet(const Operand<T>& a);
/// The determinant as its sign and the logarithm of its absolute value, which cannot overflow
template <Real T>
struct SignAndLog {
  Tensor<T> sign;  ///< (...): 1, -1 or 0, with a gradient of 0
  Tensor<T> logabsdet;  ///< (...): the logarithm of |determinant|; -inf if it is 0
};
/// The sign of the determinants of a (..., n, n), and the logarithm of their absolute value. For a
/// matrix that is singular to working precision, as for `solve`, a sweep throws.
/// @pytorch has a gradient of infinities or NaN for a singular matrix.
template <Real T> EBB_API SignAndLog<T> slogdet(const Operand<T>& a);
/// The eigenvalues and eigenvectors of a symmetric matrix: (a + a^T) / 2 = vectors diag(values)
/// vectors^T.
template <Real T>
struct Eigenpairs {
  Tensor<T> values;   ///< (..., n), ascending
  Tensor<T> vectors;  ///< (..., n, n), the columns, of length 1, with arbitrary signs
};
/// The eigenvalues of the symmetric part of matrices (..., n, n), and their vectors. Vectors of
/// repeated values have no gradient: a sweep that needs it throws.
/// @pytorch reads one triangle, so that a matrix that is not symmetric is taken for another one; it
/// has a gradient of infinities or NaN where values repeat.
template <Real T> EBB_API Eigenpairs<T> eigh(const Operand<T>& a);
/// The factors of a = q r, with k = min(m, n)
template <Real T>
struct QR {
  Tensor<T> q;  ///< (..., m, k), with orthonormal columns
  Tensor<T> r;  ///< (..., k, n), upper triangular
};
/// The factors q and r of a (..., m, n). The diagonal of r is not negative, which makes them unique
/// for full rank. For a rank below k, by the measure of `lstsq`, a sweep throws.
/// @pytorch has arbitrary signs, and by mode a square q, without a gradient, or no q.
template <Real T> EBB_API QR<T> qr(const Operand<T>& a);
/// The factors of a = u diag(s) vh, with k = min(m, n)
template <Real T>
struct SVD {
  Tensor<T> u;   ///< (..., m, k), with orthonormal columns
  Tensor<T> s;   ///< (..., k), descending
  /// (..., k, n), with orthonormal rows; a row and its column of u have one arbitrary sign.
  Tensor<T> vh;
};
/// The reduced singular value decomposition of a (..., m, n). Vectors of repeated values, or of
/// values of 0 unless m = n, have no gradient: a sweep that needs it throws.
/// @pytorch needs full_matrices=False; the full decomposition has vectors without a gradient. It
/// has a gradient of infinities or NaN where values repeat.
template <Real T> EBB_API SVD<T> svd(const Operand<T>& a);
/// Options of pinv: what part of the largest singular value counts as 0, with all below. Without it
/// that is max(m, n) eps.
struct PinvOptions {
  std::optional<double> rcond = {};
};
/// The pseudo-inverse (..., n, m) of a (..., m, n), by singular values: for independent columns
/// (a^T a)^-1 a^T. Where the rank changes it jumps; its slope is that among matrices of one rank
/// (Golub and Pereyra 1973).
/// @pytorch calls it linalg.pinv and rcond rtol; it also takes atol, and hermitian.
template <Real T> EBB_API Tensor<T> pinv(const Operand<T>& a, PinvOptions options = {});
/// Options of lstsq: whether, for m < n, the shortest of all solutions is wanted
struct LstsqOptions {
  bool least_norm = false;
};
/// The x that minimises |a x - b|, for a (..., m, n) of rank n, and a vector b (m,) or the columns
/// of b (..., m, k). With `least_norm` a may also have m < n and rank m; then x is the shortest of
/// all with a x = b. Axes before the last two broadcast. Any other rank is an error: a column
/// depends on those before it (for m < n, a row) if what they leave of it is less than max(m, n)
/// eps times its own norm. The columns may be of any scale.
/// @pytorch takes any rank, which `svd` does, too, and m < n without a word; it also returns
/// residuals, rank and singular values, for which there are other operations.
template <Real T>
EBB_API Tensor<T> lstsq(const Operand<T>& a, const Operand<T>& b, LstsqOptions options = {});

// clang-format on

}  // namespace ebb::inline v0
