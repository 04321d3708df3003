// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/fit.hpp"

#include <algorithm>
#include <csignal>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::optim::detail {
namespace {

volatile std::sig_atomic_t is_interrupted = 0;

void interrupt(int) {
  is_interrupted = 1;
  std::signal(SIGINT, SIG_DFL);  // the second one ends the program
}

void check(bool holds, const char* what) {
  if (!holds) throw ArgumentError(std::string("fit: ") + what);
}

}  // namespace

FitLoop::FitLoop(const FitOptions& options, std::int64_t batches)
    : options_(options), batches_of_epoch_(batches) {
  check(options.epochs >= 0, "epochs must be at least 0");
  check(options.steps >= 0, "steps must be at least 0");
  check(options.seconds >= 0, "seconds must be at least 0");
  check(options.accumulate >= 1, "accumulate must be at least 1");
  check(options.clip_norm > 0, "clip_norm must be above 0");
  check(options.clip_value > 0, "clip_value must be above 0");
  for (const Metric& metric : options.metrics) {
    check(bool(metric.compute), "a metric needs a function");
    history_.metrics.push_back(metric.name);
  }
  for (const Callback* callback : options.callbacks) check(callback, "a callback is null");
  if (options.catch_interrupt) {
    is_interrupted = 0;
    old_handler_ = std::signal(SIGINT, interrupt);
  }
  if (options.steps == 0) end(Ending::steps);
}

FitLoop::~FitLoop() {
  if (options_.catch_interrupt) std::signal(SIGINT, old_handler_);
  if (is_told_) return;
  // Training ends by an exception: the model gets its best weights all the same.
  for (Callback* callback : options_.callbacks) {
    try {
      callback->at_end();
    } catch (...) {  // the first exception says more
    }
  }
}

bool FitLoop::begins_epoch() {
  if (is_over_) return false;
  if (epoch_ >= options_.epochs) {
    end(Ending::epochs);
    return false;
  }
  ++epoch_;
  epoch_batches_ = epoch_steps_ = 0;
  epoch_rows_ = loss_sum_ = norm_sum_ = clipped_sum_ = 0;
  return true;
}

bool FitLoop::counts(double loss, std::int64_t rows) {
  ++epoch_batches_;
  epoch_rows_ += double(rows);
  loss_sum_ += loss * double(rows);
  ++waiting_;
  waiting_rows_ += double(rows);
  waiting_loss_ += loss * double(rows);
  return waiting_ >= options_.accumulate;
}

StepOptions FitLoop::step_options(double norm) const {
  const double scale = mean_scale();
  const double clip = options_.clip_norm < norm * scale ? options_.clip_norm / (norm * scale) : 1;
  return {.scale = scale * clip, .clip_value = options_.clip_value};
}

bool FitLoop::tell(const auto& f) {
  bool goes_on = true;
  for (Callback* callback : options_.callbacks) goes_on &= f(*callback);
  if (!goes_on) end(Ending::callback);
  return goes_on;
}

bool FitLoop::after_step(std::int64_t step, double norm, double learning_rate) {
  const double whole = norm * mean_scale(), clipped = norm * step_options(norm).scale;
  ++steps_;
  ++epoch_steps_;
  norm_sum_ += whole;
  clipped_sum_ += clipped;
  rate_ = learning_rate;
  const double loss = waiting_rows_ > 0 ? waiting_loss_ / waiting_rows_ : 0;
  waiting_ = 0;
  waiting_rows_ = waiting_loss_ = 0;
  tell([&](Callback& callback) {
    return callback.after_step(
        {epoch_, step, epoch_batches_, batches_of_epoch_, loss, whole, clipped, learning_rate});
  });
  if (steps_ >= options_.steps) end(Ending::steps);
  if (options_.seconds < std::numeric_limits<double>::infinity() && seconds() >= options_.seconds)
    end(Ending::time);
  if (options_.catch_interrupt && is_interrupted) end(Ending::interrupted);
  return !is_over_;
}

bool FitLoop::after_epoch(std::int64_t steps) {
  if (epoch_steps_ == 0) return !is_over_;
  EpochRecord epoch;
  epoch.epoch = epoch_;
  epoch.steps = steps;
  epoch.loss = loss_sum_ / epoch_rows_;
  epoch.gradient_norm = norm_sum_ / double(epoch_steps_);
  epoch.clipped_norm = clipped_sum_ / double(epoch_steps_);
  epoch.learning_rate = rate_;
  {
    const NoRecord pause;
    epoch.has_validation = bool(options_.validation);
    if (epoch.has_validation) epoch.validation = options_.validation();
    for (const Metric& metric : options_.metrics) epoch.metrics.push_back(metric.compute());
  }
  epoch.seconds = seconds();
  history_.epochs.push_back(epoch);
  tell([&](Callback& callback) { return callback.after_epoch(epoch, history_.metrics); });
  return !is_over_;
}

void FitLoop::end(Ending ending, std::string diagnosis) {
  if (std::exchange(is_over_, true)) return;
  history_.ending = ending;
  history_.diagnosis = std::move(diagnosis);
}

History FitLoop::finish() {
  is_told_ = true;
  for (Callback* callback : options_.callbacks) callback->at_end();
  return std::move(history_);
}

}  // namespace ebb::inline v0::optim::detail
