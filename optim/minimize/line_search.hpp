// SPDX-License-Identifier: BSD-3-Clause
// How far to go along a direction.
#pragma once
#include <variant>

#include "ebb/optim/minimize/run.hpp"

namespace ebb::inline v0::optim {

/// Always the same step times the direction. If the value or the gradient is then not finite, the
/// minimisation ends before it.
struct FixedStep {
  double step = 1e-2;  ///< above 0
};

/// The step 1 / L, where L is the largest eigenvalue of the Hessian in magnitude at the start, from
/// power iteration on products with it. With it, descent on a function whose gradient has the
/// Lipschitz constant L gets lower at every iteration.
struct InverseLipschitz {
  std::int64_t iterations = 50;  ///< at least 1; of the power iteration
};

/// Backtracking (Armijo 1966): the first step of first, shrink first, shrink^2 first, ... at which
/// f(x + step d) <= f(x) + decrease step g . d.
struct Armijo {
  double first = 1;        ///< above 0
  double decrease = 1e-4;  ///< in (0, 1)
  double shrink = 0.5;     ///< in (0, 1)
};

/// A step that meets Armijo's condition and bounds the slope along the direction, too: at least
/// `curvature` times the slope at its start (the weak condition of Wolfe 1969), or, if it is
/// strong, that in magnitude. It brackets and interpolates by cubics (Nocedal and Wright 2006,
/// algorithms 3.5 and 3.6).
struct Wolfe {
  double first = 1;        ///< above 0
  double decrease = 1e-4;  ///< in (0, curvature)
  double curvature = 0.9;  ///< in (decrease, 1)
  bool strong = true;
};

/// The steps of Barzilai and Borwein (1988), s . s / s . y of the last change s of x and y of the
/// gradient; halved until the value is below the largest of the last ten (Grippo, Lampariello and
/// Lucidi 1986). For descent only.
struct BarzilaiBorwein {
  double first = 1e-3;    ///< above 0
  bool is_short = false;  ///< s . y / y . y instead
};

using Search = std::variant<FixedStep, InverseLipschitz, Armijo, Wolfe, BarzilaiBorwein>;

namespace detail {

/// @throws ArgumentError for options out of their ranges.
void check_search(const Armijo& search);
void check_search(const Wolfe& search);

/// Looks for a step along d from `at`. `first` is tried first. Returns the step, and the point
/// there with its gradient; 0 if there is none, as where d does not go down, and then `next` is
/// unspecified.
double line_search(const Armijo& search, Run& run, const Point& at, const Vector& d, double first,
                   Point& next);
double line_search(const Wolfe& search, Run& run, const Point& at, const Vector& d, double first,
                   Point& next);

}  // namespace detail
}  // namespace ebb::inline v0::optim
