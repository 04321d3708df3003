// SPDX-License-Identifier: BSD-3-Clause
// Refused: put nn::LastState(layer) or nn::Outputs(layer) in its place, which return one tensor
void f() {
  ebb::nn::Stack<float> model(ebb::nn::GRU<float>({.input_size = 2, .hidden_size = 3}),
                              ebb::nn::Linear<float>(3, 1));
}
