// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/linear_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::optim {
namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

void check_finite(const char* what, const Array<double>& x) {
  const auto bad = std::find_if(x.begin(), x.end(), [](double e) { return !std::isfinite(e); });
  if (bad == x.end()) return;
  throw ArgumentError(std::string("fit_linear: ") + what + " has " + ebb::detail::to_text(*bad) +
                      " at position " + std::to_string(bad - x.begin()) +
                      "; impute or leave out such rows");
}

/// The numbers of x (n, d) in double, with a column of ones, and below them a row for each
/// coefficient that ridge holds back.
Array<double> design(const auto& x, const LinearFitOptions& options, bool with_ridge) {
  const std::int64_t n = x.shape()[0], d = x.shape()[1], p = d + (options.intercept ? 1 : 0);
  auto a = Array<double>::zeros({n + (with_ridge ? d : 0), p});
  double* const to = a.mutate();
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < d; ++j) to[i * p + j] = double(x[i * d + j]);
    if (options.intercept) to[i * p + d] = 1;
  }
  if (with_ridge) {
    for (std::int64_t j = 0; j < d; ++j) to[(n + j) * p + j] = std::sqrt(options.ridge);
  }
  return a;
}

/// Coefficients, the singular values of the design, and (a^T a)^-1 if it is there.
struct Solution {
  Array<double> w, singular, inverse;
};

Solution solve_by(const Array<double>& a, const Array<double>& b, LinearSolver solver) {
  Solution found;
  const std::int64_t p = a.shape()[1];
  const auto inverse_of = [](const auto& root) {
    return matmul(root, root, {.transpose_b = true}).array();
  };
  if (solver == LinearSolver::svd) {
    const auto parts = svd(Tensor<double>(a));
    found.singular = parts.s.array();
    const double least = found.singular[0] * double(std::max(a.shape()[0], p)) * epsilon;
    auto inverted = Array<double>::zeros(found.singular.shape());
    bool has_full_rank = found.singular.size() == p;
    for (std::int64_t i = 0; i < inverted.size(); ++i) {
      if (found.singular[i] > least) {
        inverted.mutate()[i] = 1 / found.singular[i];
      } else {
        has_full_rank = false;
      }
    }
    const auto v = transpose(parts.vh) * inverted;
    found.w = matmul(v, matmul(transpose(parts.u), b)).array();
    if (has_full_rank) found.inverse = inverse_of(v);
  } else if (solver == LinearSolver::qr) {
    const auto factors = qr(Tensor<double>(a));
    found.w = lstsq(Tensor<double>(a), b).array();
    found.singular = svd(factors.r).s.array();
    found.inverse = inverse_of(inverse(factors.r));
  } else {
    const auto square = matmul(transpose(Tensor<double>(a)), a).array();
    const auto values = eigh(Tensor<double>(square)).values.array();
    found.singular = Array<double>::zeros({p});
    for (std::int64_t i = 0; i < p; ++i)
      found.singular.mutate()[i] = std::sqrt(std::fmax(values[p - 1 - i], 0));
    const auto factor = cholesky(Tensor<double>(square));
    found.w = cholesky_solve(factor, matmul(transpose(Tensor<double>(a)), b)).array();
    found.inverse = cholesky_solve(factor, Array<double>::eye(p)).array();
  }
  return found;
}

}  // namespace

template <Real T>
LinearFit fit_linear(const Array<T>& x, const Array<T>& y, LinearFitOptions options) {
  const bool is_column = y.shape().rank() == 2 && y.shape()[1] == 1;
  if (x.shape().rank() != 2 || x.shape()[0] < 1 || (y.shape().rank() != 1 && !is_column) ||
      y.shape()[0] != x.shape()[0]) {
    throw ShapeError("fit_linear: x (n, d) and y (n,) or (n, 1) with n >= 1, not " +
                     to_string(x.shape()) + " and " + to_string(y.shape()));
  }
  if (!(options.ridge >= 0) || !std::isfinite(options.ridge)) {
    throw ArgumentError("fit_linear: ridge must be at least 0, not " +
                        ebb::detail::to_text(options.ridge));
  }
  const Array<double> plain = design(x, options, false);
  const std::int64_t n = plain.shape()[0], p = plain.shape()[1];
  const bool has_ridge = options.ridge > 0;
  if (n < p && !has_ridge && options.solver != LinearSolver::svd) {
    throw ArgumentError("fit_linear: " + std::to_string(n) + " rows for " + std::to_string(p) +
                        " coefficients; use LinearSolver::svd, which finds the shortest, or ridge");
  }
  auto target = Array<double>::zeros({n});
  for (std::int64_t i = 0; i < n; ++i) target.mutate()[i] = double(y[i]);
  check_finite("x", plain);
  check_finite("y", target);
  const Array<double> a = has_ridge ? design(x, options, true) : plain;
  auto b = Array<double>::zeros({a.shape()[0]});
  std::copy(target.begin(), target.end(), b.mutate());

  const Solution found = solve_by(a, b, options.solver);
  LinearFit fit{};
  fit.coefficients = found.w;
  const auto residuals = target - matmul(plain, found.w);
  const double error = sum(square(residuals)).item();
  const double mean_of = options.intercept ? mean(target).item() : 0;
  const double total = sum(square(target - mean_of)).item();
  fit.r2 = total > 0 ? 1 - error / total : nan;
  const double explained = double(p - (options.intercept ? 1 : 0)), left = double(n - p);
  fit.residual_deviation = left > 0 ? std::sqrt(error / left) : nan;
  fit.f = explained > 0 && left > 0 ? (total - error) / explained / (error / left) : nan;
  const double largest = found.singular[0], least = found.singular[found.singular.size() - 1];
  fit.condition = found.singular.size() == p && least > 0 ? largest / least
                                                          : std::numeric_limits<double>::infinity();
  if (!found.inverse.empty() && left > 0 && !has_ridge) {
    fit.standard_errors = Array<double>::zeros({p});
    for (std::int64_t i = 0; i < p; ++i) {
      fit.standard_errors.mutate()[i] =
          fit.residual_deviation * std::sqrt(found.inverse[i * p + i]);
    }
  }
  const bool is_squared = options.solver == LinearSolver::normal_equations;
  const double lost = std::log10(fit.condition) * (is_squared ? 2 : 1);
  if (lost > 13) {
    fit.warning = std::string("the condition number takes all but ") +
                  std::to_string(std::max(0, int(15.95 - lost))) + " digits" +
                  (is_squared ? "; LinearSolver::qr loses half as many"
                              : "; scale the features, leave some out, or use ridge");
  }
  return fit;
}
template LinearFit fit_linear(const Array<float>&, const Array<float>&, LinearFitOptions);
template LinearFit fit_linear(const Array<double>&, const Array<double>&, LinearFitOptions);

}  // namespace ebb::inline v0::optim
