// SPDX-License-Identifier: BSD-3-Clause
// Stops: Change a value by set_value, or make a new Optimizer
#include <ebb/ebb.hpp>

int main() {
  ebb::nn::Linear<float> model(2, 1);
  ebb::optim::Optimizer optimizer(model, ebb::optim::SGD{});
  model.weight = ebb::Variable<float>(ebb::Array<float>::ones({1, 2}));
  const ebb::Tape tape;
  backward(sum(model(ebb::Array<float>::ones({4, 2}))));
  optimizer.step();
}
