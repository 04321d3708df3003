// SPDX-License-Identifier: BSD-3-Clause
// Stops: SGD: learning_rate must be at least 0, not -0.1
#include <ebb/ebb.hpp>

int main() {
  ebb::nn::Linear<float> model(2, 1);
  ebb::optim::Optimizer optimizer(model, ebb::optim::SGD{.learning_rate = -0.1});
}
