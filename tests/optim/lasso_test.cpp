// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/lasso.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/optim/linear_fit.hpp"
#include "ebb/optim/minimize/design.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using namespace ebb::optim;
using ebb::test::close;
using ebb::test::message_of;

namespace {

/// Features that depend on their neighbours, and targets of every third one with noise.
struct Data {
  Array<double> x, y;
  Data(std::int64_t rows, std::int64_t size, double offset = 0) {
    Stream stream(std::uint64_t(rows * 1000 + size));
    x = Array<double>::uninitialized({rows, size});
    y = Array<double>::uninitialized({rows});
    for (std::int64_t i = 0; i < rows; ++i) {
      double before = 0, target = offset;
      for (std::int64_t j = 0; j < size; ++j) {
        const double now = 0.7 * before + stream.normal() + offset;
        x.mutate()[i * size + j] = now;
        if (j % 3 == 0) target += (j % 2 == 0 ? 1.5 : -2) * now / double(1 + j);
        before = now;
      }
      y.mutate()[i] = target + 0.1 * stream.normal();
    }
  }
};

/// The shortest subgradient at w is small: the optimality conditions of every weight.
void is_optimal(const Lasso<double>& problem, const Array<double>& w, double near) {
  const double l1 = problem.options().strength * problem.options().ratio;
  const double l2 = problem.options().strength * (1 - problem.options().ratio);
  const Array<double> g = gradient(problem.smooth_part(), w).array();
  for (std::int64_t j = 0; j < w.size(); ++j) {
    CAPTURE(j);
    if (w[j] != 0) {
      CHECK(std::abs(g[j] + l2 * w[j] + std::copysign(l1, w[j])) <= near);
    } else {
      CHECK(std::abs(g[j]) <= l1 + near);
    }
  }
}

std::int64_t zeros(const Array<double>& w) { return std::count(w.begin(), w.end(), 0.0); }

constexpr CoordinateDescent exact{.gap = 1e-13};

}  // namespace

TEST_SUITE("lasso") {

TEST_CASE("coordinate descent proves its minimum and meets the optimality conditions") {
  const Data data(60, 20, 3);
  for (const double ratio : {1.0, 0.5, 0.05}) {
    for (const double part : {0.5, 0.1, 1e-2, 1e-4}) {
      for (const bool intercept : {false, true}) {
        Lasso problem(data.x, data.y, {.ratio = ratio, .intercept = intercept});
        problem = problem.with_strength(part * problem.largest_strength());
        CAPTURE(ratio);
        CAPTURE(part);
        const auto found = minimize(problem, problem.start(), exact, {.gradient = 0});
        CAPTURE(found.reason);
        CAPTURE(found.iterations);
        CHECK(found.converged());
        const double whole = problem.value(problem.start());
        CHECK(problem.gap(found.x) <= 2e-13 * whole);
        CHECK_AGREES(close(found.value, problem.value(found.x), 1e-10));
        is_optimal(problem, found.x, 1e-5 * std::sqrt(whole));
      }
    }
  }
}

TEST_CASE("the gap bounds how much the value is above the minimum, wherever it is asked for") {
  const Data data(30, 8);
  Stream stream(4);
  for (const double ratio : {1.0, 0.5, 0.01, 0.0}) {
    const Lasso problem(data.x, data.y, {.strength = 0.2, .ratio = ratio});
    const double least = minimize(problem, problem.start(), exact, {.gradient = 1e-13}).value;
    for (int trial = 0; trial < 20; ++trial) {
      auto w = problem.start();
      for (double& e : std::span(w.mutate(), 8)) e = std::pow(0.3, trial % 5) * stream.normal();
      CHECK(problem.value(w) - problem.gap(w) <= least * (1 + 1e-12));
      CHECK(problem.gap(w) > 0);
    }
  }
}

TEST_CASE("the gap that ends it is a part of the value at 0") {
  const Data data(30, 8);
  const Lasso problem(data.x, data.y, {.strength = 0.2});
  const auto w = Array<double>::full({8}, 0.1);
  const double part = problem.gap(w) / problem.value(problem.start());
  const auto at_once = minimize(problem, w, CoordinateDescent{.gap = part * (1 + 1e-12)});
  CHECK(at_once.reason == Reason::gap);
  CHECK(at_once.iterations == 0);
  CHECK(minimize(problem, w, CoordinateDescent{.gap = part * (1 - 1e-12)}).iterations > 0);
}

TEST_CASE("FISTA comes to the same weights") {
  const Data data(50, 12, -2);
  const Lasso problem(data.x, data.y, {.strength = 0.3, .ratio = 0.8});
  const auto coordinates = minimize(problem, problem.start(), exact);
  const auto proximal =
      minimize(problem.smooth_part(), problem.start(),
               ProximalGradient{.penalty = problem.penalty()}, {.iterations = 100'000});
  CHECK(proximal.converged());
  CHECK(zeros(coordinates.x) > 0);
  CHECK_AGREES(close(coordinates.x, proximal.x, 1e-6, 1e-7));
  CHECK_AGREES(close(coordinates.value, proximal.value, 1e-10));
}

TEST_CASE("orthogonal columns: a soft threshold of each product with y") {
  const auto x = Array<double>::of({{1, 1, 1},
                                    {-1, 1, 1},
                                    {1, -1, 1},
                                    {-1, -1, 1},
                                    {1, 1, -1},
                                    {-1, 1, -1},
                                    {1, -1, -1},
                                    {-1, -1, -1}});
  const auto y = Array<double>::of({9, 1, 3, -2, 4, 0, 1, 0});
  // x_j . y / 8 by hand.
  const double products[] = {18.0 / 8, 12.0 / 8, 6.0 / 8};
  const double strength = 1, ratio = 0.9;
  for (const bool intercept : {false, true}) {
    const Lasso problem(x, y, {.strength = strength, .ratio = ratio, .intercept = intercept});
    const auto found = minimize(problem, problem.start(), exact);
    for (std::int64_t j = 0; j < 3; ++j) {
      const double over = std::fmax(products[j] - strength * ratio, 0);
      CHECK_AGREES(close(found.x[j], over / (1 + strength * (1 - ratio)), 1e-14));
    }
    CHECK(found.x[2] == 0);
    CHECK(found.iterations <= 2);
    CHECK(problem.intercept(found.x) == (intercept ? 2 : 0));
    CHECK_AGREES(close(problem.largest_strength(), 2.5, 1e-14));
  }
}

TEST_CASE("all weights are 0 from the largest strength on, and only from there") {
  for (const double ratio : {1.0, 0.3}) {
    const Data data(40, 10, 1);
    Lasso problem(data.x, data.y, {.ratio = ratio});
    const double largest = problem.largest_strength();
    for (const double strength : {largest * (1 + 1e-12), 2 * largest, 1e6 * largest}) {
      problem = problem.with_strength(strength);
      const auto found = minimize(problem, Array<double>::ones({10}), CoordinateDescent{});
      CHECK(found.converged());
      CHECK(zeros(found.x) == 10);
      CHECK(problem.gap(found.x) <= 1e-12 * found.value);
    }
    problem = problem.with_strength(0.999 * largest);
    CHECK(zeros(minimize(problem, problem.start(), exact).x) == 9);
  }
}

TEST_CASE("columns of zeros and of one number have no weight; nor has anything for a constant y") {
  Data data(30, 4, 1);
  auto x = Array<double>::zeros({30, 6});
  for (std::int64_t i = 0; i < 30; ++i) {
    for (std::int64_t j = 0; j < 4; ++j) x.mutate()[i * 6 + j] = data.x[i * 4 + j];
    x.mutate()[i * 6 + 5] = 0.1;
  }
  const Lasso plain(data.x, data.y, {.strength = 0.05}), wider(x, data.y, {.strength = 0.05});
  const auto a = minimize(plain, plain.start(), exact);
  const auto b = minimize(wider, Array<double>::ones({6}), exact);
  CHECK(b.x[4] == 0);
  CHECK(b.x[5] == 0);
  for (std::int64_t j = 0; j < 4; ++j) CHECK_AGREES(close(a.x[j], b.x[j], 1e-6));

  const Lasso constant(data.x, Array<double>::full({30}, 0.3), {.strength = 1e-3});
  CHECK(constant.largest_strength() == 0);
  const auto none = minimize(constant, Array<double>::ones({4}), CoordinateDescent{});
  CHECK(none.converged());
  CHECK(zeros(none.x) == 4);
  CHECK(none.value == 0);
  CHECK(constant.gap(none.x) == 0);
  CHECK(constant.intercept(none.x) == 0.3);
}

TEST_CASE("more features than rows, from zeros and from far away") {
  const Data data(15, 60);
  for (const double part : {0.3, 0.01}) {
    Lasso problem(data.x, data.y);
    problem = problem.with_strength(part * problem.largest_strength());
    const auto found = minimize(problem, problem.start(), exact, {.gradient = 1e-12});
    CHECK(found.converged());
    CHECK(60 - zeros(found.x) <= 15);
    is_optimal(problem, found.x, 1e-6);
    const auto other = minimize(problem, Array<double>::full({60}, 5), exact, {.gradient = 1e-12});
    CHECK_AGREES(close(other.value, found.value, 1e-10));
  }
}

TEST_CASE("thousands of weights at once are swept by residuals, to the same minimum") {
  const Data data(12, 2100);
  Lasso problem(data.x, data.y);
  problem = problem.with_strength(0.2 * problem.largest_strength());
  const auto few = minimize(problem, problem.start(), exact, {.gradient = 1e-10});
  const auto all = minimize(problem, Array<double>::full({2100}, 0.01), exact, {.gradient = 1e-10});
  CHECK(few.converged());
  CHECK(all.converged());
  CHECK_AGREES(close(few.x, all.x, 1e-6, 1e-7));
  CHECK_AGREES(close(all.value, problem.value(all.x), 1e-10));
}

TEST_CASE("few products of columns may be kept: they are forgotten, or residuals swept") {
  const Data data(30, 40);
  const Lasso problem(data.x, data.y);
  const auto whole = problem.objective(problem.start());
  auto& f = dynamic_cast<optim::detail::DesignObjective&>(*whole);
  for (const std::size_t most : {64U, 10U, 3U}) {
    f.most_in_block = most;
    for (const double part : {0.8, 0.5, 0.2, 0.1, 0.05, 0.4, 0.7}) {
      CAPTURE(most);
      CAPTURE(part);
      const auto at = problem.with_strength(part * problem.largest_strength());
      f.set_strength(at.options().strength, 1);
      f.set_start(optim::detail::Vector(40, part > 0.3 ? 0.01 : 0));
      const auto found =
          optim::detail::run(exact, f, {.gradient = 1e-10, .iterations = 100'000}, {});
      CHECK_AGREES(close(found.at.value, minimize(at, at.start(), exact).value, 1e-11));
    }
  }
}

TEST_CASE("without an l1 penalty: ridge regression and least squares in closed form") {
  const Data data(40, 6, 2);
  const double strength = 0.3;
  const Lasso ridge(data.x, data.y, {.strength = strength, .ratio = 0});
  CHECK(ridge.largest_strength() == std::numeric_limits<double>::infinity());
  const auto found =
      minimize(ridge, ridge.start(), CoordinateDescent{.gap = 0}, {.gradient = 1e-11});
  CHECK(found.converged());
  const auto closed = fit_linear(data.x, data.y, {.ridge = 40 * strength});
  for (std::int64_t j = 0; j < 6; ++j)
    CHECK_AGREES(close(found.x[j], closed.coefficients[j], 1e-8));
  CHECK_AGREES(close(ridge.intercept(found.x), closed.coefficients[6], 1e-8));
  CHECK(ridge.gap(found.x) <= 1e-12 * found.value);

  const Lasso plain(data.x, data.y, {.strength = 0});
  const auto least = minimize(plain, plain.start(), CoordinateDescent{}, {.gradient = 1e-11});
  CHECK(least.reason == Reason::gradient);
  const auto squares = fit_linear(data.x, data.y);
  for (std::int64_t j = 0; j < 6; ++j)
    CHECK_AGREES(close(least.x[j], squares.coefficients[j], 1e-8));
}

TEST_CASE("float at the border, double inside") {
  const Data data(50, 7, 1);
  auto x = Array<float>::uninitialized(data.x.shape());
  auto y = Array<float>::uninitialized({50, 1});
  std::copy(data.x.begin(), data.x.end(), x.mutate());
  std::copy(data.y.begin(), data.y.end(), y.mutate());
  const Lasso narrow(x, y, {.strength = 0.1});
  const Lasso wide(data.x, data.y, {.strength = 0.1});
  const auto found = minimize(narrow, narrow.start(), CoordinateDescent{});
  CHECK(found.converged());
  const Minimum<double> best = minimize(wide, wide.start(), CoordinateDescent{});
  CHECK_AGREES(close(found.x, best.x, 1e-4, 1e-5));
  CHECK(narrow.gap(found.x) <= 1e-5 * found.value);
  CHECK_AGREES(
      close(narrow.smooth_part()(Tensor<float>(found.x)).item() +
                0.1 * double(std::abs(found.x[0]) + std::abs(found.x[1]) + std::abs(found.x[2]) +
                             std::abs(found.x[3]) + std::abs(found.x[4]) + std::abs(found.x[5]) +
                             std::abs(found.x[6])),
            narrow.value(found.x), 1e-5));
  CHECK(lasso_path(narrow, {.count = 5}).weights.shape() == Shape{5, 7});
}

TEST_CASE("what Stop and Watch say holds") {
  const Data data(60, 20);
  Lasso problem(data.x, data.y);
  problem = problem.with_strength(1e-3 * problem.largest_strength());
  const auto run = [&](const Stop& stop, const Watch& watch = {}) {
    return minimize(problem, problem.start(), CoordinateDescent{.gap = 0}, stop, watch);
  };
  CHECK(run({.iterations = 3}).reason == Reason::iterations);
  CHECK(run({.iterations = 3}).iterations == 3);
  CHECK(run({.evaluations = 1}).reason == Reason::evaluations);
  CHECK(run({.seconds = 0}).reason == Reason::time);
  CHECK(run({.gradient = 1e-3}).reason == Reason::gradient);
  CHECK(run({.gradient = 0, .change = 1e-3}).reason == Reason::change);
  const double low = problem.value(problem.start()) / 2;
  const auto half = run({.target = low});
  CHECK(half.reason == Reason::target);
  CHECK(problem.value(half.x) <= low);
  // Nothing but rounding ends this one.
  const auto last = run({.gradient = 0, .iterations = 100'000});
  CHECK(last.reason == Reason::line_search);
  is_optimal(problem, last.x, 1e-13);

  double before = std::numeric_limits<double>::infinity();
  std::int64_t calls = 0;
  const auto seen = run({.gradient = 1e-9}, {.report =
                                                 [&](const Progress& p) {
                                                   CHECK(p.value <= before * (1 + 1e-14));
                                                   CHECK(p.iteration == calls++);
                                                   before = p.value;
                                                   return calls < 5;
                                                 },
                                             .path = true});
  CHECK(seen.reason == Reason::report);
  CHECK(seen.path.size() == 5);
  for (const auto& w : seen.path) CHECK(problem.value(w) >= seen.value * (1 - 1e-12));
}

TEST_CASE("wrong numbers are refused") {
  const Data data(5, 2);
  auto broken = data.x;
  broken.mutate()[3] = std::numeric_limits<double>::quiet_NaN();
  CHECK(message_of<ArgumentError>([&] { Lasso(broken, data.y); }) ==
        "Lasso: x has nan at position 3; impute or leave out such rows");
  auto y = data.y;
  y.mutate()[1] = std::numeric_limits<double>::infinity();
  CHECK(message_of<ArgumentError>([&] { Lasso(data.x, y); }) ==
        "Lasso: y has inf at position 1; impute or leave out such rows");
  CHECK(message_of<ArgumentError>([&] { Lasso(data.x, data.y, {.strength = -1}); }) ==
        "Lasso: strength must be at least 0 and finite, not -1");
  CHECK(message_of<ArgumentError>([&] { Lasso(data.x, data.y, {.ratio = 1.5}); }) ==
        "Lasso: ratio must be in [0, 1], not 1.5");
  const Lasso problem(data.x, data.y);
  CHECK_THROWS_AS(problem.with_strength(NAN), ArgumentError);
  CHECK(message_of<ArgumentError>([&] {
          minimize(problem, problem.start(), CoordinateDescent{.gap = -1});
        }) == "CoordinateDescent: gap must be at least 0, not -1");
  CHECK(message_of<ShapeError>([&] { Lasso(data.x, Array<double>::ones({4})); }) ==
        "Lasso: x (n, d) and y (n,) or (n, 1) with n >= 1 and d >= 1, not (5, 2) and (4,)");
  CHECK_THROWS_AS(Lasso(data.y, data.y), ShapeError);
  CHECK_THROWS_AS(Lasso(data.x, Array<double>::ones({5, 2})), ShapeError);
  CHECK_THROWS_AS(Lasso(Array<double>::zeros({5, 0}), data.y), ShapeError);
  CHECK_THROWS_AS(Lasso(Array<double>::zeros({0, 5}), Array<double>::zeros({0})), ShapeError);
  CHECK(message_of<ShapeError>([&] {
          minimize(problem, Array<double>::ones({3}), CoordinateDescent{});
        }) == "Lasso: the point has shape (3,); it should have (2,)");
  CHECK_THROWS_AS(problem.gap(Array<double>::ones({2, 1})), ShapeError);
}

}  // TEST_SUITE("lasso")

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
