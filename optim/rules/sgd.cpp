// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/rules/sgd.hpp"

namespace ebb::inline v0::optim {

void SGD::check_momentum() const {
  using detail::check_option;
  check_option(momentum >= 0, "SGD", "momentum must be at least 0", momentum);
  check_option(dampening >= 0 && dampening <= 1, "SGD", "dampening must be in [0, 1]", dampening);
  check_option(dampening == 0 || (momentum > 0 && !nesterov && !averaging), "SGD",
               "dampening needs a momentum, and neither nesterov nor averaging", dampening);
  check_option(!nesterov || momentum > 0, "SGD", "nesterov needs a momentum above 0", momentum);
  check_option(!averaging || (momentum > 0 && momentum < 1), "SGD",
               "averaging needs a momentum in (0, 1)", momentum);
}

}  // namespace ebb::inline v0::optim
