// SPDX-License-Identifier: BSD-3-Clause
// Least squares with an l1 penalty, of which many weights become exactly 0:
//
//   optim::Lasso problem(x, y, {.strength = 0.1});
//   auto found = optim::minimize(problem, problem.start(), optim::CoordinateDescent{});
//   auto path = optim::lasso_path(problem);  // for a hundred strengths
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "ebb/optim/minimize.hpp"

namespace ebb::inline v0::optim {

namespace detail {
struct Design;
}

struct LassoOptions {
  double strength = 1;  ///< at least 0: of both penalties together
  /// In [0, 1]: how much of it the l1 penalty has. 1 is the lasso, 0 ridge regression, and the
  /// elastic net is between them.
  double ratio = 1;
  bool intercept = true;  ///< a constant, without a penalty, is added to every prediction
};

/// The lasso and the elastic net of features x (n, d) and targets y (n,), as a function of weights
/// w (d,) that is scaled as in scikit-learn:
///
///   |y - x w - intercept|^2 / (2 n) + strength (ratio |w|_1 + (1 - ratio) / 2 |w|^2)
///
/// The intercept is the one that fits the weights best. All is computed in double, and weights are
/// rounded to T at the end. Features should have similar scales, as after data::Standardize, since
/// the penalty knows no units.
template <Real T>
class EBB_API Lasso {
 public:
  /// y has the shape (n,) or (n, 1).
  /// @throws ShapeError unless x and y have the same number of rows, at least one, and x has a
  /// column; ArgumentError for options out of their ranges, and for numbers that are not finite.
  Lasso(const Array<T>& x, const Array<T>& y, LassoOptions options = {});

  EBB_INLINE const LassoOptions& options() const { return options_; }
  /// The problem with another strength; both share their numbers.
  /// @throws ArgumentError for a strength out of its range.
  Lasso with_strength(double strength) const;

  Array<T> start() const;  ///< zeros (d,)
  /// The function at weights (d,).
  double value(const Array<T>& w) const;
  /// The value minus that of a point of the dual problem: a bound of how much it is above the
  /// minimum. The point is the residual, scaled until it is allowed (Fercoq, Gramfort and Salmon
  /// 2015), or, with ridge, the residual itself where that gives the lower bound. For a strength of
  /// 0 it is no smaller than the squared error.
  double gap(const Array<T>& w) const;
  /// The smallest strength for which all weights are 0 at the minimum: max |x_j . y| / (n ratio) of
  /// centred columns. Infinite for a ratio of 0, unless no column has to do with y.
  double largest_strength() const;
  /// The constant that belongs to weights (d,); 0 for options without one.
  double intercept(const Array<T>& w) const;

  /// The squared error / (2 n) as a function of a tensor, for methods by gradients. With
  /// `ProximalGradient{.penalty = problem.penalty()}` it is the whole function.
  std::function<Tensor<T>(const Tensor<T>& w)> smooth_part() const;
  Penalty penalty() const;

  /// What CoordinateDescent minimises, from these weights (d,).
  std::unique_ptr<detail::L1Objective> objective(const Array<T>& start) const;

 private:
  std::shared_ptr<const detail::Design> design_;
  LassoOptions options_;
};

/// The function x . a x / 2 - b . x + strength |x|_1 of x (d,).
template <Real T>
class EBB_API L1Quadratic {
 public:
  /// @throws ShapeError unless a is (d, d) and b is (d,), with d >= 1; ArgumentError for a matrix
  /// that is not symmetric or has a negative number on its diagonal, for a negative strength, and
  /// for numbers that are not finite.
  L1Quadratic(const Array<T>& a, const Array<T>& b, double strength);

  EBB_INLINE double strength() const { return strength_; }
  Array<T> start() const;  ///< zeros (d,)
  /// The function at x (d,).
  double value(const Array<T>& x) const;
  /// The quadratic as a function of a tensor, and the rest, as for a Lasso.
  std::function<Tensor<T>(const Tensor<T>& x)> smooth_part() const;
  Penalty penalty() const;

  /// What CoordinateDescent minimises, from x (d,).
  std::unique_ptr<detail::L1Objective> objective(const Array<T>& start) const;

 private:
  Array<double> a_, b_;
  double strength_;
};

struct LassoPathOptions {
  /// At least 0: the strengths, in any order. If there are none, they are at equal ratios from
  /// the largest strength of the problem down to `least` times that.
  std::vector<double> strengths = {};
  std::int64_t count = 100;  ///< at least 2
  double least = 1e-3;       ///< in (0, 1)
  CoordinateDescent method = {};
  Stop stop = {};  ///< of each strength
};

/// The weights for many strengths, from the largest one down.
template <Real T>
struct LassoPath {
  Array<double> strengths;   ///< (k,)
  Array<T> weights;          ///< (k, d)
  Array<double> intercepts;  ///< (k,)
  Array<double> values;      ///< (k,): the function of each strength
  Array<double> gaps;        ///< (k,): its duality gaps
  std::vector<std::int64_t> iterations;
  std::vector<Reason> reasons;  ///< why each minimisation ended
};

/// Minimises a lasso for many strengths, each from the weights of the one before; the strength of
/// the problem itself is not used.
/// @throws ArgumentError for options out of their ranges, and for a ratio of 0 without a list of
/// strengths.
template <Real T>
EBB_API LassoPath<T> lasso_path(const Lasso<T>& problem, const LassoPathOptions& options = {});

}  // namespace ebb::inline v0::optim
