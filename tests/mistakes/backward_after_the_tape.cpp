// SPDX-License-Identifier: BSD-3-Clause
// Stops: ended
#include <ebb/ebb.hpp>

int main() {
  const ebb::Variable<double> w(ebb::Array<double>::of({1, 2}), "w");
  ebb::Tensor<double> loss;
  {
    const ebb::Tape tape;
    loss = sum(w * w);
  }
  backward(loss);
}
