// SPDX-License-Identifier: BSD-3-Clause
// Refused: minimize: a Lasso or an L1Quadratic, of ebb/optim/lasso.hpp, and CoordinateDescent
#include <ebb/ebb.hpp>

void find(const ebb::Array<double>& x, const ebb::Array<double>& y) {
  ebb::optim::Lasso problem(x, y);
  ebb::optim::minimize(problem, problem.start(), ebb::optim::LBFGS{});
}
