// SPDX-License-Identifier: BSD-3-Clause
// A user's small program, whose compile time, size and start-up are measured.
#include <ebb/ebb.hpp>
#include <ebb/nn/layers/linear.hpp>
#include <ebb/optim/optimizer.hpp>
#include <iostream>

int main() {
  const auto x = ebb::Array<float>::of({{0, 1}, {1, 0}, {1, 1}, {2, 1}});
  const auto y = ebb::Array<float>::of({1, 2, 3, 5}).reshape({4, 1});

  auto model = ebb::nn::Linear<float>::zeros(2, 1);
  ebb::optim::Optimizer optimizer(model, ebb::optim::SGD{.learning_rate = 0.1});
  float last = 0;
  for (int step = 0; step < 100; ++step) {
    ebb::Tape tape;
    const auto loss = mse_loss(model(x), y);
    backward(loss);
    optimizer.step();
    optimizer.zero_grad();
    last = loss.item();
  }
  std::cout << "loss " << last << "\n";
  return last < 0.1f ? 0 : 1;
}
