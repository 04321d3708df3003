// SPDX-License-Identifier: BSD-3-Clause
// Stops: no sweep has reached it since zero_grad
#include <ebb/ebb.hpp>

int main() {
  const ebb::Variable<double> w(ebb::Array<double>::of({1, 2}), "w");
  w.gradient();
}
