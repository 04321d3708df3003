// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/estimators/solution.hpp"

namespace ebb::inline v0::nn {
namespace {

constexpr const char* names[] = {
    "automatic",         "qr",     "svd",   "normal_equations",   "coordinate_descent",
    "proximal_gradient", "newton", "lbfgs", "conjugate_gradients"};

}  // namespace

std::string to_string(Solver solver) { return names[int(solver)]; }

void detail::each_solver(Fields& field, Solver& solver) {
  field.choice(
      "solver", solver,
      {names[0], names[1], names[2], names[3], names[4], names[5], names[6], names[7], names[8]});
}

void Solution::each(Fields& field) {
  field("solver", solver);
  field("reason", reason);
  field("converged", converged);
  field("iterations", iterations);
  field("value", value);
}

}  // namespace ebb::inline v0::nn
