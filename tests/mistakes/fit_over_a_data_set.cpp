// SPDX-License-Identifier: BSD-3-Clause
// Refused: fit: batches are gone over once an epoch; make some of a data set
int main() {
  const auto [x, y, weight, bias] = ebb::data::make_linear<double>(20);
  auto model = ebb::nn::Linear<double>::zeros(1, 1);
  ebb::optim::Optimizer optimizer(model, ebb::optim::SGD{});
  const ebb::data::TensorDataset rows(x, y);
  ebb::optim::fit([&](const auto& a, const auto& b) { return mse_loss(model(a), b); }, optimizer,
                  rows);
}
