// SPDX-License-Identifier: BSD-3-Clause
// Stops: operator[]: index 2 of an axis of size 2; x is (2,)
#include <ebb/ebb.hpp>

int main() {
  const ebb::Variable<double> w(ebb::Array<double>::of({1, 2}), "w");
  w[2];
}
