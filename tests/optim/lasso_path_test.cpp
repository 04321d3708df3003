// SPDX-License-Identifier: BSD-3-Clause
// Quadratic functions with an l1 penalty, and the path of the lasso.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/optim/linear_fit.hpp"
#include "ebb/optim/minimize/design.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"
#include "ebb/tests/optim/lasso_data.hpp"

using namespace ebb;
using namespace ebb::optim;
using namespace ebb::test;

TEST_SUITE("quadratic with an l1 penalty") {

TEST_CASE("the lasso as a quadratic has the same minimum") {
  const Data data(50, 9);
  const Lasso problem(data.x, data.y, {.strength = 0.2, .intercept = false});
  const auto a = (matmul(data.x, data.x, {.transpose_a = true}) / 50.0).array();
  const auto b = (matmul(data.y, data.x) / 50.0).array();
  const L1Quadratic quadratic(a, b, 0.2);
  const Stop stop{.gradient = 1e-11};
  const auto found = minimize(quadratic, Array<double>::ones({9}), CoordinateDescent{}, stop);
  CHECK(found.reason == Reason::gradient);
  const auto lasso = minimize(problem, problem.start(), exact, stop);
  CHECK_AGREES(close(found.x, lasso.x, 1e-9, 1e-11));
  CHECK_AGREES(close(found.value, quadratic.value(found.x), 1e-12));
  CHECK_AGREES(close(found.value, lasso.value - problem.value(problem.start()), 1e-9));
  const auto proximal = minimize(quadratic.smooth_part(), quadratic.start(),
                                 ProximalGradient{.penalty = quadratic.penalty()}, stop);
  CHECK_AGREES(close(found.x, proximal.x, 1e-8, 1e-9));
}

TEST_CASE("many coordinates, of which each step reads its own row") {
  // Tridiagonal, with a known minimum: a x = b + shift where x is not 0.
  const std::int64_t d = 2100;
  auto a = Array<float>::zeros({d, d});
  for (std::int64_t i = 0; i < d; ++i) {
    a.mutate()[i * d + i] = 2;
    if (i > 0) a.mutate()[i * d + i - 1] = a.mutate()[(i - 1) * d + i] = -0.5F;
  }
  auto b = Array<float>::full({d}, 1.25F);  // with x = 1: 2 - 0.5 - 0.5 = 1 = b - 0.25
  b.mutate()[0] = b.mutate()[d - 1] = 1.75F;
  const L1Quadratic problem(a, b, 0.25);
  const auto found = minimize(problem, Array<float>::full({d}, 3), CoordinateDescent{});
  CHECK(found.converged());
  CHECK_AGREES(close(found.x, Array<float>::ones({d}), 1e-6));
}

TEST_CASE("what has no minimum, and what is no such function, is refused") {
  const auto one = Array<double>::of({1, 1});
  CHECK(message_of<ArgumentError>([&] {
          minimize(L1Quadratic(Array<double>::of({{1, 0}, {0, 0}}), one, 0.5), one,
                   CoordinateDescent{});
        }) ==
        "CoordinateDescent: there is no minimum: the function falls without end along "
        "coordinate 1, where the quadratic has no curvature");
  const L1Quadratic flat(Array<double>::of({{1, 0}, {0, 0}}), one, 2);
  CHECK(minimize(flat, one, CoordinateDescent{}).x[1] == 0);
  // A flat valley that is no axis: it ends before the value is not finite.
  const L1Quadratic valley(Array<double>::of({{1, 2}, {2, 1}}), Array<double>::of({3, 1}), 0.1);
  const auto fall = minimize(valley, one, CoordinateDescent{}, {.iterations = 100'000});
  CHECK(!fall.converged());
  CHECK(std::isfinite(fall.value));
  CHECK(
      message_of<ArgumentError>([&] {
        L1Quadratic(Array<double>::of({{1, 0.5}, {0.25, 1}}), one, 1);
      }) ==
      "L1Quadratic: a is not symmetric: 0.5 and 0.25 stand opposite; give (a + transpose(a)) / 2");
  CHECK(message_of<ArgumentError>([&] {
          L1Quadratic(Array<double>::of({{1, 0}, {0, -1}}), one, 1);
        }) == "L1Quadratic: a has -1 on its diagonal, so that it is not positive semidefinite");
  CHECK_THROWS_AS(L1Quadratic(Array<double>::of({{1, 0}, {0, NAN}}), one, 1), ArgumentError);
  CHECK_THROWS_AS(L1Quadratic(Array<double>::eye(2), Array<double>::of({1, NAN}), 1),
                  ArgumentError);
  CHECK_THROWS_AS(L1Quadratic(Array<double>::eye(2), one, -1), ArgumentError);
  CHECK_THROWS_AS(L1Quadratic(Array<double>::eye(3), one, 1), ShapeError);
  CHECK_THROWS_AS(L1Quadratic(Array<double>::eye(2), Array<double>::ones({2, 1}), 1), ShapeError);
}

}  // TEST_SUITE("quadratic with an l1 penalty")

TEST_SUITE("lasso path") {

TEST_CASE("each strength is solved, from the one for which all weights are 0 down") {
  const Data data(80, 15, 2);
  const Lasso problem(data.x, data.y, {.ratio = 0.9});
  const auto path = lasso_path(problem, {.count = 30, .least = 1e-4, .method = exact});
  CHECK(path.weights.shape() == Shape{30, 15});
  CHECK_AGREES(close(path.strengths[0], problem.largest_strength(), 1e-14));
  CHECK_AGREES(close(path.strengths[29], 1e-4 * problem.largest_strength(), 1e-12));
  const double whole = problem.with_strength(0).value(problem.start());
  for (std::int64_t k = 0; k < 30; ++k) {
    CAPTURE(k);
    const auto w = path.weights.leading(k, k + 1).reshape({15});
    const auto at = problem.with_strength(path.strengths[k]);
    if (k > 0)
      CHECK_AGREES(close(path.strengths[k] / path.strengths[k - 1],
                         path.strengths[1] / path.strengths[0], 1e-12));
    CHECK(path.gaps[k] <= 1e-12 * whole);
    CHECK(path.gaps[k] == at.gap(w));
    CHECK(path.values[k] == at.value(w));
    CHECK(path.intercepts[k] == at.intercept(w));
    const auto alone = minimize(at, at.start(), exact);
    CHECK_AGREES(close(w, alone.x, 1e-4, 1e-5));
    CHECK(zeros(w) <= 15 - (k > 0));
  }
  CHECK(zeros(path.weights.leading(0, 1)) == 15);
  CHECK(path.iterations.size() == 30);
  CHECK((path.reasons[7] == Reason::gap || path.reasons[7] == Reason::gradient));
}

TEST_CASE("given strengths, in any order, of many features") {
  const Data data(20, 3000);
  const Lasso problem(data.x, data.y);
  const double largest = problem.largest_strength();
  const auto path =
      lasso_path(problem, {.strengths = {0.1 * largest, 0.5 * largest, 0.02 * largest}});
  CHECK(path.strengths[0] == 0.5 * largest);
  CHECK(path.strengths[2] == 0.02 * largest);
  for (double gap : path.gaps) CHECK(gap <= 1e-8 * problem.with_strength(0).value(problem.start()));
}

TEST_CASE("options out of their ranges") {
  const Data data(6, 2);
  const Lasso problem(data.x, data.y);
  CHECK(message_of<ArgumentError>([&] {
          lasso_path(problem, {.strengths = {1, -1}});
        }) == "lasso_path: strength must be at least 0 and finite, not -1");
  CHECK(message_of<ArgumentError>([&] { lasso_path(problem, {.count = 1}); }) ==
        "lasso_path: count must be at least 2, not 1");
  CHECK(message_of<ArgumentError>([&] { lasso_path(problem, {.least = 1}); }) ==
        "lasso_path: least must be in (0, 1), not 1");
  CHECK(message_of<ArgumentError>([&] { lasso_path(Lasso(data.x, data.y, {.ratio = 0})); }) ==
        "lasso_path: with a ratio of 0 no strength makes all weights 0; give the strengths");
}

}  // TEST_SUITE("lasso path")
