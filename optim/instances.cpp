// SPDX-License-Identifier: BSD-3-Clause
// The optimizers of all rules, compiled once.
#include "ebb/optim/update.hpp"

namespace ebb::inline v0::optim {

#define EBB_INSTANTIATE(R) template class Optimizer<R>;
EBB_RULES(EBB_INSTANTIATE)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::optim
