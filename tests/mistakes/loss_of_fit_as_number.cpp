// SPDX-License-Identifier: BSD-3-Clause
// Refused: fit: the loss of a batch must be a tensor, not its item()
int main() {
  const auto [x, y, weight, bias] = ebb::data::make_linear<double>(20);
  auto model = ebb::nn::Linear<double>::zeros(1, 1);
  ebb::optim::Optimizer optimizer(model, ebb::optim::SGD{});
  ebb::data::Loader loader(ebb::data::TensorDataset(x, y));
  ebb::optim::fit([&](const auto& a, const auto& b) { return mse_loss(model(a), b).item(); },
                  optimizer, loader);
}
