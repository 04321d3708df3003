// SPDX-License-Identifier: BSD-3-Clause
// Refused: minimize: no gradient passes through an Array; let the function take a Tensor
int main() {
  using Numbers = ebb::Array<double>;
  const auto f = [](const Numbers& x) { return sum(square(x)); };
  ebb::optim::minimize(f, Numbers::of({1, 2}), ebb::optim::LBFGS{});
}
