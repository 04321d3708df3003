// SPDX-License-Identifier: BSD-3-Clause
// Refused: Optimizer(const M&&, Rule)
#include <ebb/ebb.hpp>

void f() { ebb::optim::Optimizer optimizer(ebb::nn::Linear<float>(2, 1), ebb::optim::SGD{}); }
