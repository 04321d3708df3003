// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/rules/sgd.hpp"

#include "ebb/optim/rules/options.hpp"

namespace ebb::inline v0::optim {

using detail::check_option;

EBB_HOT SGD::Step SGD::prepare(std::int64_t) const {
  check_option(learning_rate >= 0, "SGD", "learning_rate must be at least 0", learning_rate);
  check_option(momentum >= 0, "SGD", "momentum must be at least 0", momentum);
  check_option(weight_decay >= 0, "SGD", "weight_decay must be at least 0", weight_decay);
  check_option(!nesterov || momentum > 0, "SGD", "nesterov needs a momentum above 0", momentum);
  return {learning_rate, momentum, weight_decay, nesterov};
}

}  // namespace ebb::inline v0::optim
