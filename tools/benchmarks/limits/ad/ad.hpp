// SPDX-License-Identifier: BSD-3-Clause
// Gradients written by hand, one function for each problem by which tools for automatic
// differentiation are compared: plain loops with the functions of the C++ library. The caller owns
// all arrays, row-major, without room past their ends; none of the functions allocates.
#pragma once
#include <cstdint>

namespace limits {

/// log(sum(e^x)) of n numbers and its gradient g, the softmax.
double log_sum_exp(const double* x, double* g, std::int64_t n);

/// sum((s - powers x)^2) / 2 of n points and its gradient g in the m <= 32 coefficients x. `powers`
/// (m, n) has those of each point in a column; n is a multiple of 32.
double least_squares(const double* powers, const double* s, const double* x, double* g,
                     std::int64_t n, std::int64_t m);

/// The sum of the squared distances of n points (n, d) from the nearest of k centres (k, d); its
/// gradient and the diagonal of its Hessian, (k, d) each. `room` has (d + 1) (k + 16) numbers.
double kmeans(const double* points, const double* centres, double* gradient, double* hessian,
              double* room, std::int64_t n, std::int64_t k, std::int64_t d);

}  // namespace limits
