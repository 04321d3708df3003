// SPDX-License-Identifier: BSD-3-Clause
// Stops: it was moved from; use the one that it was moved to
#include <ebb/ebb.hpp>

int main() {
  ebb::Variable<double> w(ebb::Array<double>::of({1, 2}));
  const ebb::Variable<double> other = std::move(w);
  w.shape();
}
