// SPDX-License-Identifier: BSD-3-Clause
// LU factors of square matrices, what is read from them, and how singular they are.
#pragma once
#include "ebb/autodiff/ops/linear_algebra/batch.hpp"

namespace ebb::inline v0::detail {

/// The LU factors of square matrices, (..., n + 1, n). An operation and its gradients of every
/// order share them as an operand without a derivative. The last row of each has the exchanges of
/// rows.
/// @throws ShapeError, which names the operation, if the matrices are not square.
template <class T>
Array<T> lu_factors(std::string_view name, const Operand<T>& a);

/// Factors for equations: those that are given; but for a matrix whose reciprocal condition is
/// below the eps of T, those of the matrix with its rows, then its columns scaled by powers of two,
/// which bring the largest number of each near 1. Such factors are scaled back, which is exact. So
/// diag(1e-300, 1e300) is not singular.
/// @throws ArgumentError, which names the operation, the matrix and the consequence, for a matrix
/// that is singular within the rounding of T with such scales, too, or whose factors overflow.
template <class T>
Array<T> regular_factors(std::string_view name, const Operand<T>& a, Array<T> factors,
                         const char* consequence = "");
/// True if determinants and their derivatives may go by way of inverses, which lose digits as the
/// condition grows: no reciprocal condition is below 0.03 / n^2, which that of a matrix of random
/// numbers rarely is.
template <class T>
bool are_well_conditioned(const Tensor<T>& a, const Array<T>& factors);

/// op(a)^-1 b, with the axes of one batch.
template <class T>
Block* solve_block(bool transpose, Block* b, const Array<T>& factors);
/// The sign of the determinant of each matrix and the logarithm of its absolute value (..., 2); or
/// the determinant of matrix i.
template <class T>
void sign_and_log(const Array<T>& factors, T* result);
template <class T>
double determinant(const Array<T>& factors, std::int64_t i = 0);

/// @throws ShapeError, which names the operation, unless the matrices are square.
void check_square(std::string_view name, const Shape& a);
/// The batch of a system of equations, whose matrix has this name in messages.
/// @throws ShapeError, which names the operation, unless the right-hand side fits the matrices.
Shape check_system(std::string_view name, const Shape& a, const Shape& b, const char* letter = "a");

}  // namespace ebb::inline v0::detail
