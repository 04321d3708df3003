// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/trials.hpp"

#include <algorithm>
#include <ostream>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::optim {
namespace detail {
namespace {

void check(bool holds, const char* who, const char* what, double value) {
  if (!holds)
    throw ArgumentError(std::string(who) + ": " + what + ", not " + ebb::detail::to_text(value));
}

}  // namespace

Trial::Trial(std::vector<data::StatePart> parts, Parameters parameters)
    : parts_(std::move(parts)),
      state_(data::detail::state_of(parts_)),
      parameters_(std::move(parameters)) {
  for (const Parameter& parameter : parameters_) {
    parameter.visit([&]<class T>(const Variable<T>& variable) {
      gradients_.emplace_back(variable.has_gradient() ? variable.gradient() : Array<T>());
    });
  }
}

Trial::~Trial() {
  data::detail::give_state(state_, parts_);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    parameters_[i].visit([&]<class T>(Variable<T>& variable) {
      variable.zero_grad();
      const Array<T>& gradient = std::get<Array<T>>(gradients_[i]);
      if (!gradient.empty()) variable.set_gradient(gradient);
    });
  }
}

LearningRates::LearningRates(AnyOptimizer& optimizer) {
  for (std::size_t g = 0; g < optimizer.groups(); ++g) {
    Schedule schedule = optimizer.learning_rate_schedule(g);
    optimizer.set_learning_rate_schedule({}, g);
    groups_.push_back(
        {std::move(schedule), optimizer.option("learning_rate", g),
         [&optimizer, g](double rate) { optimizer.set_option("learning_rate", rate, g); },
         [&optimizer, g](Schedule s) { optimizer.set_learning_rate_schedule(std::move(s), g); }});
  }
  start(optimizer.steps());
}

void LearningRates::start(std::int64_t steps) {
  const auto rate = [&](const Taken& group) {
    return group.schedule ? group.schedule(steps) : group.rate;
  };
  const double first = rate(groups_.front());
  if (first > 0) {
    for (Taken& group : groups_) group.proportion = rate(group) / first;
  }
}

LearningRates::~LearningRates() {
  for (Taken& group : groups_) {
    group.set_rate(group.rate);
    group.set_schedule(std::move(group.schedule));
  }
}

void LearningRates::set(double rate) {
  for (Taken& group : groups_) group.set_rate(rate * group.proportion);
}

LearningRateSearch::LearningRateSearch(const FindLearningRateOptions& options) : options_(options) {
  constexpr const char* who = "find_learning_rate";
  check(options.from > 0, who, "from must be above 0", options.from);
  check(options.to > options.from && std::isfinite(options.to), who, "to must be above from",
        options.to);
  check(options.steps >= 10, who, "steps must be at least 10", double(options.steps));
  check(options.smoothing >= 0 && options.smoothing < 1, who, "smoothing must be in [0, 1)",
        options.smoothing);
  check(options.divergence > 1, who, "divergence must be above 1", options.divergence);
}

double LearningRateSearch::next() const {
  const double part = double(curve_.rates.size()) / double(options_.steps - 1);
  return options_.from * std::pow(options_.to / options_.from, part);
}

bool LearningRateSearch::note(double loss) {
  if (!std::isfinite(loss)) {
    curve_.has_diverged = true;
    return false;
  }
  curve_.rates.push_back(next());
  curve_.losses.push_back(loss);
  mean_ = options_.smoothing * mean_ + (1 - options_.smoothing) * loss;
  const double smooth = mean_ / (1 - std::pow(options_.smoothing, double(curve_.losses.size())));
  curve_.smoothed.push_back(smooth);
  const double least = *std::min_element(curve_.smoothed.begin(), curve_.smoothed.end());
  // A loss below 0, as a log-likelihood, is compared by its distance from the least.
  if (smooth - least > (options_.divergence - 1) * std::abs(least)) {
    curve_.has_diverged = true;
    return false;
  }
  return std::int64_t(curve_.rates.size()) < options_.steps;
}

LearningRateCurve LearningRateSearch::finish() {
  const std::vector<double>& y = curve_.smoothed;
  if (y.empty()) {
    throw ArgumentError(
        curve_.has_diverged
            ? "find_learning_rate: the loss of the first batch is not finite; train a step under a "
              "Tape with check_finite to find the operation"
            : "find_learning_rate: there is no batch");
  }
  const std::size_t end = std::size_t(std::min_element(y.begin(), y.end()) - y.begin());
  curve_.least = curve_.rates[end];
  double steepest = 0;
  for (std::size_t i = 1; i + 1 < y.size() && i <= end; ++i) {
    const double slope = (y[i + 1] - y[i - 1]) / 2;  // over equal steps of the logarithm
    if (slope < steepest) {
      steepest = slope;
      curve_.suggestion = curve_.rates[i];
    }
  }
  return std::move(curve_);
}

void check_overfit(const OverfitOptions& options) {
  check(options.steps >= 1, "overfit_one_batch", "steps must be at least 1", double(options.steps));
  check(options.target > 0, "overfit_one_batch", "target must be above 0", options.target);
}

}  // namespace detail

std::ostream& operator<<(std::ostream& out, const LearningRateCurve& curve) {
  using ebb::detail::to_text;
  if (std::isnan(curve.suggestion)) {
    return out << "no learning rate from " << to_text(curve.rates.front()) << " to "
               << to_text(curve.rates.back()) << " made the loss fall";
  }
  out << "learning rate " << to_text(curve.suggestion)
      << ": the loss fell fastest there; it was least at " << to_text(curve.least);
  if (curve.has_diverged) out << ", and ran away from " << to_text(curve.rates.back());
  return out;
}

std::ostream& operator<<(std::ostream& out, const OverfitResult& result) {
  using ebb::detail::to_text;
  out << "one batch: the loss went from " << to_text(result.first) << " to " << to_text(result.last)
      << " in " << result.steps << " steps: ";
  if (!result.diagnosis.empty()) return out << result.diagnosis;
  return out << (result.has_learned ? "the model can learn"
                                    : "the model did not learn it; is the loss that of its "
                                      "output, and the learning rate right?");
}

}  // namespace ebb::inline v0::optim
