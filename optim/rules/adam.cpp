// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/rules/adam.hpp"

#include <cmath>

#include "ebb/optim/rules/options.hpp"

namespace ebb::inline v0::optim {

using detail::check_option;

EBB_HOT Adam::Step Adam::prepare(std::int64_t step) const {
  check_option(learning_rate >= 0, "Adam", "learning_rate must be at least 0", learning_rate);
  check_option(beta1 >= 0 && beta1 < 1, "Adam", "beta1 must be in [0, 1)", beta1);
  check_option(beta2 >= 0 && beta2 < 1, "Adam", "beta2 must be in [0, 1)", beta2);
  check_option(epsilon >= 0, "Adam", "epsilon must be at least 0", epsilon);
  check_option(weight_decay >= 0, "Adam", "weight_decay must be at least 0", weight_decay);
  const auto t = double(step);
  return {learning_rate / (1 - std::pow(beta1, t)),
          1 / std::sqrt(1 - std::pow(beta2, t)),
          beta1,
          beta2,
          epsilon,
          weight_decay};
}

}  // namespace ebb::inline v0::optim
