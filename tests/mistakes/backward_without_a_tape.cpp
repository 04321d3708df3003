// SPDX-License-Identifier: BSD-3-Clause
// Stops: Tape
#include <ebb/ebb.hpp>

int main() {
  const ebb::Variable<double> w(ebb::Array<double>::of({1, 2}), "w");
  backward(sum(w * w));
}
