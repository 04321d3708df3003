// SPDX-License-Identifier: BSD-3-Clause
// Stops: keep_tape
#include <ebb/ebb.hpp>

int main() {
  const ebb::Variable<double> w(ebb::Array<double>::of({1, 2}), "w");
  const ebb::Tape tape;
  const auto loss = sum(w * w);
  backward(loss);
  backward(loss);
}
