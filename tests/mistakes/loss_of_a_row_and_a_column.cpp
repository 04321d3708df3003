// SPDX-License-Identifier: BSD-3-Clause
// Stops: mse_loss: the shapes of prediction and target must be equal, not (4, 1) and (4,)
#include <ebb/ebb.hpp>

int main() { mse_loss(ebb::Array<float>::ones({4, 1}), ebb::Array<float>::ones({4})); }
