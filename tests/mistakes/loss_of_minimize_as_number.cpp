// SPDX-License-Identifier: BSD-3-Clause
// Refused: minimize: the loss of a model takes nothing and returns a tensor, not its item()
int main() {
  const auto [x, y, weight, bias] = ebb::data::make_linear<double>(20);
  auto model = ebb::nn::Linear<double>::zeros(1, 1);
  const auto loss = [&, &a = x, &b = y] { return mse_loss(model(a), b).item(); };
  ebb::optim::minimize(model, loss, ebb::optim::LBFGS{});
}
