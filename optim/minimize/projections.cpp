// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/minimize/projections.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::optim {
namespace {

void check(bool holds, const char* name, const char* what, double value) {
  if (holds) return;
  throw ArgumentError(std::string(name) + ": " + what + ", not " + ebb::detail::to_text(value));
}

double length(std::span<const double> x) {
  double sum = 0;
  for (double e : x) sum += e * e;
  return std::sqrt(sum);
}

/// The t at which the elements above it exceed it by `excess` in total.
double threshold(std::vector<double> x, double excess) {
  std::sort(x.begin(), x.end(), std::greater<>());
  double sum = 0, t = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += x[i];
    const double now = (sum - excess) / double(i + 1);
    if (now >= x[i]) break;
    t = now;
  }
  return t;
}

}  // namespace

void NonNegative::operator()(std::span<double> x) const {
  for (double& e : x) e = e < 0 ? 0 : e;
}

void Box::operator()(std::span<double> x) const {
  const auto fits = [&](const std::vector<double>& list) {
    return list.size() == 1 || list.size() == x.size();
  };
  if (!fits(low) || !fits(high)) {
    throw ArgumentError("Box: low has " + std::to_string(low.size()) + " numbers and high " +
                        std::to_string(high.size()) + "; x has " + std::to_string(x.size()) +
                        ": give one for all, or one for each");
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double a = low[low.size() == 1 ? 0 : i], b = high[high.size() == 1 ? 0 : i];
    check(a <= b, "Box", "low must be at most high", a);
    x[i] = x[i] < a ? a : x[i] > b ? b : x[i];
  }
}

void Ball::operator()(std::span<double> x) const {
  check(radius >= 0, "Ball", "radius must be at least 0", radius);
  const double size = length(x);
  if (!(size > radius)) return;
  for (double& e : x) e *= radius / size;
}

void L1Ball::operator()(std::span<double> x) const {
  check(radius >= 0, "L1Ball", "radius must be at least 0", radius);
  std::vector<double> magnitudes(x.size());
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += magnitudes[i] = std::abs(x[i]);
  if (!(sum > radius)) return;
  const double t = threshold(std::move(magnitudes), radius);
  for (double& e : x) e = detail::soft_threshold(e, t);
}

void Simplex::operator()(std::span<double> x) const {
  check(sum > 0, "Simplex", "sum must be above 0", sum);
  const double t = threshold({x.begin(), x.end()}, sum);
  for (double& e : x) e = std::fmax(e - t, 0);
}

Penalty l1_penalty(double weight) { return elastic_net_penalty(weight, 0); }

Penalty elastic_net_penalty(double l1, double l2) {
  check(l1 >= 0, "elastic_net_penalty", "l1 must be at least 0", l1);
  check(l2 >= 0, "elastic_net_penalty", "l2 must be at least 0", l2);
  return {[=](std::span<const double> x) {
            double sum = 0;
            for (double e : x) sum += l1 * std::abs(e) + l2 / 2 * e * e;
            return sum;
          },
          [=](std::span<double> z, double step) {
            for (double& e : z) e = detail::soft_threshold(e, l1 * step) / (1 + l2 * step);
          }};
}

Penalty group_penalty(double weight, std::int64_t size) {
  check(weight >= 0, "group_penalty", "weight must be at least 0", weight);
  check(size >= 1, "group_penalty", "size must be at least 1", double(size));
  const auto group = [=](auto x, std::size_t first) {
    if (x.size() % std::size_t(size) != 0) {
      throw ArgumentError("group_penalty: " + std::to_string(x.size()) +
                          " numbers are no whole groups of " + std::to_string(size));
    }
    return x.subspan(first, std::size_t(size));
  };
  return {[=](std::span<const double> x) {
            double sum = 0;
            for (std::size_t i = 0; i < x.size(); i += std::size_t(size))
              sum += weight * length(group(x, i));
            return sum;
          },
          [=](std::span<double> z, double step) {
            for (std::size_t i = 0; i < z.size(); i += std::size_t(size)) {
              const auto part = group(z, i);
              const double norm = length(part);
              const double factor = norm > weight * step ? 1 - weight * step / norm : 0;
              for (double& e : part) e *= factor;
            }
          }};
}

Penalty nuclear_penalty(double weight, std::int64_t rows, std::int64_t columns) {
  check(weight >= 0, "nuclear_penalty", "weight must be at least 0", weight);
  const auto matrix = [=](std::span<const double> x) {
    if (rows < 1 || columns < 1 || std::int64_t(x.size()) != rows * columns) {
      throw ArgumentError("nuclear_penalty: " + std::to_string(x.size()) +
                          " numbers are no matrix (" + std::to_string(rows) + ", " +
                          std::to_string(columns) + ")");
    }
    return Tensor<double>(Array<double>(Shape{rows, columns}, x));
  };
  return {[=](std::span<const double> x) { return weight * sum(svd(matrix(x)).s).item(); },
          [=](std::span<double> z, double step) {
            const auto parts = svd(matrix(z));
            const auto s = relu(parts.s - weight * step);
            const Array<double> low = matmul(parts.u * s, parts.vh).array();
            std::copy(low.begin(), low.end(), z.begin());
          }};
}

namespace detail {

Point descend(const ProjectedGradient& method, Run& run) {
  if (!method.onto) throw ArgumentError("ProjectedGradient: give it a set to project on");
  constexpr std::size_t memory = 10;
  const auto project = [&](Vector& x) {
    method.onto(x);
    run.objective().round(x);
  };
  // |x - projection of (x - g)|, which is 0 at a solution and only there.
  const auto mapping = [&](const Point& at) {
    Vector y = sum(at.x, -1, at.gradient);
    project(y);
    return norm(sum(at.x, -1, y));
  };
  Point at, next;
  at.x = run.objective().start();
  project(at.x);
  run.evaluate(at);
  Vector values;
  double step = 1 / std::fmax(1, norm(at.gradient)), length = 0;
  while (run.goes_on(at, mapping(at), length)) {
    values.push_back(at.value);
    if (values.size() > memory) values.erase(values.begin());
    const double highest = *std::max_element(values.begin(), values.end());
    Vector d = sum(at.x, -step, at.gradient);
    project(d);
    add(d, -1, at.x);
    const double slope = dot(at.gradient, d);
    bool is_lower = false;
    length = 1;
    for (int trial = 0; trial < 60; ++trial, length /= 2) {
      next.x = sum(at.x, length, d);
      project(next.x);
      run.evaluate(next);
      is_lower =
          next.is_finite() && run.is_lower(next.value, highest, -1e-4 * length * slope, trial == 0);
      if (is_lower) break;
    }
    if (!is_lower || next.x == at.x) {
      run.end(Reason::line_search);
      break;
    }
    const Vector s = sum(next.x, -1, at.x), y = sum(next.gradient, -1, at.gradient);
    const double now = dot(s, s) / dot(s, y);
    step = now > 0 && std::isfinite(now) ? std::clamp(now, 1e-10, 1e10)
                                         : 1 / std::fmax(1, norm(next.gradient));
    std::swap(at, next);
  }
  return at;
}

Point descend(const ProximalGradient& method, Run& run) {
  if (!method.penalty.value || !method.penalty.prox)
    throw ArgumentError("ProximalGradient: give it a penalty, such as l1_penalty(0.1)");
  check(method.first > 0, "ProximalGradient", "first must be above 0", method.first);
  const Penalty& penalty = method.penalty;
  // A step from a point, and whether the quadratic model at its length is above the function there.
  const auto step_from = [&](const Point& from, double step, Point& to) {
    to.x = sum(from.x, -step, from.gradient);
    penalty.prox(to.x, step);
    run.objective().round(to.x);
    run.evaluate(to);
    const Vector d = sum(to.x, -1, from.x);
    return to.is_finite() && to.value <= from.value + dot(from.gradient, d) +
                                             dot(d, d) / (2 * step) + run.slack(from.value);
  };
  // The point as it is reported: the penalty is a part of its value.
  const auto whole = [&](const Point& point) {
    Point sum = point;
    sum.value += penalty.value(point.x);
    return sum;
  };
  Point ahead = run.start(), at = whole(ahead), next;
  double step = method.first, momentum = 1, length = 0, mapping = norm(ahead.gradient);
  {
    Vector y = sum(ahead.x, -1, ahead.gradient);
    penalty.prox(y, 1);
    mapping = norm(sum(ahead.x, -1, y));
  }
  while (run.goes_on(at, mapping, length)) {
    int trial = 0;
    while (!step_from(ahead, step, next) && ++trial < 60) step /= 2;
    if (trial == 60) {
      run.end(Reason::line_search);
      break;
    }
    length = step;
    mapping = norm(sum(next.x, -1, ahead.x)) / step;
    const Vector change = sum(next.x, -1, at.x);
    double factor = 0;
    if (method.accelerate) {
      const double before = momentum;
      momentum = (1 + std::sqrt(1 + 4 * before * before)) / 2;
      factor = (before - 1) / momentum;
      // The momentum points up where it opposes the last step.
      if (method.restart && dot(sum(ahead.x, -1, next.x), change) > 0) {
        momentum = 1;
        factor = 0;
      }
    }
    at = whole(next);
    if (factor == 0) {
      ahead = next;
    } else {
      ahead.x = sum(next.x, factor, change);
      run.objective().round(ahead.x);
      run.evaluate(ahead);
      if (!ahead.is_finite()) {
        ahead = next;
        momentum = 1;
      }
    }
  }
  return at;
}

}  // namespace detail
}  // namespace ebb::inline v0::optim
