// SPDX-License-Identifier: BSD-3-Clause
// Stops: reshape: (2,) cannot become (-1, 3); the other sizes do not divide its 2 elements
#include <ebb/ebb.hpp>

int main() {
  const ebb::Variable<double> w(ebb::Array<double>::of({1, 2}), "w");
  reshape(w, {-1, 3});
}
