// SPDX-License-Identifier: BSD-3-Clause
// Methods that use second derivatives.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/optim/minimize/methods.hpp"

namespace ebb::inline v0::optim::detail {
namespace {

/// Replaces the lower triangle of a symmetric matrix (n, n) by its factor L, a = L L^T. False if it
/// is not positive definite.
bool factorize(Vector& a, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    double* const row = a.data() + j * n;
    for (std::size_t k = 0; k < j; ++k) row[j] -= row[k] * row[k];
    if (!(row[j] > 0) || !std::isfinite(row[j])) return false;
    row[j] = std::sqrt(row[j]);
    for (std::size_t i = j + 1; i < n; ++i) {
      double* const below = a.data() + i * n;
      for (std::size_t k = 0; k < j; ++k) below[j] -= below[k] * row[k];
      below[j] /= row[j];
    }
  }
  return true;
}
/// (L L^T)^-1 b.
Vector solve(const Vector& factor, Vector b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= factor[i * n + k] * b[k];
    b[i] /= factor[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= factor[k * n + i] * b[k];
    b[i] /= factor[i * n + i];
  }
  return b;
}

/// -(H + shift)^-1 g with the least shift of a growing list that makes it positive definite.
Vector newton_direction(const Vector& hessian, const Vector& gradient) {
  const std::size_t n = gradient.size();
  double size = 0, least = hessian[0];
  for (double e : hessian) size = std::fmax(size, std::abs(e));
  for (std::size_t i = 0; i < n; ++i) least = std::min(least, hessian[i * n + i]);
  const double unit = 1e-3 * std::fmax(size, 1e-300);
  double shift = least > 0 ? 0 : unit - least;
  for (int trial = 0; trial < 60; ++trial) {
    Vector factor = hessian;
    for (std::size_t i = 0; i < n; ++i) factor[i * n + i] += shift;
    if (factorize(factor, n)) return solve(factor, times(-1, gradient));
    shift = std::fmax(2 * shift, unit);
  }
  return times(-1, gradient);
}

/// Where conjugate gradients on the quadratic model end: inside, or where they leave the ball or
/// find a direction along which the model falls for ever.
struct ModelStep {
  Vector d;
  bool at_boundary = false;
};

/// The positive t at which |d + t p| is the radius.
double to_boundary(const Vector& d, const Vector& p, double radius) {
  const double pp = dot(p, p), dp = dot(d, p), dd = dot(d, d);
  return (-dp + std::sqrt(std::fmax(0, dp * dp + pp * (radius * radius - dd)))) / pp;
}

/// Steihaug's method: the model g . d + d . H d / 2 in |d| <= radius, to a residual of
/// min(1 / 2, sqrt |g|) |g|. Without a ball, the radius is infinite.
ModelStep steihaug(Run& run, const Point& at, double radius) {
  const double size = norm(at.gradient), enough = std::fmin(0.5, std::sqrt(size)) * size;
  ModelStep step{Vector(at.x.size(), 0)};
  Vector residual = at.gradient, p = times(-1, residual);
  double square = dot(residual, residual);
  for (std::size_t i = 0; i < 2 * at.x.size() + 20; ++i) {
    const Vector hp = run.hvp(at.x, p);
    const double curvature = dot(p, hp);
    if (!(curvature > 0)) {
      if (std::isfinite(radius)) {
        add(step.d, to_boundary(step.d, p, radius), p);
        step.at_boundary = true;
      } else if (i == 0) {
        step.d = p;
      }
      return step;
    }
    const double alpha = square / curvature;
    const Vector next = sum(step.d, alpha, p);
    if (norm(next) >= radius) {
      add(step.d, to_boundary(step.d, p, radius), p);
      step.at_boundary = true;
      return step;
    }
    step.d = next;
    add(residual, alpha, hp);
    const double now = dot(residual, residual);
    if (std::sqrt(now) <= enough) break;
    p = sum(times(-1, residual), now / square, p);
    square = now;
  }
  return step;
}

/// The loop of both methods with a search along a direction.
template <class Direction>
Point newton(const Armijo& search, Run& run, const Direction& direction) {
  check_search(search);
  Point at = run.start(), next;
  double length = 0;
  while (run.goes_on(at, norm(at.gradient), length)) {
    Vector d = direction(at);
    if (!(dot(d, at.gradient) < 0) || !std::isfinite(norm(d))) d = times(-1, at.gradient);
    length = line_search(search, run, at, d, search.first, next);
    if (length == 0) {
      run.end(Reason::line_search);
      break;
    }
    std::swap(at, next);
  }
  return at;
}

}  // namespace

Point descend(const Newton& method, Run& run) {
  return newton(method.search, run,
                [&](const Point& at) { return newton_direction(run.hessian(at.x), at.gradient); });
}

Point descend(const NewtonCG& method, Run& run) {
  return newton(method.search, run, [&](const Point& at) {
    return steihaug(run, at, std::numeric_limits<double>::infinity()).d;
  });
}

Point descend(const TrustRegion& method, Run& run) {
  const auto check = [](bool holds, const char* what) {
    if (!holds) throw ArgumentError(std::string("TrustRegion: ") + what);
  };
  check(method.first > 0, "first must be above 0");
  check(method.largest >= method.first, "largest must be at least first");
  check(method.accept >= 0 && method.accept < 0.25, "accept must be in [0, 0.25)");
  Point at = run.start(), next;
  double radius = method.first, length = 0;
  bool goes_on = run.goes_on(at, norm(at.gradient), length), is_cut = false;
  while (goes_on) {
    const ModelStep step = steihaug(run, at, radius);
    length = norm(step.d);
    const double predicted = -dot(at.gradient, step.d) - dot(step.d, run.hvp(at.x, step.d)) / 2;
    next.x = sum(at.x, 1, step.d);
    run.objective().round(next.x);
    run.evaluate(next);
    // Only a step in a ball that was not cut may be higher by rounding.
    const double actual = at.value - next.value + (is_cut ? 0 : run.slack(at.value));
    const double ratio = next.is_finite() ? actual / predicted : -1;
    if (!(ratio >= 0.25)) {
      radius = length / 4;
    } else if (ratio > 0.75 && step.at_boundary) {
      radius = std::fmin(2 * radius, method.largest);
    }
    is_cut = !(ratio > method.accept);
    if (!is_cut) {
      std::swap(at, next);
      goes_on = run.goes_on(at, norm(at.gradient), length);
    } else if (!(radius > 1e-15 * std::fmax(1, norm(at.x)))) {
      run.end(Reason::line_search);
      break;
    }
  }
  return at;
}

}  // namespace ebb::inline v0::optim::detail
