// SPDX-License-Identifier: BSD-3-Clause
// The optimizers of all rules, compiled once.
#include <algorithm>

#include "ebb/optim/update.hpp"

namespace ebb::inline v0::optim {

bool detail::are_frozen(const Parameters& parameters) {
  return !parameters.empty() && std::ranges::all_of(parameters, [](const Parameter& parameter) {
    return parameter.visit([](const auto& variable) { return variable.is_frozen(); });
  });
}

#define EBB_INSTANTIATE(R) template class Optimizer<R>;
EBB_RULES(EBB_INSTANTIATE)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::optim
