// SPDX-License-Identifier: BSD-3-Clause
// The solvers of linear estimators, and what they say of their end.
#pragma once
#include <cstdint>
#include <limits>
#include <string>

#include "ebb/autodiff/values/fields.hpp"

namespace ebb::inline v0::nn {

/// How the coefficients of a linear estimator are found.
enum class Solver {
  automatic,            ///< by the loss, the penalty and the number of rows and columns
  qr,                   ///< of squares without l1: in closed form, exact
  svd,                  ///< of squares without l1: the shortest where columns depend on others
  normal_equations,     ///< of squares without l1: the fastest, with half the digits
  coordinate_descent,   ///< with l1; of other losses than squares on a quadratic in every iteration
  proximal_gradient,    ///< of other losses than squares with l1: for many columns
  newton,               ///< of other losses than squares, without l1: for few columns
  lbfgs,                ///< of other losses than squares, without l1: for many columns
  conjugate_gradients,  ///< of squares without l1, of sparse rows: for many columns
};
/// The name of a solver, as it is written above.
EBB_API std::string to_string(Solver solver);
namespace detail {
EBB_API void each_solver(Fields& field, Solver& solver);
}  // namespace detail

/// How a solver ended.
struct EBB_API Solution {
  std::string solver;      ///< the one that was taken
  std::string reason;      ///< why it stopped, in words
  bool converged = false;  ///< whether that is where the penalised loss is least
  std::int64_t iterations = 0;
  /// The mean loss with its penalty at the coefficients.
  double value = std::numeric_limits<double>::quiet_NaN();

  void each(Fields& field);
};

}  // namespace ebb::inline v0::nn
