// SPDX-License-Identifier: BSD-3-Clause
// The user's small program of tools/benchmarks/programs, written with libtorch.
#include <torch/torch.h>

#include <iostream>

int main() {
  const auto x = torch::tensor({{0.f, 1.f}, {1.f, 0.f}, {1.f, 1.f}, {2.f, 1.f}});
  const auto y = torch::tensor({1.f, 2.f, 3.f, 5.f}).reshape({4, 1});

  torch::nn::Linear model(2, 1);
  torch::optim::SGD optimizer(model->parameters(), 0.1);
  float last = 0;
  for (int step = 0; step < 100; ++step) {
    const auto loss = torch::mse_loss(model(x), y);
    loss.backward();
    optimizer.step();
    optimizer.zero_grad();
    last = loss.item<float>();
  }
  std::cout << "loss " << last << "\n";
  return last < 0.1f ? 0 : 1;
}
