// SPDX-License-Identifier: BSD-3-Clause
// Proximal Newton steps, which end at once on a quadratic.
#include "ebb/nn/models/linear/proximal_newton.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::close;
using Numbers = Array<double>;

TEST_SUITE("linear proximal newton") {

TEST_CASE("a quadratic takes one step, with and without numbers that have no penalty") {
  const auto a = Numbers::of({{4, 1, 2}, {1, 3, 1}, {2, 1, 5}}), b = Numbers::of({3, -2, 4});
  const auto f = [&](const Tensor<double>& u) { return dot(u, 0.5 * matmul(a, u) - b); };
  for (const auto& strengths : {Numbers::of({0.5, 3, 0.2}), Numbers::of({0.5, 3, 0})}) {
    optim::detail::TensorObjective<double> objective(f, Numbers::of({7, 1, -9}));
    const auto found = nn::detail::proximal_newton(objective, strengths, {.gradient = 1e-9});
    CHECK(found.converged());
    CHECK(found.iterations == 1);
    // The conditions of the minimum: a u - b is -strength times the sign, or less for 0.
    const Numbers g = (matmul(a, found.x) - b).array();
    CHECK(found.x[1] == 0);
    CHECK(std::abs(g[1]) < 3);
    for (const std::int64_t i : {0, 2})
      CHECK_AGREES(close(g[i], found.x[i] > 0 ? -strengths[i] : strengths[i], 0, 1e-9));
    double value = f(found.x).item();
    for (std::int64_t i = 0; i < 3; ++i) value += strengths[i] * std::abs(found.x[i]);
    CHECK_AGREES(close(found.value, value, 1e-14));
  }
}

}  // TEST_SUITE("linear proximal newton")
