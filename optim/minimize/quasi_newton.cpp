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

/// The loop that both share. `direction(g)` is minus the approximate inverse Hessian times g, and
/// `learn(s, y)` takes in a change of x and of the gradient; `forget()` starts anew.
template <class Direction, class Learn, class Forget>
Point quasi_newton(const Wolfe& search, Run& run, const Direction& direction, const Learn& learn,
                   const Forget& forget) {
  check_search(search);
  Point at = run.start(), next;
  bool knows_curvature = false;
  double length = 0;
  while (run.goes_on(at, norm(at.gradient), length)) {
    Vector d = direction(at.gradient);
    // The first step has no scale; later ones have length 1.
    const double first =
        knows_curvature ? search.first : search.first / std::fmax(1, norm(at.gradient));
    length = dot(d, at.gradient) < 0 ? line_search(search, run, at, d, first, next) : 0;
    if (length == 0 && knows_curvature) {
      forget();
      knows_curvature = false;
      d = times(-1, at.gradient);
      length =
          line_search(search, run, at, d, search.first / std::fmax(1, norm(at.gradient)), next);
    }
    if (length == 0) {
      run.end(Reason::line_search);
      break;
    }
    Vector s = sum(next.x, -1, at.x), y = sum(next.gradient, -1, at.gradient);
    // A pair without curvature would make the next direction one that does not go down.
    if (dot(s, y) > 1e-10 * norm(s) * norm(y)) {
      learn(std::move(s), std::move(y));
      knows_curvature = true;
    }
    std::swap(at, next);
  }
  return at;
}

}  // namespace

Point descend(const BFGS& method, Run& run) {
  Vector inverse;  // (n, n), row by row; empty for a multiple of 1 that is not known yet
  return quasi_newton(
      method.search, run,
      [&](const Vector& g) { return times(-1, inverse.empty() ? g : product(inverse, g)); },
      [&](const Vector& s, const Vector& y) {
        const std::size_t n = s.size();
        const double sy = dot(s, y);
        if (inverse.empty()) {
          inverse.assign(n * n, 0);
          for (std::size_t i = 0; i < n; ++i) inverse[i * n + i] = sy / dot(y, y);
        }
        // H <- (1 - s y^T / sy) H (1 - y s^T / sy) + s s^T / sy.
        const Vector hy = product(inverse, y);
        const double factor = (1 + dot(y, hy) / sy) / sy;
        for (std::size_t i = 0; i < n; ++i) {
          for (std::size_t j = 0; j < n; ++j) {
            inverse[i * n + j] += factor * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / sy;
          }
        }
      },
      [&] { inverse.clear(); });
}

Point descend(const LBFGS& method, Run& run) {
  if (method.history < 1) {
    throw ArgumentError("LBFGS: history must be at least 1, not " + std::to_string(method.history));
  }
  struct Pair {
    Vector s, y;
    double inverse;  // 1 / s . y
  };
  std::vector<Pair> pairs;  // the oldest first
  return quasi_newton(
      method.search, run,
      [&](const Vector& g) {
        Vector d = times(-1, g), weights(pairs.size());
        for (std::size_t i = pairs.size(); i-- > 0;) {
          weights[i] = pairs[i].inverse * dot(pairs[i].s, d);
          add(d, -weights[i], pairs[i].y);
        }
        if (!pairs.empty()) {
          const Pair& last = pairs.back();
          const double scale = 1 / (last.inverse * dot(last.y, last.y));
          for (double& e : d) e *= scale;
        }
        for (std::size_t i = 0; i < pairs.size(); ++i) {
          add(d, weights[i] - pairs[i].inverse * dot(pairs[i].y, d), pairs[i].s);
        }
        return d;
      },
      [&](Vector s, Vector y) {
        if (std::int64_t(pairs.size()) == method.history) pairs.erase(pairs.begin());
        const double inverse = 1 / dot(s, y);
        pairs.push_back({std::move(s), std::move(y), inverse});
      },
      [&] { pairs.clear(); });
}

}  // namespace ebb::inline v0::optim::detail
