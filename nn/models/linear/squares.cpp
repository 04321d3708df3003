// SPDX-License-Identifier: BSD-3-Clause
// Least squares with penalties.
#include <algorithm>
#include <cmath>

#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/models/linear/penalized.hpp"
#include "ebb/optim/lasso.hpp"
#include "ebb/optim/linear_fit.hpp"

namespace ebb::inline v0::nn::detail {
namespace {

/// Rows without their means, each times the root of its weight, which on average is 1: without an
/// intercept and with equal weights they have the same minimum.
struct Rows {
  Array<double> x, y, means;
  double y_mean = 0;
};

Rows centred(const LinearProblem& problem, const Array<double>& y) {
  const std::int64_t n = problem.x.shape()[0], d = problem.x.shape()[1];
  Rows rows{Array<double>::uninitialized({n, d}), Array<double>::uninitialized({n}),
            column_means(problem.x, problem.weights, problem.intercept)};
  rows.y_mean = column_means(y.reshape(Shape{n, 1}), problem.weights, problem.intercept).data()[0];
  double* to = rows.x.mutate();
  for (std::int64_t i = 0; i < n; ++i) {
    const double root = std::sqrt(problem.weights[i] * double(n));
    for (std::int64_t j = 0; j < d; ++j)
      *to++ = root * (problem.x[i * d + j] - rows.means.data()[j]);
    rows.y.mutate()[i] = root * (y[i] - rows.y_mean);
  }
  return rows;
}

/// The penalised loss at coefficients (d,).
double value_at(const LinearProblem& problem, const Rows& rows, const Array<double>& w) {
  const std::int64_t n = rows.y.size(), d = w.size();
  double squares = 0, l1 = 0, l2 = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    double error = rows.y[i];
    for (std::int64_t j = 0; j < d; ++j) error -= rows.x[i * d + j] * w[j];
    squares += error * error;
  }
  for (const double e : w) l1 += std::abs(e), l2 += e * e;
  return squares / (2 * double(n)) + problem.l1 * l1 + problem.l2 / 2 * l2;
}

/// In closed form.
void solve_at_once(const LinearProblem& problem, const Rows& rows, LinearSolution& found) {
  const auto n = double(rows.y.size());
  const auto d = double(rows.x.shape()[1]);
  if (d > n) {
    // x = r^T q^T with orthogonal columns of q: the coefficients are q z, as long as z.
    const auto factors = qr(transpose(Tensor<double>(rows.x)));
    solve_at_once(problem, {transpose(factors.r).array(), rows.y, {}}, found);
    found.coefficients = matmul(factors.q, found.coefficients).array();
    return;
  }
  const auto run = [&](optim::LinearSolver solver) {
    return optim::fit_linear(rows.x, rows.y,
                             {.solver = solver, .intercept = false, .ridge = problem.l2 * n});
  };
  Solver solver = problem.solver;
  if (solver == Solver::automatic) {
    solver = n * d * d > 2e7 ? Solver::normal_equations : Solver::qr;
  }
  optim::LinearFit fit;
  bool is_done = false;
  const auto attempt = [&](optim::LinearSolver by, double most) {
    try {
      fit = run(by);
      is_done = problem.solver != Solver::automatic || fit.condition < most;
    } catch (const ArgumentError&) {  // columns depend on others
      if (problem.solver != Solver::automatic) throw;
    }
  };
  // The squares of conditions below 1e4 leave eight digits.
  if (solver == Solver::normal_equations) attempt(optim::LinearSolver::normal_equations, 1e4);
  if (!is_done && solver != Solver::svd) {
    solver = Solver::qr;
    attempt(optim::LinearSolver::qr, 1e13);
  }
  if (!is_done) {
    solver = Solver::svd;
    fit = run(optim::LinearSolver::svd);
    const bool is_dependent = !(fit.condition < 1e13);
    if (is_dependent && problem.l2 == 0) {
      fit.warning =
          "some features depend on others, so that many coefficients fit equally well; these are "
          "the shortest; leave some features out, or add l2";
    }
  }
  found.coefficients = fit.coefficients;
  found.solution = {to_string(solver), "closed form", true, 1};
  found.warning = fit.warning;
}

/// By coordinate descent, whose duality gap proves how close it is.
void descend(const LinearProblem& problem, const Rows& rows, LinearSolution& found) {
  const double strength = problem.l1 + problem.l2;
  const optim::Lasso lasso(rows.x, rows.y,
                           {.strength = strength,
                            .ratio = strength > 0 ? problem.l1 / strength : 1,
                            .intercept = false});
  const double steepest = strength > 0 ? lasso.largest_strength() * lasso.options().ratio : 1;
  const double unit = std::isfinite(steepest) && steepest > 0 ? steepest : 1;
  const auto minimum =
      optim::minimize(lasso, lasso.start(), optim::CoordinateDescent{.gap = 0},
                      {.gradient = problem.tolerance * unit, .iterations = problem.iterations});
  found.coefficients = minimum.x;
  const double whole = lasso.value(lasso.start());
  // What is left is below rounding.
  const bool is_proved =
      minimum.reason == optim::Reason::line_search && lasso.gap(minimum.x) <= 1e-12 * whole;
  found.solution = {to_string(Solver::coordinate_descent), to_string(minimum.reason),
                    minimum.converged() || is_proved, minimum.iterations};
}

}  // namespace

LinearSolution minimize_squares(const std::string& who, const LinearProblem& problem,
                                const Array<double>& y) {
  check_options(who, problem);
  const Solver solver = problem.solver;
  const bool is_closed =
      solver == Solver::qr || solver == Solver::svd || solver == Solver::normal_equations;
  if (!(solver == Solver::automatic || solver == Solver::coordinate_descent ||
        (problem.sparse && solver == Solver::conjugate_gradients && problem.l1 == 0) ||
        (is_closed && problem.l1 == 0))) {
    throw ArgumentError(who + ": the solver " + to_string(solver) + " is not for squares" +
                        (problem.l1 > 0 ? " with l1; take automatic or coordinate_descent"
                                        : "; take automatic, qr, svd, normal_equations or "
                                          "coordinate_descent"));
  }
  if (problem.sparse) return minimize_sparse_squares(who, problem, y);
  const Rows rows = centred(problem, y);
  LinearSolution found;
  if (problem.l1 > 0 || solver == Solver::coordinate_descent) {
    descend(problem, rows, found);
  } else {
    solve_at_once(problem, rows, found);
  }
  found.solution.value = value_at(problem, rows, found.coefficients);
  double intercept = rows.y_mean;
  for (std::int64_t j = 0; j < rows.means.size(); ++j)
    intercept -= rows.means[j] * found.coefficients[j];
  found.intercept = Array<double>::of({problem.intercept ? intercept : 0});
  found.coefficients = found.coefficients.reshape(Shape{1, rows.means.size()});
  return found;
}

}  // namespace ebb::inline v0::nn::detail
