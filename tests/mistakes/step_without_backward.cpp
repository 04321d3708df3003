// SPDX-License-Identifier: BSD-3-Clause
// Stops: no parameter has a gradient; call backward before step
#include <ebb/ebb.hpp>

int main() {
  ebb::nn::Linear<float> model(2, 1);
  ebb::optim::Optimizer optimizer(model, ebb::optim::SGD{});
  optimizer.step();
}
