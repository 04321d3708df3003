// SPDX-License-Identifier: BSD-3-Clause
// Schedules: a number for every step, as a learning rate or a momentum. They are pure functions of
// the number of steps before, 0 at first, so that nothing of them has to be saved:
//
//   optim::Optimizer optimizer(model, optim::SGD{}, optim::Cosine{.rate = 0.1, .steps = 1000});
//   optim::Schedule s = optim::Sequence{{optim::LinearWarmup{.rate = 0.1, .steps = 100}, 100},
//                                       {optim::Cosine{.rate = 0.1, .steps = 900}, 900}};
#pragma once
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <type_traits>
#include <utility>
#include <vector>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0::optim {

/// Any function of the step. An empty one leaves the option of the rule as it is.
class EBB_API Schedule {
 public:
  Schedule() = default;
  /// @throws ArgumentError for options out of their range.
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, Schedule> &&
           std::is_invocable_r_v<double, const F&, std::int64_t>) Schedule(F f)
      : f_(std::move(f)) {
    f_(0);
  }

  /// The number for the step that has `step` steps before it. @throws ArgumentError if it is empty,
  /// and for a negative step.
  double operator()(std::int64_t step) const;
  explicit operator bool() const { return bool(f_); }

  /// The product of two, step by step: a warm-up times a decay, or a rate times a factor.
  friend EBB_API Schedule operator*(Schedule a, Schedule b);

 private:
  std::function<double(std::int64_t)> f_;
};

/// The product of two schedules that are no `Schedule` yet, as LinearWarmup{...} * Cosine{...}.
template <class A, class B>
requires(std::is_class_v<A>&& std::is_class_v<B>&&
             std::is_invocable_r_v<double, const A&, std::int64_t>&&
                 std::is_invocable_r_v<double, const B&, std::int64_t>) Schedule
operator*(A a, B b) {
  return Schedule(std::move(a)) * Schedule(std::move(b));
}

/// Always the same.
struct Constant {
  double rate = 1e-2;
  double operator()(std::int64_t) const { return rate; }
};

/// From one number to another in a straight line, and there it stays.
struct EBB_API LinearRamp {
  double from = 1;
  double to = 0;
  std::int64_t steps = 0;  ///< at least 1: how long it takes
  double operator()(std::int64_t step) const;
};

/// rate / steps, 2 rate / steps, ..., rate, and there it stays. No step is without effect.
struct EBB_API LinearWarmup {
  double rate = 1;
  std::int64_t steps = 0;  ///< at least 1
  double operator()(std::int64_t step) const;
};

/// Falls to `factor` of itself every `every` steps.
struct EBB_API StepDecay {
  double rate = 1e-2;
  std::int64_t every = 0;  ///< at least 1
  double factor = 0.1;     ///< at least 0
  double operator()(std::int64_t step) const;
};

/// Falls to `factor` of itself at each of some steps.
struct EBB_API MultiStep {
  double rate = 1e-2;
  std::vector<std::int64_t> steps = {};
  double factor = 0.1;  ///< at least 0
  double operator()(std::int64_t step) const;
};

/// rate factor^step.
struct EBB_API Exponential {
  double rate = 1e-2;
  double factor = 0.99;  ///< at least 0
  double operator()(std::int64_t step) const;
};

/// end + (rate - end) (1 - step / steps)^power, and then `end`.
struct EBB_API Polynomial {
  double rate = 1e-2;
  std::int64_t steps = 0;  ///< at least 1
  double power = 1;        ///< at least 0
  double end = 0;
  double operator()(std::int64_t step) const;
};

/// Half a wave down: end + (rate - end) (1 + cos(pi step / steps)) / 2, and then `end`.
struct EBB_API Cosine {
  double rate = 1e-2;
  std::int64_t steps = 0;  ///< at least 1
  double end = 0;
  double operator()(std::int64_t step) const;
};

/// Half waves one after another, each `growth` times as long as the one before (Loshchilov and
/// Hutter 2017, SGDR).
struct EBB_API WarmRestarts {
  double rate = 1e-2;
  std::int64_t first = 0;  ///< at least 1: steps of the first
  double growth = 1;       ///< at least 1; lengths are rounded
  double end = 0;
  double operator()(std::int64_t step) const;
};

/// One cycle (Smith and Topin 2018), by half waves: up from peak / start_divisor, for the part
/// `rise` of the steps, and down to a small rate in the rest. The momentum goes the other way.
struct EBB_API OneCycle {
  double peak = 1e-1;
  std::int64_t steps = 0;       ///< at least 1: of the whole run
  double rise = 0.3;            ///< in (0, 1): part of the steps that goes up
  double start_divisor = 25;    ///< above 0
  double end_divisor = 1e4;     ///< above 0: the last rate is that much less than the first
  double low_momentum = 0.85;   ///< at the peak
  double high_momentum = 0.95;  ///< at both ends
  double operator()(std::int64_t step) const;
  /// The momentum, as a schedule.
  Schedule momentum() const;
};

/// rate min((step + 1) / warmup, sqrt(warmup / (step + 1))) (Vaswani et al. 2017): `rate` is the
/// largest.
struct EBB_API InverseSquareRoot {
  double rate = 1e-3;
  std::int64_t warmup = 0;  ///< at least 1
  double operator()(std::int64_t step) const;
};

/// Up and down in straight lines between two numbers (Smith 2017); with a decay below 1, every
/// cycle is that much lower.
struct EBB_API Cyclic {
  double low = 1e-3;
  double high = 1e-2;
  std::int64_t half = 0;  ///< at least 1: steps up, and steps down
  double decay = 1;       ///< at least 0
  double operator()(std::int64_t step) const;
};

/// Schedules one after another, each from its own step 0. The last one goes on for ever.
struct EBB_API Sequence {
  struct Part {
    Schedule schedule;
    std::int64_t steps;  ///< at least 0; of the last part it does not matter
  };
  std::vector<Part> parts;

  Sequence(std::initializer_list<Part> list) : parts(list) {}
  explicit Sequence(std::vector<Part> list) : parts(std::move(list)) {}
  double operator()(std::int64_t step) const;
};

}  // namespace ebb::inline v0::optim
