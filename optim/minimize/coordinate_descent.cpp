// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/minimize/coordinate_descent.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::optim::detail {
namespace {

/// The part of the shortest subgradient that belongs to a coordinate, without its sign.
double subgradient(double x, double gradient, double l1) {
  if (x != 0) return std::abs(gradient + std::copysign(l1, x));
  return std::fmax(std::abs(gradient) - l1, 0);
}

/// The coordinates that are not 0, and of those that should not be 0 the ones with the largest
/// slopes: at most as many again, or 64 if there are few.
std::vector<std::size_t> working_set(const Point& at, double l1) {
  std::vector<std::size_t> members, others;
  for (std::size_t j = 0; j < at.x.size(); ++j) {
    if (at.x[j] != 0) {
      members.push_back(j);
    } else if (std::abs(at.gradient[j]) > l1) {
      others.push_back(j);
    }
  }
  const std::size_t most = std::max<std::size_t>(64, members.size());
  if (others.size() > most) {
    const auto steeper = [&](std::size_t i, std::size_t j) {
      return std::abs(at.gradient[i]) > std::abs(at.gradient[j]);
    };
    std::nth_element(others.begin(), others.begin() + std::ptrdiff_t(most), others.end(), steeper);
    others.resize(most);
  }
  members.insert(members.end(), others.begin(), others.end());
  std::sort(members.begin(), members.end());
  return members;
}

/// What a sweep has done.
struct Swept {
  double decrease = 0;  ///< of the value
  double square = 0;    ///< of the norm of the subgradients as they were met
  double largest_change = 0, largest = 0;
  bool changes_signs = false;
};

double sign(double x) { return double(x > 0) - double(x < 0); }

/// The best place of a coordinate at x, where -gradient is `slope`.
double best(double x, double slope, double curvature, double l1, std::size_t j) {
  if (curvature > 0) return soft_threshold(slope + curvature * x, l1) / curvature;
  if (std::abs(slope) > l1) {
    throw ArgumentError(
        "CoordinateDescent: there is no minimum: the function falls without end "
        "along coordinate " +
        std::to_string(j) + ", where the quadratic has no curvature");
  }
  return l1 > 0 ? 0 : x;
}

/// Counts the change of a coordinate.
void count(Swept& swept, double from, double to, double slope, double curvature, double l1) {
  const double change = to - from;
  swept.decrease +=
      change * (slope - curvature * change / 2) - l1 * (std::abs(to) - std::abs(from));
  swept.square += curvature * change * curvature * change;
  swept.largest_change = std::fmax(swept.largest_change, std::abs(change));
  swept.changes_signs |= sign(from) != sign(to);
}

/// A sweep by the elements of A that belong to the members (covariance updates).
Swept sweep(const std::vector<std::size_t>& members, const Vector& block, Vector& slopes, Vector& x,
            double l1) {
  Swept swept;
  const std::size_t k = members.size();
  for (std::size_t i = 0; i < k; ++i) {
    const double* const row = block.data() + i * k;
    double& at = x[members[i]];
    const double to = best(at, slopes[i], row[i], l1, members[i]);
    if (to != at) {
      count(swept, at, to, slopes[i], row[i], l1);
      const double change = to - at;
      for (std::size_t m = 0; m < k; ++m) slopes[m] -= change * row[m];
      at = to;
    }
    swept.largest = std::fmax(swept.largest, std::abs(at));
  }
  return swept;
}

/// A sweep by what the function itself keeps (residual updates).
Swept sweep(const std::vector<std::size_t>& members, L1Objective& f, Vector& x, double l1) {
  Swept swept;
  for (const std::size_t j : members) {
    const double curvature = f.curvature(j), slope = f.slope(j, x);
    const double to = best(x[j], slope, curvature, l1, j);
    if (to != x[j]) {
      count(swept, x[j], to, slope, curvature, l1);
      f.move(j, to - x[j]);
      x[j] = to;
    }
    swept.largest = std::fmax(swept.largest, std::abs(x[j]));
  }
  return swept;
}

/// Solves a x = b for a symmetric matrix (n, n), whose lower half becomes its Cholesky factor; b
/// becomes x. False if the matrix is not positive definite, to rounding.
bool solve(Vector& a, Vector& b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) {
    double* const row = a.data() + i * n;
    const double whole = row[i];
    for (std::size_t j = 0; j <= i; ++j) {
      const double* const other = a.data() + j * n;
      const double sum = row[j] - dot(row, other, j);
      if (j < i) {
        row[j] = sum / other[j];
      } else {
        if (!(sum > 1e-14 * whole)) return false;
        row[i] = std::sqrt(sum);
      }
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    b[i] = (b[i] - dot(a.data() + i * n, b.data(), i)) / a[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    b[i] /= a[i * n + i];
    for (std::size_t k = 0; k < i; ++k) b[k] -= a[i * n + k] * b[i];
  }
  return true;
}

/// Newton's step in the members that are not 0, until the first of them is. Returns the decrease of
/// the value, and whether a member has become 0.
std::pair<double, bool> newton(const std::vector<std::size_t>& members, const Vector& block,
                               Vector& slopes, Vector& x, double l1) {
  std::vector<std::size_t> support;
  for (std::size_t i = 0; i < members.size(); ++i)
    if (x[members[i]] != 0) support.push_back(i);
  const std::size_t k = members.size(), count = support.size();
  Vector downhill, step;
  for (const std::size_t i : support) downhill.push_back(slopes[i] - l1 * sign(x[members[i]]));
  // Where the matrix is singular, a little more on its diagonal leads along its flat directions.
  double more = 0;
  const auto has_step = [&](double part) {
    Vector a;
    double largest = 0;
    for (const std::size_t i : support) {
      for (const std::size_t j : support) a.push_back(block[i * k + j]);
      largest = std::fmax(largest, block[i * k + i]);
    }
    more = part * largest;
    for (std::size_t i = 0; i < count; ++i) a[i * count + i] += more;
    step = downhill;
    return solve(a, step);
  };
  if (!has_step(0) && !has_step(1e-10)) return {0, false};
  const double slope = dot(downhill, step), curvature = slope - more * dot(step, step);
  double length = curvature > 0 ? slope / curvature : std::numeric_limits<double>::infinity();
  std::size_t first = count;
  for (std::size_t i = 0; i < count; ++i) {
    const double most = -x[members[support[i]]] / step[i];
    if (most > 0 && most < length) {
      length = most;
      first = i;
    }
  }
  if (!(length * slope > 0) || std::isinf(length)) return {0, false};
  for (std::size_t i = 0; i < count; ++i) {
    double& at = x[members[support[i]]];
    const double to = i == first ? 0 : at + length * step[i], change = to - at;
    for (std::size_t m = 0; m < k; ++m) slopes[m] -= change * block[support[i] * k + m];
    at = to;
  }
  return {length * (slope - length * curvature / 2), first < count};
}

/// The norm of the shortest subgradient, and the value with the penalty.
double look(Point& at, double l1) {
  double square = 0, sum = 0;
  for (std::size_t j = 0; j < at.x.size(); ++j) {
    const double part = subgradient(at.x[j], at.gradient[j], l1);
    square += part * part;
    sum += std::abs(at.x[j]);
  }
  at.value += l1 * sum;
  return std::sqrt(square);
}

}  // namespace

Point descend(const CoordinateDescent& method, L1Objective& f, Run& run) {
  if (!(method.gap >= 0)) {
    throw ArgumentError("CoordinateDescent: gap must be at least 0, not " +
                        ebb::detail::to_text(method.gap));
  }
  constexpr double part = 1e-3;  // of its norm, to which the subgradient falls between two looks
  constexpr double rounding = 4 * std::numeric_limits<double>::epsilon();
  const double l1 = f.l1();
  Point at = run.start(), before;
  double norm = look(at, l1);
  bool is_stuck = false;
  before = at;
  while (run.goes_on(at, norm)) {
    if (f.relative_gap(at) <= method.gap) {
      run.end(Reason::gap);
      break;
    }
    if (is_stuck) {  // what is left is below rounding
      run.end(Reason::line_search);
      break;
    }
    before = at;
    const std::vector<std::size_t> members = working_set(at, l1);
    const Vector block = f.block(members);
    Vector slopes;
    for (const std::size_t j : members) slopes.push_back(-at.gradient[j]);
    const double small = std::fmax(part * norm, run.stop().gradient);
    bool goes_on = true, is_first = true;
    std::size_t steady = 0;  // sweeps without a change of signs
    while (goes_on) {
      const Swept swept =
          block.empty() ? sweep(members, f, at.x, l1) : sweep(members, block, slopes, at.x, l1);
      at.value -= swept.decrease;
      const double now = std::sqrt(swept.square);
      const bool is_rounding = swept.largest_change <= rounding * swept.largest;
      is_stuck = is_first && is_rounding;
      is_first = false;
      if (now <= small || is_rounding) break;
      steady = swept.changes_signs ? 0 : steady + 1;
      // As many sweeps as take about the time of the factor.
      if (method.accelerate && !block.empty() &&
          steady >= std::max<std::size_t>(4, members.size() / 6)) {
        for (int trial = 0; trial < 8; ++trial) {
          const auto [decrease, is_at_border] = newton(members, block, slopes, at.x, l1);
          at.value -= decrease;
          if (!is_at_border) break;
        }
        steady = 0;
      }
      goes_on = run.goes_on(at, now);
    }
    if (!goes_on) break;
    run.evaluate(at);
    norm = look(at, l1);
  }
  return at.is_finite() ? at : before;
}

}  // namespace ebb::inline v0::optim::detail
