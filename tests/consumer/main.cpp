// SPDX-License-Identifier: BSD-3-Clause
#include <ebb/ebb.hpp>
#ifdef CONSUMER_XTENSOR
#include <ebb/xtensor.hpp>
#endif
#include <iostream>

int main() {
  ebb::Variable<float> w(ebb::Array<float>({2}, {1.f, 2.f}));
  {
    ebb::Tape tape;
    auto loss = ebb::sum(w * w);
    ebb::backward(loss);
  }
  std::cout << w.gradient() << '\n';
}
