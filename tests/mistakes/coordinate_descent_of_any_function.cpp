// SPDX-License-Identifier: BSD-3-Clause
// Refused: minimize: a Lasso or an L1Quadratic, of ebb/optim/lasso.hpp, and CoordinateDescent
#include <ebb/ebb.hpp>

void find() {
  const auto f = [](const auto& x) { return sum(square(x)); };
  ebb::optim::minimize(f, ebb::Array<double>::of({1, 2}), ebb::optim::CoordinateDescent{});
}
