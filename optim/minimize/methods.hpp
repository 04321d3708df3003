// SPDX-License-Identifier: BSD-3-Clause
// The methods for smooth functions without constraints: their options, and what runs them.
#pragma once
#include "ebb/autodiff/values/fields.hpp"
#include "ebb/optim/minimize/line_search.hpp"

namespace ebb::inline v0::optim {

struct LBFGS;
namespace detail {
Point descend(const LBFGS& method, Run& run);
}  // namespace detail

/// Along the negative gradient.
struct GradientDescent {
  Search search = FixedStep{};
};

/// Along the negative subgradient, for convex functions with kinks: the value may rise on the way.
/// x is the best point of all. Steps are first / sqrt(iteration), in units of length.
struct Subgradient {
  double first = 1;      ///< above 0
  bool average = false;  ///< x is the mean of all points instead, weighted by their steps
};

/// Nonlinear conjugate gradients: d <- -g + beta d, and back to -g where that does not go down.
struct ConjugateGradient {
  enum class Beta {
    polak_ribiere,     ///< g . (g - g0) / g0 . g0, at least 0
    fletcher_reeves,   ///< g . g / g0 . g0
    hestenes_stiefel,  ///< g . (g - g0) / d . (g - g0), at least 0
    dai_yuan,          ///< g . g / d . (g - g0)
  };
  Beta beta = Beta::polak_ribiere;
  Wolfe search = {.curvature = 0.1};
};

/// The method of Broyden, Fletcher, Goldfarb and Shanno, with an approximate inverse of the Hessian
/// (n, n).
struct BFGS {
  Wolfe search = {};
};

/// Where L-BFGS is, and what it has learned: a part of a snapshot. A minimisation that is given one
/// keeps it up to date; one that is given what a snapshot has restored goes on from there, whatever
/// its start is, and comes to the same bits as one that was not interrupted. The memory of another
/// function is refused by its value; `clear()` it before another minimisation:
///
///     optim::LBFGSMemory memory;
///     // load_snapshot("run.safetensors", {{"memory", memory}});  to go on
///     minimize(f, start, LBFGS{.memory = &memory}, {}, {.report = [&](const auto&) {
///                save_snapshot("run.safetensors", {{"memory", memory}});
///                return true;
///              }});
class EBB_API LBFGSMemory {
 public:
  bool empty() const { return x_.empty(); }
  /// Forgets everything: the next minimisation begins at its start.
  void clear() { *this = {}; }
  std::int64_t iterations() const { return iterations_; }  ///< so far
  /// The elements of the point where it is (n,).
  Array<double> x() const;
  /// Visits all of it.
  void each(Fields& field);

 private:
  friend detail::Point detail::descend(const LBFGS& method, detail::Run& run);
  detail::Vector x_, gradient_;
  double value_ = 0, length_ = 0;
  bool knows_curvature_ = false;
  std::int64_t iterations_ = 0, values_ = 0, gradients_ = 0;
  std::vector<detail::Change> pairs_;  // the oldest first
};

/// BFGS from the last `history` changes of x and of the gradient alone (Nocedal 1980), for many
/// variables.
struct LBFGS {
  std::int64_t history = 10;  ///< at least 1
  Wolfe search = {};
  LBFGSMemory* memory = nullptr;  ///< if there is one, it is kept up to date, and gone on from
};

/// Newton's method, H d = -g, with a multiple of 1 added to the Hessian H where it is not positive
/// definite (Nocedal and Wright 2006, algorithm 3.3), and backtracking.
struct Newton {
  Armijo search = {};
};

/// Newton's method by conjugate gradients on products with the Hessian, which end early far from
/// the solution and where the curvature is not positive (Nocedal and Wright 2006, algorithm 7.1).
struct NewtonCG {
  Armijo search = {};
};

/// The quadratic model in a ball, by conjugate gradients on products with the Hessian (Steihaug
/// 1983). The ball grows where the model is good and shrinks where it is not.
struct TrustRegion {
  double first = 1;      ///< above 0: the radius of the first ball
  double largest = 1e3;  ///< at least `first`
  double accept = 1e-4;  ///< in [0, 0.25): least part of the predicted decrease
};

/// Residuals r(x), minimising r . r / 2: J d = -r by least squares, with backtracking.
struct GaussNewton {
  Armijo search = {};
};

/// Residuals r(x), minimising r . r / 2: (J^T J + damping D) d = -J^T r, where D has the largest
/// diagonal of J^T J so far (More 1978), by least squares. The damping follows the ratio of the
/// actual and the predicted decrease (Nielsen 1999).
struct LevenbergMarquardt {
  double first = 1e-3;  ///< above 0: damping, in units of the diagonal of J^T J
};

namespace detail {

/// The point that a method comes to.
Point descend(const GradientDescent& method, Run& run);
Point descend(const Subgradient& method, Run& run);
Point descend(const ConjugateGradient& method, Run& run);
Point descend(const BFGS& method, Run& run);
Point descend(const LBFGS& method, Run& run);
Point descend(const Newton& method, Run& run);
Point descend(const NewtonCG& method, Run& run);
Point descend(const TrustRegion& method, Run& run);

/// The largest magnitude of an eigenvalue of the Hessian, by power iteration.
double largest_curvature(Run& run, const Vector& x, std::int64_t iterations);

}  // namespace detail
}  // namespace ebb::inline v0::optim
