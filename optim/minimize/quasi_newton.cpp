// SPDX-License-Identifier: BSD-3-Clause
// Methods that learn the curvature from changes of the gradient.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/optim/minimize/methods.hpp"

namespace ebb::inline v0::optim::detail {
namespace {

/// The loop that both share. `direction(g, d)` sets d to minus the approximate inverse Hessian
/// times g, `learn(from, to)` takes in a change if it can, and `forget()` starts anew.
template <class Direction, class Learn, class Forget>
Point quasi_newton(const Wolfe& search, Run& run, const Direction& direction, const Learn& learn,
                   const Forget& forget) {
  check_search(search);
  Point at = run.start(), next;
  Vector d;
  bool knows_curvature = false;
  double length = 0, size = norm(at.gradient);
  while (run.goes_on(at, size, length)) {
    direction(at.gradient, d);
    // The first step has no scale; later ones have length 1.
    const double first = search.first / std::fmax(1, size);
    length = line_search(search, run, at, d, knows_curvature ? search.first : first, next);
    if (length == 0 && knows_curvature) {
      forget();
      knows_curvature = false;
      d = times(-1, at.gradient);
      length = line_search(search, run, at, d, first, next);
    }
    if (length == 0) {
      run.end(Reason::line_search);
      break;
    }
    if (learn(at, next)) knows_curvature = true;
    std::swap(at, next);
    size = norm(at.gradient);
  }
  return at;
}

}  // namespace

Point descend(const BFGS& method, Run& run) {
  Vector inverse;  // (n, n), row by row; empty for a multiple of 1 that is not known yet
  Change change;
  return quasi_newton(
      method.search, run,
      [&](const Vector& g, Vector& d) { d = times(-1, inverse.empty() ? g : product(inverse, g)); },
      [&](const Point& from, const Point& to) {
        change.set(from.x, from.gradient, to.x, to.gradient);
        if (!change.has_curvature()) return false;
        const auto& [s, y, ss, sy, yy] = change;
        const std::size_t n = s.size();
        if (inverse.empty()) {
          inverse.assign(n * n, 0);
          for (std::size_t i = 0; i < n; ++i) inverse[i * n + i] = sy / yy;
        }
        // H <- (1 - s y^T / sy) H (1 - y s^T / sy) + s s^T / sy.
        const Vector hy = product(inverse, y);
        const double factor = (1 + dot(y, hy) / sy) / sy;
        for (std::size_t i = 0; i < n; ++i) {
          for (std::size_t j = 0; j < n; ++j) {
            inverse[i * n + j] += factor * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / sy;
          }
        }
        return true;
      },
      [&] { inverse.clear(); });
}

Point descend(const LBFGS& method, Run& run) {
  if (method.history < 1) {
    throw ArgumentError("LBFGS: history must be at least 1, not " + std::to_string(method.history));
  }
  std::vector<Change> pairs;  // the oldest first
  Change fresh;
  Vector weights;
  return quasi_newton(
      method.search, run,
      // Each loop adds one pair and takes the product with the next in one pass over d.
      [&](const Vector& g, Vector& d) {
        d.resize(g.size());
        for (std::size_t i = 0; i < d.size(); ++i) d[i] = -g[i];
        if (pairs.empty()) return;
        weights.resize(pairs.size());
        double along = dot(pairs.back().s, d);
        for (std::size_t i = pairs.size(); i-- > 0;) {
          weights[i] = along / pairs[i].sy;
          along = add_and_dot(d, -weights[i], pairs[i].y, i > 0 ? pairs[i - 1].s : pairs[0].y);
        }
        const double scale = pairs.back().sy / pairs.back().yy;
        for (double& e : d) e *= scale;
        along *= scale;
        for (std::size_t i = 0; i < pairs.size(); ++i) {
          const Vector& next = pairs[std::min(i + 1, pairs.size() - 1)].y;
          along = add_and_dot(d, weights[i] - along / pairs[i].sy, pairs[i].s, next);
        }
      },
      [&](const Point& from, const Point& to) {
        fresh.set(from.x, from.gradient, to.x, to.gradient);
        if (!fresh.has_curvature()) return false;
        if (std::int64_t(pairs.size()) < method.history) {
          pairs.push_back(std::exchange(fresh, {}));
        } else {  // the oldest pair gives its memory to the next one
          std::rotate(pairs.begin(), pairs.begin() + 1, pairs.end());
          std::swap(pairs.back(), fresh);
        }
        return true;
      },
      [&] { pairs.clear(); });
}

}  // namespace ebb::inline v0::optim::detail
