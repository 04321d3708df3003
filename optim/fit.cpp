// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/fit.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <iostream>
#include <limits>

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

WeightsBefore::WeightsBefore(const Parameters& parameters) {
  for (const Parameter& parameter : parameters)
    parameter.visit([&](const auto& variable) { weights_.emplace_back(variable.value()); });
}

double WeightsBefore::update_ratio(const Parameters& parameters) const {
  double added = 0, before = 0;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    parameters[i].visit([&]<class T>(const Variable<T>& variable) {
      const Array<T>& old = std::get<Array<T>>(weights_[i]);
      const T* const now = variable.value().data();
      for (std::int64_t k = 0; k < old.size(); ++k) {
        const double w = double(old.data()[k]), change = double(now[k]) - w;
        added += change * change;
        before += w * w;
      }
    });
  }
  return before > 0 ? std::sqrt(added / before) : std::numeric_limits<double>::quiet_NaN();
}

double rate_of(const AnyOptimizer& optimizer) {
  const std::vector<std::string> names = optimizer.options();
  const bool has_rate = std::find(names.begin(), names.end(), "learning_rate") != names.end();
  return has_rate ? optimizer.option("learning_rate") : 0;
}

void check_trainable(const char* operation, const Parameters& parameters) {
  if (!are_frozen(parameters)) return;
  throw TapeError(
      std::string(operation) +
      ": all parameters of the optimizer are frozen, so that there is nothing to train; "
      "unfreeze() makes them trainable");
}

void refuse_loss(const char* operation, const Shape& shape) {
  throw ShapeError(std::string(operation) + ": the loss of a batch has shape " + to_string(shape) +
                   " and is not a single value; reduce it by mean() or sum()");
}

FitLoop::FitLoop(const FitOptions& options, std::int64_t batches)
    : options_(options),
      batches_of_epoch_(batches),
      history_(options.history ? *options.history : own_history_) {
  check(options.epochs >= 0, "epochs must be at least 0");
  check(options.steps >= 0, "steps must be at least 0");
  check(options.seconds >= 0, "seconds must be at least 0");
  check(options.accumulate >= 1, "accumulate must be at least 1");
  check(options.clip_norm > 0, "clip_norm must be above 0");
  check(options.clip_value > 0, "clip_value must be above 0");
  std::vector<std::string> names;
  for (const Metric& metric : options.metrics) {
    check(bool(metric.compute), "a metric needs a function");
    names.push_back(metric.name);
  }
  for (const Callback* callback : options.callbacks) check(callback, "a callback is null");
  if (!options.resume) history_ = {};
  check(history_.epochs.empty() || history_.metrics == names,
        "the history that is resumed has other metrics");
  history_.metrics = std::move(names);
  history_.how_to_resume.clear();
  seconds_before_ = history_.open.seconds;
  if (!history_.epochs.empty())
    seconds_before_ = std::max(seconds_before_, history_.epochs.back().seconds);
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
  for (const auto hook : {&Callback::before_end, &Callback::at_end}) {
    for (Callback* callback : options_.callbacks) {
      try {
        (callback->*hook)();
      } catch (...) {  // the first exception says more
      }
    }
  }
}

void FitLoop::skip(std::int64_t epochs, std::int64_t batches) {
  epoch_ = epochs;
  batches_before_ = batches;
}

void FitLoop::start() {
  tell([&](Callback& callback) { return callback.at_start(options_.resume); });
}

bool FitLoop::begins_epoch() {
  if (is_over_) return false;
  if (epoch_ >= options_.epochs) {
    end(Ending::epochs);
    return false;
  }
  ++epoch_;
  if (history_.open.epoch == epoch_) {
    // A run is resumed in the middle of it: its record was that of a part.
    if (!history_.epochs.empty() && history_.epochs.back().epoch == epoch_)
      history_.epochs.pop_back();
  } else {
    history_.open = {.epoch = epoch_, .batches = batches_before_};
  }
  batches_before_ = 0;
  return true;
}

bool FitLoop::counts(double loss, std::int64_t rows) {
  detail::OpenEpoch& open = history_.open;
  ++open.batches;
  open.rows += double(rows);
  open.loss += loss * double(rows);
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
  detail::OpenEpoch& open = history_.open;
  const double whole = norm * mean_scale(), clipped = norm * step_options(norm).scale;
  ++steps_;
  ++open.steps;
  open.gradient_norm += whole;
  open.clipped_norm += clipped;
  rate_ = learning_rate;
  last_step_ = step;
  const double loss = waiting_rows_ > 0 ? waiting_loss_ / waiting_rows_ : 0;
  waiting_ = 0;
  waiting_rows_ = waiting_loss_ = 0;
  const bool has_limit = options_.seconds < std::numeric_limits<double>::infinity();
  std::optional<Ending> ending;
  if (options_.catch_interrupt && is_interrupted) ending = Ending::interrupted;
  if (has_limit && seconds() >= options_.seconds) ending = Ending::time;
  if (steps_ >= options_.steps) ending = Ending::steps;
  if (ending) open.seconds = seconds_before_ + seconds();
  tell([&](Callback& callback) {
    return callback.after_step({epoch_, step, open.batches, batches_of_epoch_, loss, whole, clipped,
                                learning_rate, ending.has_value()});
  });
  if (ending) end(*ending);
  return !is_over_;
}

bool FitLoop::after_epoch(std::int64_t steps) {
  const detail::OpenEpoch open = history_.open;
  if (open.steps == 0) return !is_over_;
  EpochRecord epoch;
  epoch.epoch = epoch_;
  epoch.steps = steps;
  epoch.loss = open.loss / open.rows;
  epoch.gradient_norm = open.gradient_norm / double(open.steps);
  epoch.clipped_norm = open.clipped_norm / double(open.steps);
  epoch.update_ratio = open.update_ratio;
  epoch.learning_rate = rate_;
  struct Validation {
    const std::vector<Callback*>& callbacks;
    ~Validation() {
      for (Callback* callback : callbacks) callback->after_validation();
    }
  };
  for (Callback* callback : options_.callbacks) callback->before_validation();
  const Validation validation{options_.callbacks};
  {
    const NoRecord pause;
    epoch.has_validation = bool(options_.validation);
    if (epoch.has_validation) epoch.validation = options_.validation();
    for (const Metric& metric : options_.metrics) epoch.metrics.push_back(metric.compute());
  }
  epoch.seconds = seconds_before_ + seconds();
  // The sums of a part of an epoch stay, for a run that goes on from here.
  if (!is_over_ || open.batches == batches_of_epoch_) history_.open = {};
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
  for (Callback* callback : options_.callbacks) callback->before_end();
  for (Callback* callback : options_.callbacks) callback->at_end();
  if (history_.ending == Ending::interrupted) say_how_to_resume();
  return history_;
}

void FitLoop::say_how_to_resume() {
  std::string file;
  for (const Callback* callback : options_.callbacks) {
    if (file.empty()) file = callback->saved();
  }
  history_.how_to_resume =
      "interrupted after step " + std::to_string(last_step_) + "; " +
      (file.empty() ? "nothing was saved, as no SaveSnapshots is among the callbacks"
                    : file +
                          " holds the state: to go on, call load_latest() of SaveSnapshots, and "
                          "fit with .resume = true");
  std::cerr << history_.how_to_resume << '\n';
}

}  // namespace ebb::inline v0::optim::detail
