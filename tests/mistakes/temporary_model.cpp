// SPDX-License-Identifier: BSD-3-Clause
// Refused: a temporary model is gone before the first step: give it a name first
#include <ebb/ebb.hpp>

void f() { ebb::optim::Optimizer optimizer(ebb::nn::Linear<float>(2, 1), ebb::optim::SGD{}); }
