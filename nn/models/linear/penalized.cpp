// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/linear/penalized.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/nn/models/estimators/checks.hpp"
#include "ebb/nn/models/linear/proximal_newton.hpp"
#include "ebb/nn/models/linear/sparse_design.hpp"
#include "ebb/optim/minimize.hpp"

namespace ebb::inline v0::nn::detail {
namespace {

using Numbers = Array<double>;

void check(const std::string& who, bool holds, const char* what, double value) {
  if (!holds) throw ArgumentError(who + ": " + what + ", not " + ebb::detail::to_text(value));
}

/// Parameters of which a Hessian is made; more would take much memory and time.
constexpr double most_for_newton = 512;

/// Coordinates in which the features have mean 0 and deviation 1: x w + b = z v + c, where
/// w = map v for one output. Sparse rows stay as they are, and w is made of v for every product.
class Coordinates {
 public:
  explicit Coordinates(const SmoothProblem& problem);

  Numbers z;                           ///< (n, r)
  std::optional<SparseDesign> sparse;  ///< in place of z
  Numbers map;                         ///< (d, r); empty for w_j = v_j / scales_j
  Numbers scales, means;               ///< (d,)
  bool is_dependent = false;

  std::int64_t size() const { return map.empty() ? scales.size() : map.shape()[1]; }  ///< r
  std::int64_t count() const { return sparse ? sparse->x.rows() : z.shape()[0]; }     ///< n
  /// The coefficients (outputs, d) of v (outputs, r).
  Tensor<double> coefficients(const Tensor<double>& v) const;
  /// z v^T, (n, outputs).
  Tensor<double> times(const Tensor<double>& v) const;
  /// The products of the columns of z and of a column of ones, each row times its number of c (n,).
  Numbers gram(const Numbers& c) const;

 private:
  void take_dense(const SmoothProblem& problem);
  void take_sparse(const SmoothProblem& problem);
  void whiten(const Numbers& products);
};

Coordinates::Coordinates(const SmoothProblem& problem) {
  if (problem.sparse) {
    take_sparse(problem);
  } else {
    take_dense(problem);
  }
}

void Coordinates::take_sparse(const SmoothProblem& problem) {
  sparse.emplace(*problem.sparse, problem.weights, problem.intercept);
  means = sparse->means;
  const std::int64_t d = means.size();
  scales = Numbers::uninitialized({d});
  for (std::int64_t j = 0; j < d; ++j) {
    // About the root of the curvature: where most columns are rare, their penalty is most of it.
    const double deviation = sparse->deviations[j];
    scales.mutate()[j] = deviation == 0 ? 1 : std::hypot(deviation, std::sqrt(problem.l2));
  }
  // The matrix of many columns would not fit into memory.
  if (problem.l1 > 0 || problem.l2 > 0 || double(d) > most_for_newton) return;
  const Numbers all = gram(problem.weights);
  whiten(slice(slice(all, 0, {0, d}), 1, {0, d}).array());
}

void Coordinates::take_dense(const SmoothProblem& problem) {
  z = Numbers::uninitialized(problem.x.shape());
  scales = Numbers::zeros({problem.x.shape()[1]});
  means = column_means(problem.x, problem.weights, problem.intercept);
  const std::int64_t n = z.shape()[0], d = z.shape()[1];
  double* const to = z.mutate();
  double* const scale = scales.mutate();
  // Relative to the largest number of each column, so that no square overflows or vanishes.
  auto largest = Numbers::zeros({d});
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < d; ++j) {
      to[i * d + j] = problem.x[i * d + j] - means.data()[j];
      double& most = largest.mutate()[j];
      most = std::fmax(most, std::abs(to[i * d + j]));
    }
  }
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < d; ++j) {
      const double e = to[i * d + j] / largest.data()[j];
      scale[j] += problem.weights[i] * e * e;
    }
  }
  for (std::int64_t j = 0; j < d; ++j) {
    scale[j] = std::sqrt(scale[j]) * largest.data()[j];
    // A constant column, whose deviation is rounding.
    if (largest[j] == 0 || scale[j] <= 1e-14 * std::abs(means.data()[j])) {
      for (std::int64_t i = 0; i < n; ++i) to[i * d + j] = 0;
      scale[j] = 1;
    }
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const double root = std::sqrt(problem.weights[i]);
    for (std::int64_t j = 0; j < d; ++j) to[i * d + j] *= root / scale[j];
  }
  if (problem.l1 == 0 && problem.l2 == 0) whiten(matmul(transpose(Tensor<double>(z)), z).array());
  // The roots of the weights were for the products of columns alone.
  double* const row = z.mutate();
  const std::int64_t r = z.shape()[1];
  for (std::int64_t i = 0; i < n; ++i) {
    const double root = std::sqrt(problem.weights[i]);
    for (std::int64_t j = 0; j < r && root > 0; ++j) row[i * r + j] /= root;
  }
}

/// Without a penalty any basis will do: one of independent columns, without those that are zero.
void Coordinates::whiten(const Numbers& products) {
  const std::int64_t d = scales.size();
  const auto parts = eigh(products);
  const Numbers values = parts.values.array(), vectors = parts.vectors.array();
  const double least = values[d - 1] * double(d) * 1e-14;
  std::int64_t first = 0;
  while (first < d && !(values[first] > least)) ++first;
  is_dependent = first > 0;
  auto basis = Numbers::zeros({d, std::max<std::int64_t>(d - first, 1)});
  const std::int64_t r = basis.shape()[1];
  double* const to = basis.mutate();
  for (std::int64_t i = 0; i < d; ++i) {
    for (std::int64_t k = first; k < d; ++k)
      to[i * r + k - first] = vectors[i * d + k] / std::sqrt(values[k]);
  }
  if (!sparse) z = matmul(Tensor<double>(z), basis).array();
  for (std::int64_t i = 0; i < d; ++i) {
    for (std::int64_t k = 0; k < r; ++k) to[i * r + k] /= scales.data()[i];
  }
  map = basis;
}

Tensor<double> Coordinates::coefficients(const Tensor<double>& v) const {
  if (!map.empty()) return matmul(v, map, {.transpose_b = true});
  return v / scales;
}

Tensor<double> Coordinates::times(const Tensor<double>& v) const {
  if (sparse) return sparse->times(coefficients(v));
  return matmul(z, v, {.transpose_b = true});
}

Numbers Coordinates::gram(const Numbers& c) const {
  const auto ones = [](std::int64_t n) { return Tensor<double>(Numbers::ones({n, 1})); };
  if (!sparse) {
    const Numbers features = concat({Tensor<double>(z), ones(count())}, 1).array();
    return matmul(features, features * reshape(c, {count(), 1}), {.transpose_a = true}).array();
  }
  const std::int64_t d = scales.size(), r = size();
  const Numbers raw = sparse->gram(c);
  // The same map on both sides, and the column of ones as it is.
  auto to = Numbers::zeros({d + 1, r + 1});
  double* const entry = to.mutate();
  entry[d * (r + 1) + r] = 1;
  for (std::int64_t j = 0; j < d; ++j) {
    if (map.empty()) entry[j * (r + 1) + j] = 1 / scales[j];
    for (std::int64_t k = 0; k < r && !map.empty(); ++k) entry[j * (r + 1) + k] = map[j * r + k];
  }
  if (!map.empty()) return matmul(matmul(to, raw, {.transpose_a = true}), to).array();
  const auto factors = reshape(diag(to), {d + 1, 1});
  return (factors * raw * transpose(factors)).array();
}

/// The parameters as one vector: coefficients (outputs, r), intercepts, further numbers. Where the
/// loss does not change with a number that all outputs share, the last output has no intercept, and
/// without a penalty no coefficients.
struct Layout {
  Layout(const SmoothProblem& problem, std::int64_t r);

  std::int64_t r, outputs;
  std::int64_t rows;        ///< outputs with coefficients
  std::int64_t intercepts;  ///< outputs with an intercept
  std::int64_t extra;
  std::int64_t coefficients() const { return rows * r; }
  std::int64_t size() const { return coefficients() + intercepts + extra; }

  Tensor<double> predictors(const Tensor<double>& u, const Coordinates& to) const;
};

Layout::Layout(const SmoothProblem& problem, std::int64_t columns)
    : r(columns),
      outputs(problem.outputs),
      rows(outputs - (problem.is_invariant && problem.l1 == 0 && problem.l2 == 0 ? 1 : 0)),
      intercepts(problem.intercept ? outputs - (problem.is_invariant ? 1 : 0) : 0),
      extra(problem.extra_start.size()) {}

Tensor<double> Layout::predictors(const Tensor<double>& u, const Coordinates& to) const {
  const auto part = [&](std::int64_t first, std::int64_t count) {
    return slice(u, 0, {first, first + count});
  };
  const auto v = part(0, coefficients()), b = part(coefficients(), intercepts);
  const std::int64_t n = to.count();
  if (outputs == 1) {
    const auto plain = to.sparse ? reshape(to.times(reshape(v, {1, r})), {n}) : matmul(to.z, v);
    return intercepts > 0 ? plain + b : plain;
  }
  Tensor<double> all = to.times(reshape(v, {rows, r}));
  const auto zeros = [](std::int64_t a, std::int64_t c) { return Numbers::zeros({a, c}); };
  if (rows < outputs) all = concat({all, Tensor<double>(zeros(n, outputs - rows))}, 1);
  if (intercepts == 0) return all;
  if (intercepts == outputs) return all + b;
  return all + concat({b, Tensor<double>(Numbers::zeros({outputs - intercepts}))});
}

/// The penalised loss as a function of the parameters, without l1. Its Hessian is made of the
/// curvatures of the rows' losses in their predictors, which is a product of matrices.
class LinearObjective : public optim::detail::TensorObjective<double> {
 public:
  LinearObjective(const SmoothProblem& problem, const Layout& layout, const Coordinates& to,
                  const Numbers& squares, const Numbers& start)
      : TensorObjective([&](const Tensor<double>& u) { return loss(u); }, start),
        problem_(problem),
        layout_(layout),
        to_(to),
        squares_(squares) {}
  optim::detail::Vector hessian(const optim::detail::Vector& u) override;

 private:
  Tensor<double> loss_of(const Tensor<double>& predictors, const Tensor<double>& extra) const {
    return sum(problem_.weights * problem_.loss(predictors, extra));
  }
  Tensor<double> loss(const Tensor<double>& u) const {
    const auto extra = slice(u, 0, {layout_.size() - layout_.extra, layout_.size()});
    const auto mean = loss_of(layout_.predictors(u, to_), extra);
    if (problem_.l2 == 0) return mean;
    return mean + sum(squares_ * square(slice(u, 0, {0, layout_.coefficients()})));
  }

  const SmoothProblem& problem_;
  const Layout& layout_;
  const Coordinates& to_;
  const Numbers& squares_;  ///< (coefficients,): the factors of their squares
};

optim::detail::Vector LinearObjective::hessian(const optim::detail::Vector& u) {
  if (layout_.extra > 0) return TensorObjective::hessian(u);
  const std::int64_t n = to_.count(), r = layout_.r, k = layout_.outputs, p = layout_.size();
  const Numbers predictors = layout_.predictors(array(u), to_).array();
  const auto f = [&](const Tensor<double>& q) {
    return loss_of(q, Tensor<double>(Numbers::zeros({0})));
  };
  // The place of a feature of an output among the parameters, or -1.
  const auto place = [&](std::int64_t output, std::int64_t j) {
    if (j < r) return output < layout_.rows ? output * r + j : -1;
    return output < layout_.intercepts ? layout_.coefficients() + output : -1;
  };
  optim::detail::Vector all(std::size_t(p * p), 0);
  for (std::int64_t b = 0; b < k; ++b) {
    auto direction = Numbers::zeros(predictors.shape());
    for (std::int64_t i = 0; i < n; ++i) direction.mutate()[i * k + b] = 1;
    const Numbers curvatures = ebb::hvp(f, predictors, direction).array().reshape(Shape{n, k});
    for (std::int64_t a = 0; a < k; ++a) {
      const Numbers block = to_.gram(slice(curvatures, 1, {a, a + 1}).array().reshape(Shape{n}));
      for (std::int64_t i = 0; i <= r; ++i) {
        for (std::int64_t j = 0; j <= r; ++j) {
          const std::int64_t row = place(a, i), column = place(b, j);
          if (row >= 0 && column >= 0) all[std::size_t(row * p + column)] = block[i * (r + 1) + j];
        }
      }
    }
  }
  for (std::int64_t i = 0; i < layout_.coefficients(); ++i)
    all[std::size_t(i * p + i)] += 2 * squares_[i];
  return all;
}

/// Takes the mean over the rows of (outputs, width) away from each.
void centre(Numbers& x) {
  const std::int64_t outputs = x.shape()[0], width = x.size() / outputs;
  double* const to = x.mutate();
  for (std::int64_t j = 0; j < width; ++j) {
    double mean = 0;
    for (std::int64_t k = 0; k < outputs; ++k) mean += to[k * width + j] / double(outputs);
    for (std::int64_t k = 0; k < outputs; ++k) to[k * width + j] -= mean;
  }
}

Solver chosen(const SmoothProblem& problem, const Layout& layout) {
  if (problem.solver != Solver::automatic) return problem.solver;
  const auto n = double(problem.rows()), p = double(layout.size());
  const double listed = problem.sparse ? double(problem.sparse->nonzeros()) / n : p;
  const double work = n * listed * listed;
  if (problem.l1 > 0) {
    return p <= most_for_newton && work <= 2e10 ? Solver::coordinate_descent
                                                : Solver::proximal_gradient;
  }
  return p <= 64 || (p <= most_for_newton && work <= 1e8) ? Solver::newton : Solver::lbfgs;
}

void check_solver(const std::string& who, const SmoothProblem& problem) {
  const Solver s = problem.solver;
  const bool has_l1 = problem.l1 > 0;
  const bool fits = s == Solver::automatic ||
                    (has_l1 ? s == Solver::coordinate_descent || s == Solver::proximal_gradient
                            : s == Solver::newton || s == Solver::lbfgs);
  if (fits) return;
  throw ArgumentError(who + ": the solver " + to_string(s) + " is not for its loss " +
                      (has_l1 ? "with l1; take automatic, coordinate_descent or proximal_gradient"
                              : "without l1; take automatic, newton or lbfgs"));
}

Numbers start_of(const SmoothProblem& problem, const Layout& layout) {
  auto start = Numbers::zeros({layout.size()});
  double* const to = start.mutate() + layout.coefficients();
  for (std::int64_t k = 0; k < layout.intercepts && !problem.intercept_start.empty(); ++k)
    to[k] = problem.intercept_start[k];
  std::copy(problem.extra_start.begin(), problem.extra_start.end(), to + layout.intercepts);
  return start;
}

std::pair<optim::Minimum<double>, Solver> minimize(const SmoothProblem& problem,
                                                   const Layout& layout, const Coordinates& to) {
  // With a penalty v_j is w_j scales_j.
  auto squares = Numbers::zeros({layout.coefficients()});
  auto magnitudes = Numbers::zeros({layout.size()});
  for (std::int64_t i = 0; i < layout.coefficients() && to.map.empty(); ++i) {
    const double scale = to.scales[i % to.scales.size()];
    squares.mutate()[i] = problem.l2 / 2 / (scale * scale);
    magnitudes.mutate()[i] = problem.l1 / scale;
  }
  const optim::Stop stop{.gradient = problem.tolerance, .iterations = problem.iterations};
  const auto run = [&](const Numbers& start, const auto& method) {
    LinearObjective objective(problem, layout, to, squares, start);
    return optim::detail::minimum<double>(optim::detail::run(method, objective, stop, {}),
                                          start.shape());
  };
  const Numbers start = start_of(problem, layout);
  const Solver solver = chosen(problem, layout);
  if (solver == Solver::newton) return {run(start, optim::Newton{}), solver};
  if (solver == Solver::coordinate_descent) {
    LinearObjective objective(problem, layout, to, squares, start);
    return {proximal_newton(objective, magnitudes, stop), solver};
  }
  if (solver == Solver::proximal_gradient) {
    return {run(start, optim::ProximalGradient{.penalty = weighted_l1(magnitudes)}), solver};
  }
  const auto minimum = run(start, optim::LBFGS{});
  if (problem.solver != Solver::automatic || minimum.converged() ||
      double(layout.size()) > most_for_newton) {
    return {minimum, solver};
  }
  // The slower way, which does not mind a bad condition.
  return {run(minimum.x, optim::Newton{}), Solver::newton};
}

/// Parameters as coefficients and intercepts of the features as they are.
LinearSolution solution_of(const Numbers& u, const SmoothProblem& problem, const Layout& layout,
                           const Coordinates& to) {
  const std::int64_t d = to.scales.size(), coefficients = layout.coefficients();
  LinearSolution found;
  auto v = Numbers::zeros({layout.outputs, layout.r});
  std::copy_n(u.begin(), coefficients, v.mutate());
  if (layout.rows < layout.outputs) centre(v);
  found.coefficients = to.coefficients(v).array();
  found.intercept = Numbers::zeros({layout.outputs});
  double* const intercept = found.intercept.mutate();
  std::copy_n(u.begin() + coefficients, layout.intercepts, intercept);
  for (std::int64_t k = 0; k < layout.outputs && problem.intercept; ++k) {
    for (std::int64_t j = 0; j < d; ++j)
      intercept[k] -= to.means.data()[j] * found.coefficients.data()[k * d + j];
  }
  if (problem.is_invariant) centre(found.intercept);
  found.extra = Numbers::zeros({layout.extra});
  std::copy_n(u.end() - layout.extra, layout.extra, found.extra.mutate());
  return found;
}

}  // namespace

void LinearProblem::take(const Features& given) {
  if (given.are_sparse()) {
    sparse = given.sparse();
  } else {
    x = given.values();
  }
}
Features LinearProblem::features() const {
  if (sparse) return *sparse;
  return x;
}

void check_options(const std::string& who, const LinearProblem& problem) {
  const auto is_at_least_0 = [](double e) { return e >= 0 && std::isfinite(e); };
  check(who, is_at_least_0(problem.l1), "l1 must be at least 0", problem.l1);
  check(who, is_at_least_0(problem.l2), "l2 must be at least 0", problem.l2);
  check(who, problem.tolerance > 0, "tolerance must be above 0", problem.tolerance);
  check(who, problem.iterations >= 1, "iterations must be at least 1", double(problem.iterations));
}

Array<double> column_means(const Numbers& x, const Numbers& weights, bool centre) {
  const std::int64_t n = x.shape()[0], d = x.shape()[1];
  auto means = Numbers::zeros({d});
  if (!centre) return means;
  double* const mean = means.mutate();
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < d; ++j) mean[j] += weights[i] * x[i * d + j];
  }
  // Once more over what is left, which takes the rounding of large numbers away.
  auto rest = Numbers::zeros({d});
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < d; ++j) rest.mutate()[j] += weights[i] * (x[i * d + j] - mean[j]);
  }
  for (std::int64_t j = 0; j < d; ++j) mean[j] += rest[j];
  return means;
}

LinearSolution minimize_smooth(const std::string& who, const SmoothProblem& problem) {
  check_options(who, problem);
  check_solver(who, problem);
  const Coordinates to(problem);
  const Layout layout(problem, to.size());
  const auto [minimum, solver] = minimize(problem, layout, to);
  LinearSolution found = solution_of(minimum.x, problem, layout, to);
  check_result(who, found.coefficients, found.intercept);
  found.solution = {to_string(solver), to_string(minimum.reason), minimum.converged(),
                    minimum.iterations, minimum.value};
  if (to.is_dependent) {
    found.warning =
        "some features depend on others, so that many coefficients fit equally well; leave some "
        "features out, or add l2";
  }
  return found;
}

}  // namespace ebb::inline v0::nn::detail
