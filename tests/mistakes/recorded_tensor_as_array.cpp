// SPDX-License-Identifier: BSD-3-Clause
// Stops: is recorded, and an Array has no gradient; write x.array() for its values
#include <ebb/ebb.hpp>

int main() {
  const ebb::Variable<double> w(ebb::Array<double>::of({1, 2}), "w");
  const ebb::Tape tape;
  const ebb::Array<double> y = w * 2;
}
