// SPDX-License-Identifier: BSD-3-Clause
// Stops: sum: axis 1 of an array with 1 axes
#include <ebb/ebb.hpp>

int main() {
  const ebb::Variable<double> w(ebb::Array<double>::of({1, 2}), "w");
  sum(w, 1);
}
