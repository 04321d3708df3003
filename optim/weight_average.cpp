// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/weight_average.hpp"

#include <string>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::optim {
namespace {

/// Calls f(variable, average) for each parameter, in its element type.
template <class F>
void for_each_pair(Parameters& parameters, auto& averages, const F& f) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    std::visit([&]<class T>(Array<T>& average) { f(*parameters[i].template get<T>(), average); },
               averages[i]);
  }
}

}  // namespace

WeightAverage::WeightAverage(Parameters parameters, WeightAverageOptions options)
    : parameters_(std::move(parameters)), options_(options) {
  if (!(options.decay < 1)) {
    throw ArgumentError("WeightAverage: decay must be in [0, 1), or negative for the mean, not " +
                        ebb::detail::to_text(options.decay));
  }
  for (const Parameter& parameter : parameters_) {
    parameter.visit([&](const auto& variable) { averages_.emplace_back(variable.value()); });
  }
}

void WeightAverage::update() {
  if (is_swapped_) {
    throw ArgumentError(
        "WeightAverage: the model has the averages; swap them out before the next update");
  }
  // The share of the new weights.
  const double share = options_.decay >= 0 ? 1 - options_.decay : 1 / double(updates_ + 1);
  for_each_pair(
      parameters_, averages_, [&]<class T>(const Variable<T>& variable, Array<T>& average) {
        if (!(average.shape() == variable.shape())) {
          throw ShapeError("WeightAverage: an average has shape " + to_string(average.shape()) +
                           ", its parameter " + to_string(variable.shape()) +
                           "; was it loaded for another model?");
        }
        const T* const w = variable.value().data();
        if (share == 1) {
          average = variable.value();
          return;
        }
        T* const a = average.mutate();
        for (std::int64_t i = 0; i < average.size(); ++i) a[i] += T(share) * (w[i] - a[i]);
      });
  ++updates_;
}

void WeightAverage::swap() {
  for_each_pair(parameters_, averages_, []<class T>(Variable<T>& variable, Array<T>& average) {
    Array<T> weights = variable.value();
    variable.set_value(std::move(average));
    average = std::move(weights);
  });
  is_swapped_ = !is_swapped_;
}

void WeightAverage::each(Parts& part) {
  part("updates", updates_);
  part("is_swapped", is_swapped_);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string& name = parameters_[i].name();
    std::visit([&](auto& average) { part(name.empty() ? std::to_string(i) : name, average); },
               averages_[i]);
  }
}

AverageWeights::AverageWeights(WeightAverage& average, AverageWeightsOptions options)
    : average_(average), options_(options) {
  if (options.first_epoch < 1) {
    throw ArgumentError("AverageWeights: first_epoch must be at least 1, not " +
                        std::to_string(options.first_epoch));
  }
}

bool AverageWeights::at_start(bool) {
  // The model of a run that goes on after an epoch, or after its end, has the averages.
  if (average_.is_swapped()) average_.swap();
  return true;
}

bool AverageWeights::after_step(const StepRecord& step) {
  epoch_ = step.epoch;
  if (!options_.each_epoch && epoch_ >= options_.first_epoch) average_.update();
  return true;
}

void AverageWeights::before_validation() {
  if (epoch_ < options_.first_epoch) return;
  if (options_.each_epoch) average_.update();
  average_.swap();
}

void AverageWeights::after_validation() {
  if (average_.is_swapped()) average_.swap();
}

void AverageWeights::at_end() {
  if (epoch_ >= options_.first_epoch && !average_.is_swapped()) average_.swap();
}

}  // namespace ebb::inline v0::optim
