// SPDX-License-Identifier: BSD-3-Clause
// Stops: name every layer and Variable in `each` of the model
#include <ebb/ebb.hpp>

struct Network {
  ebb::nn::Linear<float> hidden{2, 3}, out{3, 1};
  void each(ebb::Parts& part) { part("hidden", hidden); }
};
int main() {
  Network model;
  ebb::optim::Optimizer optimizer(model, ebb::optim::SGD{});
  const ebb::Tape tape;
  backward(sum(model.out(model.hidden(ebb::Array<float>::ones({4, 2})))));
  optimizer.step();
}
