// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/minimize/line_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::optim::detail {
namespace {

constexpr int most_trials = 60;  // halving 1 sixty times is below rounding

void check(bool holds, const char* search, const char* what) {
  if (!holds) throw ArgumentError(std::string(search) + ": " + what);
}

/// The value and the slope along a direction at a step.
struct Trial {
  double step, value, slope;
};

/// Where the cubic through two values and slopes is least, kept away from both ends.
double interpolate(const Trial& a, const Trial& b) {
  const double middle = (a.step + b.step) / 2;
  if (!std::isfinite(b.value) || !std::isfinite(b.slope)) return middle;
  const double d = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step);
  const double square = d * d - a.slope * b.slope;
  if (!(square >= 0)) return middle;
  const double root = std::copysign(std::sqrt(square), b.step - a.step);
  const double step =
      b.step - (b.step - a.step) * (b.slope + root - d) / (b.slope - a.slope + 2 * root);
  const double low = std::min(a.step, b.step), high = std::max(a.step, b.step);
  const double margin = 0.1 * (high - low);
  return std::isfinite(step) ? std::clamp(step, low + margin, high - margin) : middle;
}

/// The trials of one search.
class Line {
 public:
  Line(const Wolfe& search, Run& run, const Point& at, const Vector& d)
      : search_(search), run_(run), at_(at), d_(d), start_{0, at.value, dot(at.gradient, d)} {}

  const Trial& start() const { return start_; }
  /// Evaluates a step; the point stays in `next`.
  Trial evaluate(double step, Point& next) {
    ++trials_;
    set_sum(next.x, at_.x, step, d_);
    run_.objective().round(next.x);
    run_.evaluate(next);
    return {step, next.value, dot(next.gradient, d_)};
  }
  bool has_trials() const { return trials_ < most_trials; }
  bool is_low(const Trial& t) const {
    return t.value <=
           start_.value + search_.decrease * t.step * start_.slope + run_.slack(start_.value);
  }
  bool is_flat(const Trial& t) const {
    return search_.strong ? std::abs(t.slope) <= -search_.curvature * start_.slope
                          : t.slope >= search_.curvature * start_.slope;
  }

  /// No step bounds the slope, within rounding: one that is lower is better than none.
  double lowest(const Trial& t, Point& next) {
    if (t.step == 0 || !(t.value < start_.value)) return 0;
    evaluate(t.step, next);
    return t.step;
  }

 private:
  const Wolfe& search_;
  Run& run_;
  const Point& at_;
  const Vector& d_;
  Trial start_;
  int trials_ = 0;
};

/// Narrows an interval between a low trial and another one until a step is good.
double zoom(Line& line, Trial low, Trial high, Point& next) {
  while (line.has_trials() && low.step != high.step) {
    const Trial t = line.evaluate(interpolate(low, high), next);
    if (!std::isfinite(t.value) || !next.is_finite() || !line.is_low(t) || t.value > low.value) {
      high = t;
      continue;
    }
    if (line.is_flat(t)) return t.step;
    if (t.slope * (high.step - low.step) >= 0) high = low;
    low = t;
  }
  return line.lowest(low, next);
}

}  // namespace

void check_search(const Armijo& s) {
  check(s.first > 0, "Armijo", "first must be above 0");
  check(s.decrease > 0 && s.decrease < 1, "Armijo", "decrease must be in (0, 1)");
  check(s.shrink > 0 && s.shrink < 1, "Armijo", "shrink must be in (0, 1)");
}

void check_search(const Wolfe& s) {
  check(s.first > 0, "Wolfe", "first must be above 0");
  check(s.decrease > 0 && s.decrease < s.curvature, "Wolfe", "decrease must be in (0, curvature)");
  check(s.curvature < 1, "Wolfe", "curvature must be in (decrease, 1)");
}

double line_search(const Armijo& search, Run& run, const Point& at, const Vector& d, double first,
                   Point& next) {
  const double slope = dot(at.gradient, d);
  if (!(slope < 0)) return 0;
  double step = first;
  for (int trial = 0; trial < most_trials; ++trial, step *= search.shrink) {
    set_sum(next.x, at.x, step, d);
    if (next.x == at.x) break;
    run.objective().round(next.x);
    next.value = run.value(next.x);
    if (!run.is_lower(next.value, at.value, -search.decrease * step * slope, trial == 0)) continue;
    run.evaluate(next);
    if (next.is_finite()) return step;
  }
  return 0;
}

double line_search(const Wolfe& search, Run& run, const Point& at, const Vector& d, double first,
                   Point& next) {
  Line line(search, run, at, d);
  Trial before = line.start();
  if (!(before.slope < 0)) return 0;
  double step = first, limit = std::numeric_limits<double>::infinity();
  while (line.has_trials()) {
    const Trial t = line.evaluate(step, next);
    if (!next.is_finite()) {
      limit = step;
      step = before.step + (step - before.step) / 4;
      continue;
    }
    if (!line.is_low(t) || (before.step > 0 && t.value >= before.value))
      return zoom(line, before, t, next);
    if (line.is_flat(t)) return step;
    if (t.slope >= 0) return zoom(line, t, before, next);
    before = t;
    step = std::min(2 * step, step + (limit - step) / 2);
  }
  return line.lowest(before, next);
}

}  // namespace ebb::inline v0::optim::detail
