// SPDX-License-Identifier: BSD-3-Clause
// Linear least squares in closed form, with what statistics says of it.
#pragma once
#include <cstdint>
#include <string>

#include "ebb/autodiff/values/array.hpp"

namespace ebb::inline v0::optim {

enum class LinearSolver {
  qr,                ///< orthogonal: loses as many digits as the condition number has
  svd,               ///< orthogonal; where columns depend on others, the solution of least norm
  normal_equations,  ///< (x^T x) w = x^T y: the fastest, and loses twice as many digits
};

struct LinearFitOptions {
  LinearSolver solver = LinearSolver::qr;
  bool intercept = true;  ///< a last coefficient that is added to every prediction
  /// At least 0: adds ridge |w|^2 to the squared error, without the intercept.
  double ridge = 0;
};

/// The w that minimises |x w - y|^2, and how sure it is.
struct LinearFit {
  Array<double> coefficients;  ///< (d,), or (d + 1,) with the intercept last
  /// Of each coefficient, for errors that are independent and equally large. Empty with ridge, for
  /// as many coefficients as rows, and where columns depend on others.
  Array<double> standard_errors;
  double
      residual_deviation;  ///< sqrt(squared error / (n - coefficients)); NaN for n = coefficients
  /// 1 - squared error / that of the mean, or of 0 without an intercept.
  double r2;
  /// What the features explain over what is left, each by its degrees of freedom.
  double f;
  double condition;  ///< largest over smallest singular value of x with its column of ones
  /// Empty, or what is wrong with the numbers above.
  std::string warning;
};

/// Fits y (n,) or (n, 1) by the features x (n, d).
/// @throws ShapeError unless x and y have the same number of rows, at least one; ArgumentError for
/// fewer rows than coefficients, and for columns that depend on others, both but for `svd` and with
/// ridge; for a negative ridge, and numbers that are not finite.
template <Real T>
EBB_API LinearFit fit_linear(const Array<T>& x, const Array<T>& y, LinearFitOptions options = {});

}  // namespace ebb::inline v0::optim
