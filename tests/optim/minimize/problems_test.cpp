// SPDX-License-Identifier: BSD-3-Clause
// Every method on every problem that it fits.
#include "ebb/optim/problems.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "ebb/optim/minimize.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::optim;
using ebb::test::close;

namespace {

double distance(const Array<double>& a, const Array<double>& b) {
  double sum = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

/// Finds the optimum to this distance.
template <class Problem, class Method>
void finds(const Problem& problem, const Method& method, double near, Stop stop = {}) {
  const auto found = minimize(problem, problem.start(), method, stop);
  CAPTURE(found.reason);
  CAPTURE(found.iterations);
  CAPTURE(found.x);
  CHECK(found.converged());
  CHECK(distance(found.x, problem.optimum()) < near);
  CHECK_AGREES(close(found.value, problem.minimum, 1e-8, 1e-8));
  CHECK(found.gradient_norm <= stop.gradient);
}

template <class Method>
void on_all(const Method& method, Stop stop = {}, bool follows_curvature = true) {
  // x is as close as |g| over the least curvature of these functions, about 0.01.
  const double near = 200 * stop.gradient;
  SUBCASE("quadratic") {
    finds(problems::Quadratic{.size = 7, .condition = 100}, method, near, stop);
  }
  SUBCASE("Rosenbrock") { finds(problems::Rosenbrock{}, method, near, stop); }
  SUBCASE("Beale") { finds(problems::Beale{}, method, near, stop); }
  SUBCASE("Himmelblau") { finds(problems::Himmelblau{}, method, near, stop); }
  // The curvature vanishes at the optimum, where x is about the cube root of g; plain descent takes
  // for ever there.
  if (follows_curvature) {
    SUBCASE("Powell singular") { finds(problems::PowellSingular{}, method, 2e-2, stop); }
  }
  SUBCASE("Wood") { finds(problems::Wood{}, method, near, stop); }
  SUBCASE("Booth") { finds(problems::Booth{}, method, near, stop); }
  SUBCASE("two wells") { finds(problems::TwoWells{}, method, near, stop); }
  SUBCASE("logistic") {
    const problems::Logistic problem;
    const auto found = minimize(problem, problem.start(), method, stop);
    CHECK(found.converged());
    // The optimum is where Newton's method ends, too; strongly convex with 0.01.
    const auto exact = minimize(problem, problem.start(), Newton{}, {.gradient = 1e-12});
    CHECK(distance(found.x, exact.x) < 2 * stop.gradient / problem.penalty);
  }
}

}  // namespace

TEST_SUITE("problems") {

TEST_CASE("descent with backtracking") {
  on_all(GradientDescent{Armijo{}}, {.gradient = 1e-6, .iterations = 200'000}, false);
}
TEST_CASE("descent with strong Wolfe steps") {
  on_all(GradientDescent{Wolfe{}}, {.gradient = 1e-6, .iterations = 200'000}, false);
}
TEST_CASE("descent with steps of Barzilai and Borwein") {
  on_all(GradientDescent{BarzilaiBorwein{}}, {.iterations = 20'000});
}
TEST_CASE("conjugate gradients") {
  using Beta = ConjugateGradient::Beta;
  SUBCASE("Polak-Ribiere") { on_all(ConjugateGradient{}, {.iterations = 5000}); }
  SUBCASE("Fletcher-Reeves") {
    on_all(ConjugateGradient{Beta::fletcher_reeves}, {.iterations = 50'000});
  }
  SUBCASE("Hestenes-Stiefel") {
    on_all(ConjugateGradient{Beta::hestenes_stiefel}, {.iterations = 5000});
  }
  SUBCASE("Dai-Yuan") { on_all(ConjugateGradient{Beta::dai_yuan}, {.iterations = 50'000}); }
}
TEST_CASE("BFGS") { on_all(BFGS{}); }
TEST_CASE("BFGS with weak Wolfe steps") { on_all(BFGS{Wolfe{.strong = false}}); }
TEST_CASE("L-BFGS") { on_all(LBFGS{}); }
TEST_CASE("L-BFGS with a memory of two") { on_all(LBFGS{.history = 2}); }
TEST_CASE("Newton") { on_all(Newton{}); }
TEST_CASE("Newton-CG") { on_all(NewtonCG{}); }
TEST_CASE("trust region") { on_all(TrustRegion{}); }

TEST_CASE("each problem has its optimum where it says") {
  const auto check = [](const auto& problem) {
    const auto at = value_and_gradient(problem, problem.optimum());
    CHECK_AGREES(close(at.value.item(), problem.minimum, 1e-12, 1e-12));
    for (double g : at.gradient.array()) CHECK(std::abs(g) < 1e-12);
    // An array, a tensor and a variable are all operands.
    const double at_start = problem(problem.start()).item();
    CHECK(at_start > problem.minimum);
    CHECK(problem(Tensor<double>(problem.start())).item() == at_start);
    CHECK(problem(Variable<double>(problem.start())).item() == at_start);
  };
  check(problems::Quadratic{.size = 5, .condition = 1e4});
  check(problems::Rosenbrock{});
  check(problems::Beale{});
  check(problems::Himmelblau{});
  check(problems::PowellSingular{});
  check(problems::Wood{});
  check(problems::Booth{});
  check(problems::TwoWells{});
}

TEST_CASE("the quadratic has the eigenvalues that it says") {
  const problems::Quadratic problem{.size = 6, .condition = 1e3};
  const auto values = eigh(problem.matrix()).values.array();
  CHECK_AGREES(close(values[5], problem.lipschitz(), 1e-5));
  CHECK_AGREES(close(values[0], problem.convexity(), 1e-5));
}

TEST_CASE("no axis is an eigenvector of the quadratic") {
  for (std::int64_t size = 2; size <= 6; ++size) {
    const auto matrix = problems::Quadratic{.size = size}.matrix();
    for (std::int64_t i = 0; i < size; ++i) {
      double others = 0;
      for (std::int64_t j = 0; j < size; ++j) {
        if (j != i) others = std::max(others, std::abs(matrix(i, j)));
      }
      CHECK(others > 1e-2);
    }
  }
}

}  // TEST_SUITE("problems")
