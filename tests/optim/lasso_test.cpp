// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/lasso.hpp"

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
