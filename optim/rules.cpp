// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/rules.hpp"

#include <string>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/optim/update.hpp"

namespace ebb::inline v0::optim {
namespace {

void demand(bool holds, const char* rule, const char* what, double value) {
  if (holds) return;
  throw ArgumentError(std::string(rule) + ": " + what + ", not " + std::to_string(value));
}

}  // namespace

EBB_HOT SGD::Step SGD::prepare(std::int64_t) const {
  demand(learning_rate >= 0, "SGD", "learning_rate must be at least 0", learning_rate);
  demand(momentum >= 0, "SGD", "momentum must be at least 0", momentum);
  demand(weight_decay >= 0, "SGD", "weight_decay must be at least 0", weight_decay);
  demand(!nesterov || momentum > 0, "SGD", "nesterov needs a momentum above 0", momentum);
  return {learning_rate, momentum, nesterov ? 1.0 : 0.0, weight_decay};
}

EBB_HOT Adam::Step Adam::prepare(std::int64_t step) const {
  demand(learning_rate >= 0, "Adam", "learning_rate must be at least 0", learning_rate);
  demand(beta1 >= 0 && beta1 < 1, "Adam", "beta1 must be in [0, 1)", beta1);
  demand(beta2 >= 0 && beta2 < 1, "Adam", "beta2 must be in [0, 1)", beta2);
  demand(epsilon >= 0, "Adam", "epsilon must be at least 0", epsilon);
  demand(weight_decay >= 0, "Adam", "weight_decay must be at least 0", weight_decay);
  const auto t = double(step);
  return {learning_rate / (1 - std::pow(beta1, t)),
          1 / std::sqrt(1 - std::pow(beta2, t)),
          beta1,
          beta2,
          epsilon,
          weight_decay};
}

template class Optimizer<SGD, float>;
template class Optimizer<SGD, double>;
template class Optimizer<Adam, float>;
template class Optimizer<Adam, double>;

}  // namespace ebb::inline v0::optim
