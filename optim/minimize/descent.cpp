// SPDX-License-Identifier: BSD-3-Clause
// Methods that need the gradient only, and no memory of the curvature.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/optim/minimize/methods.hpp"

namespace ebb::inline v0::optim::detail {
namespace {

void check_positive(double x, const char* method, const char* name) {
  if (x > 0 && std::isfinite(x)) return;
  throw ArgumentError(std::string(method) + ": " + name + " must be above 0, not " +
                      ebb::detail::to_text(x));
}

/// Steps of a known length. A point that is not finite is not gone to.
Point fixed_steps(double step, Run& run) {
  Point at = run.start(), next;
  double length = 0;
  while (run.goes_on(at, norm(at.gradient), length)) {
    next.x = sum(at.x, -step, at.gradient);
    run.objective().round(next.x);
    run.evaluate(next);
    if (!next.is_finite()) {
      run.end(Reason::not_finite);
      break;
    }
    std::swap(at, next);
    length = step;
  }
  return at;
}

template <class LineSearch>
Point searched_steps(const LineSearch& search, Run& run) {
  check_search(search);
  Point at = run.start(), next;
  double length = 0;
  while (run.goes_on(at, norm(at.gradient), length)) {
    length = line_search(search, run, at, times(-1, at.gradient), search.first, next);
    if (length == 0) {
      run.end(Reason::line_search);
      break;
    }
    std::swap(at, next);
  }
  return at;
}

Point barzilai_borwein(const BarzilaiBorwein& search, Run& run) {
  check_positive(search.first, "BarzilaiBorwein", "first");
  constexpr std::size_t memory = 10;
  Point at = run.start(), next;
  Vector values;
  double step = search.first, length = 0;
  while (run.goes_on(at, norm(at.gradient), length)) {
    values.push_back(at.value);
    if (values.size() > memory) values.erase(values.begin());
    const double highest = *std::max_element(values.begin(), values.end());
    const double square = dot(at.gradient, at.gradient);
    bool is_lower = false;
    for (int trial = 0; trial < 60; ++trial, step /= 2) {
      next.x = sum(at.x, -step, at.gradient);
      run.objective().round(next.x);
      run.evaluate(next);
      is_lower =
          next.is_finite() && run.is_lower(next.value, highest, 1e-4 * step * square, trial == 0);
      if (is_lower) break;
    }
    if (!is_lower) {
      run.end(Reason::line_search);
      break;
    }
    length = step;
    const Vector s = sum(next.x, -1, at.x), y = sum(next.gradient, -1, at.gradient);
    const double sy = dot(s, y);
    const double now = search.is_short ? sy / dot(y, y) : dot(s, s) / sy;
    step = sy > 0 && std::isfinite(now) ? std::clamp(now, 1e-10, 1e10) : search.first;
    std::swap(at, next);
  }
  return at;
}

}  // namespace

double largest_curvature(Run& run, const Vector& x, std::int64_t iterations) {
  if (iterations < 1) {
    throw ArgumentError("InverseLipschitz: iterations must be at least 1, not " +
                        std::to_string(iterations));
  }
  // From a direction that is orthogonal to no eigenvector but by chance.
  Vector v(x.size());
  Stream stream(0);
  for (double& e : v) e = stream.normal();
  double largest = 0;
  for (std::int64_t i = 0; i < iterations; ++i) {
    const double length = norm(v);
    if (!(length > 0) || !std::isfinite(length)) return length;
    for (double& e : v) e /= length;
    const Vector product = run.hvp(x, v);
    const double now = norm(product);
    const bool is_settled = std::abs(now - largest) <= 1e-12 * now;
    largest = now;
    v = product;
    if (is_settled) break;
  }
  return largest;
}

Point descend(const GradientDescent& method, Run& run) {
  if (const auto* fixed = std::get_if<FixedStep>(&method.search)) {
    check_positive(fixed->step, "FixedStep", "step");
    return fixed_steps(fixed->step, run);
  }
  if (const auto* inverse = std::get_if<InverseLipschitz>(&method.search)) {
    Vector x = run.objective().start();
    const double curvature = largest_curvature(run, x, inverse->iterations);
    if (!(curvature > 0) || !std::isfinite(curvature)) {
      throw ArgumentError(
          "InverseLipschitz: the function has no curvature at the start, so that 1 / L is not a "
          "step; use FixedStep or Armijo");
    }
    return fixed_steps(1 / curvature, run);
  }
  if (const auto* armijo = std::get_if<Armijo>(&method.search)) return searched_steps(*armijo, run);
  if (const auto* wolfe = std::get_if<Wolfe>(&method.search)) return searched_steps(*wolfe, run);
  return barzilai_borwein(std::get<BarzilaiBorwein>(method.search), run);
}

Point descend(const Subgradient& method, Run& run) {
  check_positive(method.first, "Subgradient", "first");
  Point at = run.start(), best = at, next;
  Vector mean = at.x;
  double weights = 0, length = 0;
  while (run.goes_on(at, norm(at.gradient), length)) {
    const double size = norm(at.gradient);
    length = method.first / std::sqrt(double(run.iterations() + 1));
    weights += length;
    add(mean, length / weights, sum(at.x, -1, mean));
    next.x = sum(at.x, -length / size, at.gradient);
    run.objective().round(next.x);
    run.evaluate(next);
    if (!next.is_finite()) {
      run.end(Reason::not_finite);
      break;
    }
    std::swap(at, next);
    if (at.value < best.value) best = at;
  }
  if (!method.average) return at.value < best.value ? at : best;
  run.objective().round(mean);
  at.x = mean;
  run.evaluate(at);
  return at;
}

Point descend(const ConjugateGradient& method, Run& run) {
  using Beta = ConjugateGradient::Beta;
  check_search(method.search);
  Point at = run.start(), next;
  Vector d = times(-1, at.gradient);
  double first = method.search.first / std::fmax(1, norm(at.gradient)), length = 0;
  while (run.goes_on(at, norm(at.gradient), length)) {
    const double slope = dot(at.gradient, d);
    length = line_search(method.search, run, at, d, first, next);
    if (length == 0) {
      run.end(Reason::line_search);
      break;
    }
    const Vector y = sum(next.gradient, -1, at.gradient);
    const double square = dot(next.gradient, next.gradient), before = dot(at.gradient, at.gradient);
    double beta = 0;
    switch (method.beta) {
      case Beta::polak_ribiere:
        beta = std::fmax(0, dot(next.gradient, y) / before);
        break;
      case Beta::fletcher_reeves:
        beta = square / before;
        break;
      case Beta::hestenes_stiefel:
        beta = std::fmax(0, dot(next.gradient, y) / dot(d, y));
        break;
      case Beta::dai_yuan:
        beta = square / dot(d, y);
        break;
    }
    d = sum(times(-1, next.gradient), std::isfinite(beta) ? beta : 0, d);
    if (!(dot(next.gradient, d) < 0)) d = times(-1, next.gradient);
    // The first trial makes as much of a change as the last step did.
    first = std::clamp(length * slope / dot(next.gradient, d), 1e-12, 1e12);
    std::swap(at, next);
  }
  return at;
}

}  // namespace ebb::inline v0::optim::detail
