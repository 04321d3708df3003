// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/callbacks/early_stopping.hpp"

#include <algorithm>
#include <cmath>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::optim {
namespace {

void check(bool holds, const char* who, const char* what) {
  if (!holds) throw ArgumentError(std::string(who) + ": " + what);
}

/// Whether a number is better than the best so far, which is NaN at first. NaN never is.
bool is_better(const WatchedNumber& watch, double now, double best) {
  if (std::isnan(now)) return false;
  if (std::isnan(best)) return true;
  return watch.larger_is_better ? now > best + watch.at_least : now < best - watch.at_least;
}

}  // namespace

EarlyStopping::EarlyStopping(Parameters parameters, EarlyStoppingOptions options)
    : parameters_(std::move(parameters)), options_(std::move(options)) {
  check(options_.patience >= 1, "EarlyStopping", "patience must be at least 1");
  check(options_.watch.at_least >= 0, "EarlyStopping", "watch.at_least must be at least 0");
}

bool EarlyStopping::at_start(bool is_resumed) { return !is_resumed || waited_ < options_.patience; }

bool EarlyStopping::after_epoch(const EpochRecord& epoch, const std::vector<std::string>& names) {
  const double now = detail::watched(epoch, names, options_.watch.name);
  if (!is_better(options_.watch, now, best_)) return ++waited_ < options_.patience;
  waited_ = 0;
  best_ = now;
  best_epoch_ = epoch.epoch;
  weights_.clear();
  for (const Parameter& parameter : parameters_) {
    parameter.visit([&](const auto& variable) { weights_.emplace_back(variable.value()); });
  }
  return true;
}

void EarlyStopping::at_end() {
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    std::visit(
        [&]<class T>(const Array<T>& best) {
          if (!best.empty()) parameters_[i].template get<T>()->set_value(best);
        },
        weights_[i]);
  }
}

void EarlyStopping::each(Parts& part) {
  part("best", best_);
  part("best_epoch", best_epoch_);
  part("waited", waited_);
  // Before the first epoch the best weights are those of the start.
  if (weights_.empty()) {
    for (const Parameter& parameter : parameters_) {
      parameter.visit([&]<class T>(const Variable<T>& variable) {
        weights_.emplace_back(Array<T>::zeros(variable.shape()));
      });
    }
  }
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const std::string& name = parameters_[i].name();
    std::visit(
        [&](auto& weight) { part("weights." + (name.empty() ? std::to_string(i) : name), weight); },
        weights_[i]);
  }
  if (best_epoch_ == 0) weights_.clear();
}

ReduceOnPlateau::ReduceOnPlateau(ReduceOnPlateauOptions options) : options_(std::move(options)) {
  check(options_.factor > 0 && options_.factor < 1, "ReduceOnPlateau", "factor must be in (0, 1)");
  check(options_.patience >= 0, "ReduceOnPlateau", "patience must be at least 0");
  check(options_.cooldown >= 0, "ReduceOnPlateau", "cooldown must be at least 0");
  check(options_.minimum >= 0, "ReduceOnPlateau", "minimum must be at least 0");
}

ReduceOnPlateau::ReduceOnPlateau(AnyOptimizer& optimizer, ReduceOnPlateauOptions options)
    : ReduceOnPlateau(std::move(options)) {
  for (std::size_t g = 0; g < optimizer.groups(); ++g) {
    if (optimizer.learning_rate_schedule(g)) throw_scheduled();
  }
  reduce_ = [&optimizer, this] {
    for (std::size_t g = 0; g < optimizer.groups(); ++g)
      optimizer.set_option("learning_rate", lower(optimizer.option("learning_rate", g)), g);
  };
}

void ReduceOnPlateau::throw_scheduled() {
  throw ArgumentError(
      "ReduceOnPlateau: a schedule sets the learning rate of this optimizer; use one of both");
}

double ReduceOnPlateau::lower(double rate) const {
  return std::min(rate, std::max(rate * options_.factor, options_.minimum));
}

bool ReduceOnPlateau::after_epoch(const EpochRecord& epoch, const std::vector<std::string>& names) {
  const double now = detail::watched(epoch, names, options_.watch.name);
  if (is_better(options_.watch, now, best_)) {
    best_ = now;
    waited_ = 0;
  } else if (cooling_ == 0) {
    ++waited_;
  }
  if (cooling_ > 0) --cooling_;
  if (waited_ > options_.patience) {
    reduce_();
    ++reductions_;
    waited_ = 0;
    cooling_ = options_.cooldown;
  }
  return true;
}

void ReduceOnPlateau::each(Parts& part) {
  part("best", best_);
  part("waited", waited_);
  part("cooling", cooling_);
  part("reductions", reductions_);
}

}  // namespace ebb::inline v0::optim
