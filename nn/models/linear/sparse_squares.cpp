// SPDX-License-Identifier: BSD-3-Clause
// Least squares with penalties of sparse rows, in the memory of their non-zeros.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/models/linear/penalized.hpp"
#include "ebb/nn/models/linear/sparse_design.hpp"

namespace ebb::inline v0::nn::detail {
namespace {

using Numbers = Array<double>;

/// Columns of which the matrix of products is made; more would take much memory and time.
constexpr std::int64_t most_in_matrix = 512;

double dot_of(const Numbers& a, const Numbers& b) { return dot(a, b).item(); }

/// The problem without means: the loss is sum_i s_i (y_i - z_i w)^2 / 2.
struct Squares {
  const LinearProblem& problem;
  SparseDesign z;
  Numbers y;  ///< (n,), without its mean

  Numbers residual(const Numbers& w) const {
    return (y - reshape(z.times(reshape(w, {1, w.size()})), {y.size()})).array();
  }
  /// The direction in which the loss with its l2 penalty falls, for the residual at w.
  Numbers downhill(const Numbers& residual, const Numbers& w) const {
    return (z.transposed_times((problem.weights * residual).array()) - problem.l2 * w).array();
  }
  double value(const Numbers& w) const {
    const Numbers e = residual(w);
    return dot_of((problem.weights * e).array(), e) / 2 + problem.l1 * sum(abs(w)).item() +
           problem.l2 / 2 * dot_of(w, w);
  }
};

/// The spectrum of a symmetric matrix; what is below rounding has no part in solutions, which are
/// then the shortest.
struct Spectrum {
  Numbers values, vectors;
  double least;

  explicit Spectrum(const Numbers& matrix) {
    const auto parts = eigh(matrix);
    values = parts.values.array();
    vectors = parts.vectors.array();
    const std::int64_t d = values.size();
    least = std::fmax(values[d - 1], 0) * double(d) * 1e-14;
  }
  bool is_singular() const { return !(values[0] > least); }
  Numbers solve(const Numbers& b) const {
    Numbers parts = matmul(transpose(vectors), b).array();
    double* const to = parts.mutate();
    for (std::int64_t i = 0; i < parts.size(); ++i)
      to[i] = values[i] > least ? to[i] / values[i] : 0;
    return matmul(vectors, parts).array();
  }
};

/// By the products of all columns, and a few steps that give back the digits that these lose.
void solve_at_once(const Squares& squares, LinearSolution& found) {
  const std::int64_t d = squares.z.means.size();
  const Numbers all = squares.z.gram(squares.problem.weights);
  Numbers matrix = slice(slice(all, 0, {0, d}), 1, {0, d}).array();
  auto scales = Numbers::uninitialized({d});
  for (std::int64_t j = 0; j < d; ++j) {
    double& diagonal = matrix.mutate()[j * d + j];
    diagonal += squares.problem.l2;
    scales.mutate()[j] = diagonal > 0 && squares.z.deviations[j] > 0 ? std::sqrt(diagonal) : 1;
  }
  const Numbers products = outer(scales, scales).array();
  // In units of the columns what depends on others is seen best.
  Spectrum spectrum((matrix / products).array());
  const bool is_singular = spectrum.is_singular();
  if (is_singular) {
    scales = Numbers::ones({d});
    spectrum = Spectrum(matrix);
  }
  auto w = Numbers::zeros({d});
  double before = std::numeric_limits<double>::infinity();
  for (int k = 0; k < 10; ++k) {
    const Numbers left = squares.downhill(squares.residual(w), w);
    const Numbers step = (spectrum.solve((left / scales).array()) / scales).array();
    const double length = std::sqrt(dot_of(step, step));
    if (!(length < before)) break;  // what is left is rounding
    w = (w + step).array();
    before = length / 2;
  }
  found.coefficients = w;
  found.solution = {to_string(Solver::normal_equations), "closed form", true, 1};
  // A column of zeros, whose coefficient is 0, depends on nothing.
  const auto zeros = std::count(squares.z.deviations.begin(), squares.z.deviations.end(), 0.0);
  const auto below = std::count_if(spectrum.values.begin(), spectrum.values.end(),
                                   [&](double e) { return !(e > spectrum.least); });
  if (squares.problem.l2 == 0 && below > zeros) {
    found.warning =
        "some features depend on others, so that many coefficients fit equally well; these are "
        "the shortest; leave some features out, or add l2";
  }
}

/// Conjugate gradients of the normal equations (Hestenes and Stiefel 1952), with the residual of
/// the rows, and not of their products. From 0 they lead to the shortest coefficients.
void conjugate_gradients(const Squares& squares, LinearSolution& found) {
  const std::int64_t d = squares.z.means.size();
  const double l2 = squares.problem.l2;
  // Columns in units of their curvature; without a penalty the shortest coefficients are wanted.
  auto units = Numbers::ones({d});
  for (std::int64_t j = 0; j < d && l2 > 0; ++j)
    units.mutate()[j] = 1 / std::hypot(squares.z.deviations[j], std::sqrt(l2));
  auto w = Numbers::zeros({d});
  Numbers e = squares.y, s = (units * squares.downhill(e, w)).array(), p = s;
  double square = dot_of(s, s), best = square;
  const double start = square, whole = dot_of((squares.problem.weights * e).array(), e);
  std::int64_t iterations = 0, still = 0;
  const std::int64_t most = std::max<std::int64_t>(1000, 20 * d);
  bool is_done = square == 0;
  // After many steps in which neither the gradient nor the value falls, what is left is rounding.
  while (!is_done && iterations < most && still < 100) {
    const Numbers along = (units * p).array();
    const Numbers q = reshape(squares.z.times(reshape(along, {1, d})), {e.size()}).array();
    const double curvature =
        dot_of((squares.problem.weights * q).array(), q) + l2 * dot_of(along, along);
    if (!(curvature > 0)) break;
    const double length = square / curvature, fall = length * square;
    w = (w + length * along).array();
    e = (e - length * q).array();
    ++iterations;
    s = (units * squares.downhill(e, w)).array();
    const double next = dot_of(s, s);
    p = (s + next / square * p).array();
    square = next;
    is_done = square <= start * 1e-28;
    still = square < best * 0.5 || fall > whole * 1e-15 ? 0 : still + 1;
    best = std::fmin(best, square);
  }
  const bool is_converged = is_done || best <= start * 1e-18;
  found.coefficients = w;
  found.solution = {to_string(Solver::conjugate_gradients),
                    is_converged         ? "the gradient is small"
                    : iterations == most ? "all iterations are done"
                                         : "the value falls no more",
                    is_converged, iterations};
}

/// The elements of sparse rows, column by column.
struct Columns {
  std::vector<std::int64_t> offsets, rows;
  std::vector<double> values;

  explicit Columns(const SparseRows<double>& x)
      : offsets(std::size_t(x.columns() + 1), 0),
        rows(std::size_t(x.nonzeros())),
        values(std::size_t(x.nonzeros())) {
    for (std::int64_t i = 0; i < x.rows(); ++i)
      for (const std::int64_t j : x.row(i).columns) ++offsets[std::size_t(j + 1)];
    for (std::size_t j = 1; j < offsets.size(); ++j) offsets[j] += offsets[j - 1];
    auto next = offsets;
    for (std::int64_t i = 0; i < x.rows(); ++i) {
      const auto row = x.row(i);
      for (std::size_t k = 0; k < row.columns.size(); ++k) {
        const auto at = std::size_t(next[std::size_t(row.columns[k])]++);
        rows[at] = i;
        values[at] = row.values[k];
      }
    }
  }
};

/// Coordinate descent with an l1 penalty: one coefficient after another, of all columns and then of
/// those alone that are not 0. The residual is kept without the shift of all rows by the means.
class Descent {
 public:
  explicit Descent(const Squares& squares)
      : problem_(squares.problem),
        z_(squares.z),
        columns_(squares.z.x),
        w_(Numbers::zeros({squares.z.means.size()})),
        residual_(squares.y.begin(), squares.y.end()) {}

  void run(LinearSolution& found) {
    const std::int64_t d = w_.size();
    std::vector<std::int64_t> all, active;
    for (std::int64_t j = 0; j < d; ++j)
      if (z_.deviations[j] > 0) all.push_back(j);
    double steepest = 0;
    for (const std::int64_t j : all) steepest = std::fmax(steepest, std::abs(slope(j)));
    const double small = problem_.tolerance * steepest;
    std::int64_t sweeps = 0;
    bool is_done = steepest == 0;
    double before = std::numeric_limits<double>::infinity();
    while (!is_done && sweeps < problem_.iterations) {
      const double norm = sweep(all);
      ++sweeps;
      active.clear();
      for (const std::int64_t j : all)
        if (w_[j] != 0) active.push_back(j);
      for (double inner = norm; inner > norm * 1e-2 && inner > small / 4; ++sweeps) {
        if (sweeps >= problem_.iterations) break;
        inner = sweep(active);
      }
      const double now = subgradient(all);
      is_done = now <= small || (now <= 100 * small && now >= before);  // what is left is rounding
      before = now;
    }
    found.coefficients = w_;
    found.solution = {to_string(Solver::coordinate_descent),
                      is_done ? "the gradient is small" : "all iterations are done", is_done,
                      sweeps};
  }

 private:
  /// z_j^T s residual.
  double slope(std::int64_t j) const {
    double sum = 0;
    for_each(j, [&](std::int64_t i, double v) {
      sum += problem_.weights.data()[i] * v * residual_[std::size_t(i)];
    });
    return sum + shift_ * z_.means.data()[j];
  }
  template <class F>
  void for_each(std::int64_t j, const F& f) const {
    const auto first = std::size_t(columns_.offsets[std::size_t(j)]);
    const auto last = std::size_t(columns_.offsets[std::size_t(j + 1)]);
    for (std::size_t k = first; k < last; ++k) f(columns_.rows[k], columns_.values[k]);
  }
  void move(std::int64_t j, double to) {
    const double change = to - w_[j];
    for_each(j, [&](std::int64_t i, double v) { residual_[std::size_t(i)] -= change * v; });
    shift_ += change * z_.means.data()[j];
    w_.mutate()[j] = to;
  }
  /// Returns the largest subgradient that a coefficient had before it moved.
  double sweep(const std::vector<std::int64_t>& list) {
    double largest = 0;
    for (const std::int64_t j : list) {
      const double g = slope(j) - problem_.l2 * w_[j];
      const double part = subgradient_of(w_[j], g);
      if (part == 0) continue;
      largest = std::fmax(largest, std::abs(part));
      const double deviation = z_.deviations.data()[j], curvature = deviation * deviation;
      const double at = g + (curvature + problem_.l2) * w_[j];
      const double past = std::fmax(std::abs(at) - problem_.l1, 0);
      move(j, std::copysign(past, at) / (curvature + problem_.l2));
    }
    return largest;
  }
  double subgradient_of(double w, double g) const {
    if (w != 0) return g - std::copysign(problem_.l1, w);
    return std::fmax(std::abs(g) - problem_.l1, 0);
  }
  /// The norm of the shortest subgradient.
  double subgradient(const std::vector<std::int64_t>& list) const {
    double square = 0;
    for (const std::int64_t j : list) {
      const double part = subgradient_of(w_[j], slope(j) - problem_.l2 * w_[j]);
      square += part * part;
    }
    return std::sqrt(square);
  }

  const LinearProblem& problem_;
  const SparseDesign& z_;
  Columns columns_;
  Numbers w_;
  std::vector<double> residual_;
  double shift_ = 0;  ///< of all residuals
};

}  // namespace

LinearSolution minimize_sparse_squares(const std::string& who, const LinearProblem& problem,
                                       const Numbers& y) {
  const Solver solver = problem.solver;
  if (solver == Solver::qr || solver == Solver::svd) {
    throw ArgumentError(who + ": the solver " + to_string(solver) +
                        " is not for sparse rows; take automatic, normal_equations, "
                        "conjugate_gradients or coordinate_descent");
  }
  const std::int64_t n = y.size(), d = problem.columns();
  const double mean =
      column_means(y.reshape(Shape{n, 1}), problem.weights, problem.intercept).data()[0];
  const Squares squares{problem, SparseDesign(*problem.sparse, problem.weights, problem.intercept),
                        (y - mean).array()};
  LinearSolution found;
  const bool is_automatic = solver == Solver::automatic;
  if (problem.l1 > 0 || solver == Solver::coordinate_descent) {
    Descent(squares).run(found);
  } else if (solver == Solver::normal_equations || (is_automatic && d <= most_in_matrix)) {
    solve_at_once(squares, found);
  } else {
    conjugate_gradients(squares, found);
  }
  found.solution.value = squares.value(found.coefficients);
  const double intercept = mean - dot_of(squares.z.means, found.coefficients);
  found.intercept = Numbers::of({problem.intercept ? intercept : 0});
  found.coefficients = found.coefficients.reshape(Shape{1, d});
  return found;
}

}  // namespace ebb::inline v0::nn::detail
