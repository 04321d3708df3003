// SPDX-License-Identifier: BSD-3-Clause
// When a minimisation stops, what it reports on its way, and what it returns.
#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "ebb/autodiff/values/array.hpp"

namespace ebb::inline v0::optim {

/// Why a minimisation stopped.
enum class Reason {
  gradient,     ///< the norm of the gradient is small
  change,       ///< the value changes little
  gap,          ///< the duality gap is small
  target,       ///< the value has reached the target
  iterations,   ///< as many iterations as were allowed
  evaluations,  ///< as many evaluations as were allowed
  time,         ///< as many seconds as were allowed
  line_search,  ///< no step along the direction makes the value smaller
  not_finite,   ///< the value or the gradient is NaN or infinite; x is the last point where it was
                ///< not
  report,       ///< the function that is told of the progress wants no more
};
/// A reason in words.
EBB_API std::string to_string(Reason reason);
EBB_API std::ostream& operator<<(std::ostream& out, Reason reason);

/// A minimisation stops at the first of these that holds.
struct Stop {
  /// The euclidean norm of the gradient is at most this. With constraints or penalties the norm is
  /// that of the gradient mapping, which is 0 at a solution and only there.
  double gradient = 1e-8;
  /// An iteration changes the value by at most this part of it, or of 1 if it is smaller. 0: never.
  double change = 0;
  /// The value is at most this.
  double target = -std::numeric_limits<double>::infinity();
  std::int64_t iterations = 1000;
  /// Calls of the function, with or without its gradient, and products with its Hessian.
  std::int64_t evaluations = std::numeric_limits<std::int64_t>::max();
  double seconds = std::numeric_limits<double>::infinity();
};

/// Where a minimisation is after an iteration.
struct Progress {
  std::int64_t iteration;
  double value, gradient_norm;
  double step;  ///< length of the step along its direction; 0 before the first
  std::int64_t evaluations;
};

/// What is told or kept on the way.
struct Watch {
  /// Called at the start and after every iteration; false ends the minimisation.
  std::function<bool(const Progress& progress)> report = {};
  /// Keeps every point.
  bool path = false;
};

/// Where a minimisation has come to.
template <Real T>
struct Minimum {
  Array<T> x;
  double value, gradient_norm;
  std::int64_t iterations;
  std::int64_t values, gradients, products;  ///< evaluations: alone, with gradient, with Hessian
  Reason reason;
  /// True if the reason is one that was asked for: `gradient`, `change`, `gap` or `target`.
  bool converged() const {
    return reason == Reason::gradient || reason == Reason::change || reason == Reason::gap ||
           reason == Reason::target;
  }
  std::vector<Array<T>> path;  ///< from the start to x, if it was asked for
  /// Of a least-squares fit with more residuals than numbers: the covariance (n, n) of x, for
  /// errors of the residuals that are independent and equally large. Empty otherwise.
  Array<double> covariance;
};

}  // namespace ebb::inline v0::optim
