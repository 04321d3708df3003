// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/schedules.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::optim {
namespace {

void check(bool holds, const char* schedule, const char* what, double value) {
  if (holds) return;
  throw ArgumentError(std::string(schedule) + ": " + what + ", not " + ebb::detail::to_text(value));
}
void check_steps(const char* schedule, std::int64_t steps, const char* name = "steps") {
  check(steps >= 1, schedule, (std::string(name) + " must be at least 1").c_str(), double(steps));
}

/// The part of `steps` that is over, at most 1.
double part(std::int64_t step, std::int64_t steps) {
  return double(std::min(step, steps)) / double(steps);
}
double half_wave(double from, double to, double part) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * part)) / 2;
}

}  // namespace

double Schedule::operator()(std::int64_t step) const {
  if (!f_) throw ArgumentError("Schedule: it is empty; give it a function of the step");
  if (step < 0) {
    throw ArgumentError("Schedule: step " + std::to_string(step) +
                        "; the first step has 0 steps before it");
  }
  return f_(step);
}

Schedule operator*(Schedule a, Schedule b) {
  return [a = std::move(a), b = std::move(b)](std::int64_t step) { return a(step) * b(step); };
}

double LinearRamp::operator()(std::int64_t step) const {
  check_steps("LinearRamp", steps);
  return from + (to - from) * part(step, steps);
}

double LinearWarmup::operator()(std::int64_t step) const {
  check_steps("LinearWarmup", steps);
  return rate * part(step + 1, steps);
}

double StepDecay::operator()(std::int64_t step) const {
  check_steps("StepDecay", every, "every");
  check(factor >= 0, "StepDecay", "factor must be at least 0", factor);
  return rate * std::pow(factor, double(step / every));
}

double MultiStep::operator()(std::int64_t step) const {
  check(factor >= 0, "MultiStep", "factor must be at least 0", factor);
  const auto passed = std::ranges::count_if(steps, [&](std::int64_t at) { return at <= step; });
  return rate * std::pow(factor, double(passed));
}

double Exponential::operator()(std::int64_t step) const {
  check(factor >= 0, "Exponential", "factor must be at least 0", factor);
  return rate * std::pow(factor, double(step));
}

double Polynomial::operator()(std::int64_t step) const {
  check_steps("Polynomial", steps);
  check(power >= 0, "Polynomial", "power must be at least 0", power);
  return end + (rate - end) * std::pow(1 - part(step, steps), power);
}

double Cosine::operator()(std::int64_t step) const {
  check_steps("Cosine", steps);
  return half_wave(rate, end, part(step, steps));
}

double WarmRestarts::operator()(std::int64_t step) const {
  check_steps("WarmRestarts", first, "first");
  check(growth >= 1, "WarmRestarts", "growth must be at least 1", growth);
  if (growth == 1) return half_wave(rate, end, double(step % first) / double(first));
  double length = double(first);
  while (step >= std::llround(length)) {
    step -= std::llround(length);
    length *= growth;
  }
  return half_wave(rate, end, double(step) / double(std::llround(length)));
}

namespace {

void check_cycle(const OneCycle& cycle) {
  check_steps("OneCycle", cycle.steps);
  check(cycle.rise > 0 && cycle.rise < 1, "OneCycle", "rise must be in (0, 1)", cycle.rise);
  check(cycle.start_divisor > 0, "OneCycle", "start_divisor must be above 0", cycle.start_divisor);
  check(cycle.end_divisor > 0, "OneCycle", "end_divisor must be above 0", cycle.end_divisor);
}

/// From start over the peak to the end. The peak is at step rise * steps - 1.
double one_cycle(const OneCycle& cycle, std::int64_t step, double start, double peak, double end) {
  const double top = std::max(cycle.rise * double(cycle.steps) - 1, 0.0);
  const double last = double(cycle.steps - 1), now = std::min(double(step), last);
  if (now < top) return half_wave(start, peak, now / top);
  return last > top ? half_wave(peak, end, (now - top) / (last - top)) : peak;
}

}  // namespace

double OneCycle::operator()(std::int64_t step) const {
  check_cycle(*this);
  const double start = peak / start_divisor;
  return one_cycle(*this, step, start, peak, start / end_divisor);
}

Schedule OneCycle::momentum() const {
  return [cycle = *this](std::int64_t step) {
    check_cycle(cycle);
    return one_cycle(cycle, step, cycle.high_momentum, cycle.low_momentum, cycle.high_momentum);
  };
}

double InverseSquareRoot::operator()(std::int64_t step) const {
  check_steps("InverseSquareRoot", warmup, "warmup");
  const double now = double(step + 1), top = double(warmup);
  return rate * std::min(now / top, std::sqrt(top / now));
}

double Cyclic::operator()(std::int64_t step) const {
  check_steps("Cyclic", half, "half");
  check(decay >= 0, "Cyclic", "decay must be at least 0", decay);
  const std::int64_t cycle = step / (2 * half), at = step % (2 * half);
  const double up = double(at <= half ? at : 2 * half - at) / double(half);
  return low + (high - low) * up * std::pow(decay, double(cycle));
}

double Sequence::operator()(std::int64_t step) const {
  if (parts.empty()) throw ArgumentError("Sequence: there is no part");
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    check(parts[i].steps >= 0, "Sequence", "the steps of a part must be at least 0",
          double(parts[i].steps));
    if (step < parts[i].steps) return parts[i].schedule(step);
    step -= parts[i].steps;
  }
  return parts.back().schedule(step);
}

}  // namespace ebb::inline v0::optim
