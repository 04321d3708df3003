// SPDX-License-Identifier: BSD-3-Clause
// One minimisation: the point where it is, its evaluations, and when it stops.
#pragma once
#include <chrono>

#include "ebb/optim/minimize/objective.hpp"
#include "ebb/optim/minimize/result.hpp"
#include "ebb/optim/minimize/vectors.hpp"

namespace ebb::inline v0::optim::detail {

/// A point, and what is known there.
struct Point {
  Vector x;
  double value = 0;
  Vector gradient;

  bool is_finite() const;
};

/// Where a minimisation has come to, in double.
struct Outcome {
  Point at;
  double gradient_norm = 0;
  std::int64_t iterations = 0, values = 0, gradients = 0, products = 0;
  Reason reason = Reason::iterations;
  std::vector<Vector> path;
  Vector covariance;
};

class Run {
 public:
  Run(Objective& f, const Stop& stop, const Watch& watch);

  Objective& objective() { return f_; }
  const Stop& stop() const { return stop_; }
  /// The start with its value and gradient.
  Point start();
  /// The start alone.
  Vector start_x() const { return f_.start(); }
  /// Goes on with a minimisation that has done so much.
  void resume(std::int64_t iterations, std::int64_t values, std::int64_t gradients) {
    iterations_ = iterations;
    values_ = values;
    gradients_ = gradients;
  }
  double value(const Vector& x);
  void evaluate(Point& point);
  Vector hvp(const Vector& x, const Vector& v);
  Vector hessian(const Vector& x);

  /// Called with the start, and with the point of each iteration, whose gradient has this norm;
  /// `step` is the length of the step that led to it. False if the minimisation is over.
  bool goes_on(const Point& at, double gradient_norm, double step = 0);
  /// Ends the minimisation where it is.
  void end(Reason reason) { reason_ = reason; }
  /// The values that a point next to x can differ by though the function is the same.
  double slack(double value) const { return 4 * f_.epsilon() * std::abs(value); }
  /// Whether a value is lower than before by at least `least`, a positive number. Only the first
  /// trial may be as high, or higher by rounding: ever shorter steps would get away with climbing.
  bool is_lower(double value, double before, double least, bool is_first) const {
    return is_first ? value <= before - least + slack(before)
                    : value < before && value <= before - least;
  }
  std::int64_t iterations() const { return iterations_; }
  std::int64_t values() const { return values_; }
  std::int64_t gradients() const { return gradients_; }

  Outcome outcome(Point at);

 private:
  using Clock = std::chrono::steady_clock;
  std::int64_t evaluations() const { return values_ + gradients_ + products_; }

  Objective& f_;
  const Stop& stop_;
  const Watch& watch_;
  Clock::time_point began_ = Clock::now();
  bool has_started_ = false;
  double last_value_ = 0, gradient_norm_ = 0;
  std::int64_t iterations_ = 0, values_ = 0, gradients_ = 0, products_ = 0;
  Reason reason_ = Reason::iterations;
  std::vector<Vector> path_;
};

}  // namespace ebb::inline v0::optim::detail
