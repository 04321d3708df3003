// SPDX-License-Identifier: BSD-3-Clause
// Minimising the mean loss of linear predictors with a penalty on their coefficients:
//
//   sum_i s_i loss_i(x_i w + b) + l1 |w|_1 + l2 / 2 |w|^2,  where the weights s_i of rows add up to
//   1
//
// The intercept b has no penalty. Features are centred and scaled on the way, so that solvers do
// not depend on their units; the penalty is that of the coefficients as they are returned.
#pragma once
#include <functional>
#include <optional>

#include "ebb/autodiff/values/tensor.hpp"
#include "ebb/nn/models/estimators/inputs.hpp"
#include "ebb/nn/models/estimators/solution.hpp"

namespace ebb::inline v0::nn::detail {

/// What all linear problems have.
struct LinearProblem {
  Array<double> x;                           ///< (n, d); empty for
  std::optional<SparseRows<double>> sparse;  ///< sparse rows (n, d)
  Array<double> weights;                     ///< (n,), which add up to 1
  double l1 = 0, l2 = 0;
  bool intercept = true;
  Solver solver = Solver::automatic;
  double tolerance = 1e-8;
  std::int64_t iterations = 1000;

  void take(const Features& features);
  Features features() const;
  std::int64_t rows() const { return sparse ? sparse->rows() : x.shape()[0]; }
  std::int64_t columns() const { return sparse ? sparse->columns() : x.shape()[1]; }
};

/// The problem that the options of an estimator say, before it has rows.
template <class Options>
LinearProblem problem_of(const Options& options) {
  LinearProblem problem;
  if constexpr (requires { options.l1; }) problem.l1 = options.l1;
  if constexpr (requires { options.l2; }) problem.l2 = options.l2;
  if constexpr (requires { options.solver; }) problem.solver = options.solver;
  if constexpr (requires { options.tolerance; }) problem.tolerance = options.tolerance;
  if constexpr (requires { options.iterations; }) problem.iterations = options.iterations;
  problem.intercept = options.intercept;
  return problem;
}

/// The losses of rows, (n,), given their predictors: (n,), or (n, outputs) for more than one
/// output; and given further numbers (extra,), which have no penalty.
using LossOfRows =
    std::function<Tensor<double>(const Tensor<double>& predictors, const Tensor<double>& extra)>;

/// A problem with a smooth, convex loss.
struct SmoothProblem : LinearProblem {
  SmoothProblem() = default;
  explicit SmoothProblem(const LinearProblem& known) : LinearProblem(known) {}

  LossOfRows loss;
  std::int64_t outputs = 1;
  /// Whether the loss stays as it is where all outputs of a row grow by the same number.
  bool is_invariant = false;
  Array<double> intercept_start = {};  ///< (outputs,); empty: zeros
  Array<double> extra_start = {};      ///< empty: there are none
};

struct LinearSolution {
  Array<double> coefficients;  ///< (outputs, d)
  Array<double> intercept;     ///< (outputs,); zeros without one
  Array<double> extra;
  Solution solution;
  std::string warning;
};

/// @throws ArgumentError, which starts with `who`, for options out of their ranges, and for a
/// solver that does not fit.
LinearSolution minimize_smooth(const std::string& who, const SmoothProblem& problem);

/// The loss (y - x w - b)^2 / 2, for y (n,).
LinearSolution minimize_squares(const std::string& who, const LinearProblem& problem,
                                const Array<double>& y);

/// minimize_squares for sparse rows, of options that were checked.
LinearSolution minimize_sparse_squares(const std::string& who, const LinearProblem& problem,
                                       const Array<double>& y);

/// @throws ArgumentError, which starts with `who`, for options out of their ranges.
void check_options(const std::string& who, const LinearProblem& problem);

/// The weighted means of the columns of x (n, d), or zeros if they should not be taken away.
Array<double> column_means(const Array<double>& x, const Array<double>& weights, bool centre);

}  // namespace ebb::inline v0::nn::detail
