// SPDX-License-Identifier: BSD-3-Clause
// Coordinate descent on quadratic functions with an l1 penalty.
#pragma once
#include <span>

#include "ebb/optim/minimize/run.hpp"

namespace ebb::inline v0::optim {

/// One coordinate after another moves to where the function is least along it, which is a soft
/// threshold (Friedman, Hastie and Tibshirani 2010): for a Lasso or an L1Quadratic, from
/// ebb/optim/lasso.hpp.
///
/// An iteration is a sweep over a working set: the coordinates that are not 0, and those at 0 whose
/// slope exceeds the penalty most. Once a sweep changes little, the gradient of all coordinates is
/// evaluated, which alone counts as an evaluation, and a new set is chosen. The norm of the
/// gradient is that of the shortest subgradient.
struct CoordinateDescent {
  /// At least 0: ends where the duality gap proves that the value is above the minimum by at most
  /// this part of the value at 0. An L1Quadratic has no such proof, and ends by what Stop says.
  double gap = 1e-8;
  /// After some sweeps that change no sign, Newton's step in the coordinates that are not 0, as far
  /// as their signs stay. It needs a Cholesky factor of their part of the quadratic, and is left
  /// out where there is none, and for more than 2048 coordinates.
  bool accelerate = true;
};

namespace detail {

/// The function x . A x / 2 - b . x + constant + l1 |x|_1, with A positive semidefinite. Its value
/// and gradient as an Objective are those without the l1 penalty.
class EBB_API L1Objective : public Objective {
 public:
  virtual double l1() const = 0;
  /// A(j, j), at least 0.
  virtual double curvature(std::size_t j) const = 0;
  /// The elements of A at these rows and columns, row by row; empty if there are so many of them
  /// that `slope` and `move` are the cheaper way.
  virtual Vector block(std::span<const std::size_t> members) = 0;
  /// b(j) - (A x)(j), where x is the last point whose gradient was evaluated, as changed by `move`.
  virtual double slope(std::size_t j, const Vector& x) = 0;
  /// Says that x(j) has grown by this much.
  virtual void move(std::size_t j, double change) = 0;
  /// A bound of how much the value at x, with this gradient, is above the minimum, as a part of the
  /// value at 0. Infinite where there is none.
  virtual double relative_gap(const Point& at) = 0;
};

Point descend(const CoordinateDescent& method, L1Objective& f, Run& run);

}  // namespace detail
}  // namespace ebb::inline v0::optim
