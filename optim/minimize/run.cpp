// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/minimize/run.hpp"

#include <cmath>
#include <ostream>
#include <utility>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::optim {

std::string to_string(Reason reason) {
  switch (reason) {
    case Reason::gradient:
      return "the gradient is small";
    case Reason::change:
      return "the value changes little";
    case Reason::gap:
      return "the duality gap is small";
    case Reason::target:
      return "the value has reached its target";
    case Reason::iterations:
      return "as many iterations as were allowed";
    case Reason::evaluations:
      return "as many evaluations as were allowed";
    case Reason::time:
      return "as much time as was allowed";
    case Reason::line_search:
      return "no step along the direction makes the value smaller";
    case Reason::not_finite:
      return "the value or the gradient is not finite";
    case Reason::report:
      return "the report asked for no more";
  }
  return "unknown";
}
std::ostream& operator<<(std::ostream& out, Reason reason) { return out << to_string(reason); }

namespace detail {

bool Point::is_finite() const { return std::isfinite(value) && detail::is_finite(gradient); }

Run::Run(Objective& f, const Stop& stop, const Watch& watch) : f_(f), stop_(stop), watch_(watch) {
  const auto check = [](bool holds, const char* what) {
    if (!holds) throw ArgumentError(std::string("Stop: ") + what);
  };
  check(stop.gradient >= 0, "gradient must be at least 0");
  check(stop.change >= 0, "change must be at least 0");
  check(!std::isnan(stop.target), "target must be a number");
  check(stop.iterations >= 0, "iterations must be at least 0");
  check(stop.evaluations >= 1, "evaluations must be at least 1");
  check(stop.seconds >= 0, "seconds must be at least 0");
}

Point Run::start() {
  Point at;
  at.x = f_.start();
  evaluate(at);
  return at;
}

double Run::value(const Vector& x) {
  ++values_;
  return f_.value(x);
}

void Run::evaluate(Point& point) {
  ++gradients_;
  point.value = f_.value_and_gradient(point.x, point.gradient);
}

Vector Run::hvp(const Vector& x, const Vector& v) {
  ++products_;
  return f_.hvp(x, v);
}

Vector Run::hessian(const Vector& x) {
  products_ += std::int64_t(x.size());
  return f_.hessian(x);
}

bool Run::goes_on(const Point& at, double gradient_norm, double step) {
  const double before = last_value_;
  if (has_started_) ++iterations_;
  last_value_ = at.value;
  gradient_norm_ = gradient_norm;
  if (watch_.path) path_.push_back(at.x);
  const bool wants_more =
      !watch_.report || watch_.report({iterations_, at.value, gradient_norm, step, evaluations()});
  const auto stops = [&](bool holds, Reason reason) {
    if (holds) reason_ = reason;
    return holds;
  };
  const bool is_first = !std::exchange(has_started_, true);
  const double scale = std::fmax(1, std::fmax(std::abs(before), std::abs(at.value)));
  return !(
      stops(!at.is_finite(), Reason::not_finite) ||
      stops(gradient_norm <= stop_.gradient, Reason::gradient) ||
      stops(at.value <= stop_.target, Reason::target) ||
      stops(!is_first && stop_.change > 0 && std::abs(before - at.value) <= stop_.change * scale,
            Reason::change) ||
      stops(!wants_more, Reason::report) ||
      stops(iterations_ >= stop_.iterations, Reason::iterations) ||
      stops(evaluations() >= stop_.evaluations, Reason::evaluations) ||
      stops(std::chrono::duration<double>(Clock::now() - began_).count() >= stop_.seconds,
            Reason::time));
}

Outcome Run::outcome(Point at) {
  Outcome outcome;
  outcome.at = std::move(at);
  outcome.gradient_norm = gradient_norm_;
  outcome.iterations = iterations_;
  outcome.values = values_;
  outcome.gradients = gradients_;
  outcome.products = products_;
  outcome.reason = reason_;
  outcome.path = std::move(path_);
  return outcome;
}

}  // namespace detail
}  // namespace ebb::inline v0::optim
