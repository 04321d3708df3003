// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/linear/proximal_newton.hpp"

#include <algorithm>
#include <cmath>

#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/optim/lasso.hpp"

namespace ebb::inline v0::nn::detail {
namespace {

using Numbers = Array<double>;
using optim::detail::Vector;

double penalty_at(const Numbers& strengths, std::span<const double> u) {
  double sum = 0;
  for (std::size_t i = 0; i < u.size(); ++i) sum += strengths.data()[i] * std::abs(u[i]);
  return sum;
}

/// The norm of the shortest subgradient.
double subgradient_norm(const Numbers& strengths, const optim::detail::Point& at) {
  Vector parts;
  for (std::size_t i = 0; i < at.x.size(); ++i) {
    const double l1 = strengths.data()[i], g = at.gradient[i];
    parts.push_back(at.x[i] != 0 ? g + std::copysign(l1, at.x[i]) : std::fmax(std::abs(g) - l1, 0));
  }
  return optim::detail::norm(parts);
}

/// The lower right block of a symmetric matrix (p, p) from row `first` on, and what else is needed
/// to do without the numbers that have no penalty: at its minimum over them, the model is a
/// quadratic of the others (the complement of Schur).
struct Model {
  Numbers a, b;    ///< a (m, m), b (m,) of the m numbers with a penalty
  Numbers back;    ///< (p - m, m): the others move by -back times the change
  Numbers direct;  ///< (p - m,): and by this whatever the change is
};

Model model_of(const Vector& hessian, const optim::detail::Point& at, std::int64_t m) {
  const auto p = std::int64_t(at.x.size()), q = p - m;
  const auto element = [&](std::int64_t i, std::int64_t j) {
    return (hessian[std::size_t(i * p + j)] + hessian[std::size_t(j * p + i)]) / 2;
  };
  auto a = Numbers::uninitialized({m, m}), b = Numbers::uninitialized({m});
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < m; ++j) a.mutate()[i * m + j] = element(i, j);
    b.mutate()[i] = -at.gradient[std::size_t(i)];
  }
  Model model{a, b, Numbers::zeros({q, m}), Numbers::zeros({q})};
  if (q > 0) {
    auto inner = Numbers::uninitialized({q, q}), across = Numbers::uninitialized({q, m});
    auto slope = Numbers::uninitialized({q});
    double largest = 0;
    for (std::int64_t i = 0; i < q; ++i) {
      for (std::int64_t j = 0; j < q; ++j) inner.mutate()[i * q + j] = element(m + i, m + j);
      for (std::int64_t j = 0; j < m; ++j) across.mutate()[i * m + j] = element(m + i, j);
      slope.mutate()[i] = at.gradient[std::size_t(m + i)];
      largest = std::fmax(largest, inner[i * q + i]);
    }
    // Where a row is certain of its class, nothing is left of its curvature.
    for (std::int64_t i = 0; i < q; ++i) inner.mutate()[i * q + i] += 1e-12 * largest + 1e-300;
    const auto inverse_times = [&](const Numbers& y) { return solve(inner, y).array(); };
    model.back = inverse_times(across);
    model.direct = (-inverse_times(slope)).array();
    const Numbers down = transpose(across).array();
    model.a = (a - matmul(down, model.back)).array();
    model.b = (b - matmul(down, model.direct)).array();
  }
  // To rounding it is symmetric and positive semidefinite.
  double* const to = model.a.mutate();
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < i; ++j)
      to[i * m + j] = to[j * m + i] = (to[i * m + j] + to[j * m + i]) / 2;
    to[i * m + i] = std::fmax(to[i * m + i], 0);
  }
  return model;
}

/// The step to the minimum of the model with the penalty.
Vector model_step(const Model& model, const Numbers& strengths, const Vector& u) {
  const std::int64_t m = model.b.size(), q = model.direct.size();
  // In units of 1 / strength, in which all penalties are 1.
  auto a = Numbers::uninitialized({m, m}), b = Numbers::uninitialized({m});
  auto start = Numbers::uninitialized({m});
  for (std::int64_t i = 0; i < m; ++i) {
    double product = model.b[i];
    for (std::int64_t j = 0; j < m; ++j) {
      product += model.a[i * m + j] * u[std::size_t(j)];
      a.mutate()[i * m + j] = model.a[i * m + j] / (strengths[i] * strengths[j]);
    }
    b.mutate()[i] = product / strengths[i];
    start.mutate()[i] = u[std::size_t(i)] * strengths[i];
  }
  const auto found =
      optim::minimize(optim::L1Quadratic(a, b, 1.0), start, optim::CoordinateDescent{},
                      {.gradient = 1e-13, .iterations = 10'000});
  Vector step;
  for (std::int64_t i = 0; i < m; ++i)
    step.push_back(found.x[i] / strengths[i] - u[std::size_t(i)]);
  for (std::int64_t i = 0; i < q; ++i) {
    double e = model.direct[i];
    for (std::int64_t j = 0; j < m; ++j) e -= model.back[i * m + j] * step[std::size_t(j)];
    step.push_back(e);
  }
  return step;
}

}  // namespace

optim::Penalty weighted_l1(const Numbers& strengths) {
  return {[strengths](std::span<const double> u) { return penalty_at(strengths, u); },
          [strengths](std::span<double> z, double step) {
            for (std::size_t i = 0; i < z.size(); ++i)
              z[i] = optim::detail::soft_threshold(z[i], step * strengths.data()[i]);
          }};
}

optim::Minimum<double> proximal_newton(optim::detail::Objective& f, const Numbers& strengths,
                                       const optim::Stop& stop) {
  const optim::Watch watch;
  optim::detail::Run run(f, stop, watch);
  const std::int64_t m = std::find(strengths.begin(), strengths.end(), 0.0) - strengths.begin();
  const auto value = [&](const optim::detail::Point& at) {
    return at.value + penalty_at(strengths, at.x);
  };
  optim::detail::Point at = run.start(), next, whole;
  double length = 0;
  const auto goes_on = [&] {
    whole = at;
    whole.value = value(at);
    return run.goes_on(whole, subgradient_norm(strengths, at), length);
  };
  while (goes_on()) {
    const Vector d = model_step(model_of(run.hessian(at.x), at, m), strengths, at.x);
    // How much the linear part and the penalty fall along d.
    const double fall = optim::detail::dot(at.gradient, d) +
                        penalty_at(strengths, optim::detail::sum(at.x, 1, d)) -
                        penalty_at(strengths, at.x);
    bool is_lower = false;
    length = 1;
    for (int trial = 0; trial < 40; ++trial, length /= 2) {
      next.x = optim::detail::sum(at.x, length, d);
      run.evaluate(next);
      is_lower = next.is_finite() &&
                 run.is_lower(value(next), value(at), -1e-4 * length * fall, trial == 0);
      if (is_lower) break;
    }
    if (!is_lower || next.x == at.x) {
      run.end(optim::Reason::line_search);
      break;
    }
    std::swap(at, next);
  }
  return optim::detail::minimum<double>(run.outcome(whole), strengths.shape());
}

}  // namespace ebb::inline v0::nn::detail
