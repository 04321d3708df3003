// SPDX-License-Identifier: BSD-3-Clause
// Methods for constraints, penalties, kinks and residuals.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/optim/minimize.hpp"
#include "ebb/optim/problems.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::optim;
using ebb::test::close;

namespace {

using Numbers = std::vector<double>;

double dot(const Numbers& a, const Numbers& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
Numbers minus(const Numbers& a, const Numbers& b) {
  Numbers y = a;
  for (std::size_t i = 0; i < a.size(); ++i) y[i] -= b[i];
  return y;
}

/// A projection p of z on a convex set is the point of it with (z - p) . (y - p) <= 0 for all y in
/// the set; the corners of a polytope are enough. `excess` is above 0 for points outside.
template <class Set>
void projects(const Set& set, const Numbers& z, const std::vector<Numbers>& corners,
              const std::function<double(const Numbers&)>& excess) {
  Numbers p = z;
  set(p);
  CHECK(excess(p) <= 1e-14);
  for (const Numbers& y : corners) CHECK(dot(minus(z, p), minus(y, p)) <= 1e-12);
  Numbers again = p;
  set(again);
  for (std::size_t i = 0; i < p.size(); ++i) CHECK_AGREES(close(again[i], p[i], 1e-5));
}

const std::vector<Numbers> points = {{3, -1, 0.5}, {0.2, 0.1, 0}, {-2, -2, -2},   {0, 0, 0},
                                     {10, 10, 10}, {1, 1, -5},    {0.3, 0.3, 0.4}};

/// Least squares with a known x: the mean of (a x - b)^2 / 2.
struct Rows {
  Array<double> a = Array<double>::of({{1, 2, 0}, {0, 1, 1}, {2, 0, 1}, {1, 1, 1}, {0, 3, 1}});
  Array<double> b = Array<double>::of({1, -2, 3, 0, -4});
  Tensor<double> operator()(const Tensor<double>& x) const {
    return 0.5 * sum(square(matmul(a, x) - b));
  }
  Array<double> gradient_at(const Array<double>& x) const { return gradient(*this, x).array(); }
};

}  // namespace

TEST_SUITE("projections") {

TEST_CASE("meet their optimality conditions") {
  for (const Numbers& z : points) {
    CAPTURE(z[0]);
    const auto below_0 = [](const Numbers& p) { return -std::min({p[0], p[1], p[2]}); };
    projects(Simplex{2}, z, {{2, 0, 0}, {0, 2, 0}, {0, 0, 2}}, [&](const Numbers& p) {
      return std::max(below_0(p), std::abs(p[0] + p[1] + p[2] - 2) / 10);
    });
    projects(L1Ball{2}, z, {{2, 0, 0}, {0, 2, 0}, {0, 0, 2}, {-2, 0, 0}, {0, -2, 0}, {0, 0, -2}},
             [](const Numbers& p) {
               return (std::abs(p[0]) + std::abs(p[1]) + std::abs(p[2]) - 2) / 10;
             });
    std::vector<Numbers> corners;
    for (int k = 0; k < 8; ++k)
      corners.push_back({k & 1 ? 1.0 : -1, k & 2 ? 0.5 : -1, k & 4 ? 2.0 : -1});
    projects(Box{{-1}, {1, 0.5, 2}}, z, corners, [](const Numbers& p) {
      return std::max({-1 - p[0], -1 - p[1], -1 - p[2], p[0] - 1, p[1] - 0.5, p[2] - 2});
    });
    const Numbers low = {-1, 0.1, -3};
    corners.clear();
    for (int k = 0; k < 8; ++k)
      corners.push_back({k & 1 ? 2 : low[0], k & 2 ? 2 : low[1], k & 4 ? 2 : low[2]});
    projects(Box{low, {2}}, z, corners, [&](const Numbers& p) {
      return std::max({low[0] - p[0], low[1] - p[1], low[2] - p[2], p[0] - 2, p[1] - 2, p[2] - 2});
    });
    projects(NonNegative{}, z, {{0, 0, 0}, {1e6, 0, 0}, {0, 1e6, 0}, {0, 0, 1e6}}, below_0);
    Numbers p = z;
    Ball{2}(p);
    const double size = std::sqrt(dot(z, z));
    for (std::size_t i = 0; i < 3; ++i)
      CHECK_AGREES(close(p[i], size > 2 ? z[i] * 2 / size : z[i], 1e-5));
  }
}

TEST_CASE("leave points of the set as they are") {
  Numbers x = {0.25, 0.5, 0.25};
  const Numbers before = x;
  Simplex{}(x);
  L1Ball{1}(x);
  Ball{1}(x);
  NonNegative{}(x);
  Box{{0}, {1}}(x);
  CHECK(x == before);
}

TEST_CASE("refuse sets that are empty") {
  Numbers x = {1, 2};
  CHECK_THROWS_WITH_AS(Ball{-1}(x), "Ball: radius must be at least 0, not -1", ArgumentError);
  CHECK_THROWS_AS(L1Ball{-1}(x), ArgumentError);
  CHECK_THROWS_WITH_AS(Simplex{0}(x), "Simplex: sum must be above 0, not 0", ArgumentError);
  CHECK_THROWS_WITH_AS((Box{{2}, {1}}(x)), "Box: low must be at most high, not 2", ArgumentError);
  CHECK_THROWS_AS((Box{{0, 0, 0}, {1}}(x)), ArgumentError);
}

}  // TEST_SUITE("projections")

TEST_SUITE("projected gradient") {

TEST_CASE("non-negative least squares: no gradient inside, none that points out at the border") {
  const Rows rows;
  const auto found = minimize(rows, Array<double>::of({1, 1, 1}), ProjectedGradient{NonNegative{}});
  CHECK(found.converged());
  const auto g = rows.gradient_at(found.x);
  for (std::int64_t i = 0; i < 3; ++i) {
    CHECK(found.x[i] >= 0);
    CHECK(g[i] >= -1e-7);
    CHECK(std::abs(found.x[i] * g[i]) < 1e-6);
  }
}

TEST_CASE("every set") {
  const Rows rows;
  const auto check = [&](const Projection& set) {
    const auto found = minimize(rows, Array<double>::of({4, 4, 4}), ProjectedGradient{set});
    CHECK(found.converged());
    // x is the projection of x - g.
    const auto g = rows.gradient_at(found.x);
    Numbers y(3);
    for (std::size_t i = 0; i < 3; ++i) y[i] = found.x[std::int64_t(i)] - g[std::int64_t(i)];
    set(y);
    for (std::size_t i = 0; i < 3; ++i) CHECK_AGREES(close(y[i], found.x[std::int64_t(i)], 1e-5));
  };
  check(NonNegative{});
  check(Box{{-0.5}, {0.5}});
  check(Ball{0.5});
  check(L1Ball{0.5});
  check(Simplex{2});
}

TEST_CASE("Rosenbrock in a box, against its border") {
  const auto found = minimize(problems::Rosenbrock{}, Array<double>::of({-1.2, 1}),
                              ProjectedGradient{Box{{-2}, {0.5, 2}}}, {.gradient = 1e-6});
  CHECK(found.converged());
  CHECK(found.x[0] == 0.5);
  CHECK_AGREES(close(found.x[1], 0.25, 1e-5));
}

}  // TEST_SUITE("projected gradient")

TEST_SUITE("proximal gradient") {

TEST_CASE("the operators minimise what they say") {
  // prox(z) is better than points around it.
  const auto check = [](const Penalty& penalty, const Numbers& z, double step) {
    const auto objective = [&](const Numbers& x) {
      return penalty.value(x) + dot(minus(x, z), minus(x, z)) / (2 * step);
    };
    Numbers p = z;
    penalty.prox(p, step);
    for (std::size_t i = 0; i < p.size(); ++i) {
      for (const double h : {1e-3, -1e-3}) {
        Numbers beside = p;
        beside[i] += h;
        CHECK(objective(p) <= objective(beside));
      }
    }
  };
  for (const double step : {0.1, 1.0, 4.0}) {
    const Numbers z = {3, -1, 0.5, 0.2, -0.1, 2};
    check(l1_penalty(0.7), z, step);
    check(elastic_net_penalty(0.7, 0.3), z, step);
    check(group_penalty(0.7, 2), z, step);
    check(group_penalty(0.7, 3), z, step);
    check(nuclear_penalty(0.7, 2, 3), z, step);
  }
}

TEST_CASE("soft threshold by hand") {
  Numbers z = {3, -1, 0.5};
  l1_penalty(2).prox(z, 0.5);
  CHECK(z == Numbers{2, 0, 0});
  z = {3, 4};
  group_penalty(1, 2).prox(z, 2.5);
  CHECK_AGREES(close(z[0], 1.5, 1e-5));
  CHECK_AGREES(close(z[1], 2, 1e-5));
}

TEST_CASE("lasso: the optimality conditions, with and without acceleration") {
  const Rows rows;
  const double weight = 1.5;
  for (const bool accelerate : {false, true}) {
    for (const bool restart : {false, true}) {
      const auto found =
          minimize(rows, Array<double>::zeros({3}),
                   ProximalGradient{
                       .penalty = l1_penalty(weight), .accelerate = accelerate, .restart = restart},
                   {.gradient = 1e-9, .iterations = 100'000});
      CHECK(found.converged());
      const auto g = rows.gradient_at(found.x);
      for (std::int64_t i = 0; i < 3; ++i) {
        if (found.x[i] != 0) {
          CHECK_AGREES(close(g[i], found.x[i] > 0 ? -weight : weight, 1e-6));
        } else {
          CHECK(std::abs(g[i]) <= weight * (1 + 1e-6));
        }
      }
      // The value holds the penalty, too.
      double penalty = 0;
      for (double x : found.x) penalty += weight * std::abs(x);
      CHECK_AGREES(close(found.value, rows(Tensor<double>(found.x)).item() + penalty, 1e-5));
    }
  }
}

TEST_CASE("a large penalty leaves zeros; a penalty of 0 changes nothing") {
  const Rows rows;
  const auto all =
      minimize(rows, Array<double>::of({1, 1, 1}), ProximalGradient{.penalty = l1_penalty(1e3)});
  for (double x : all.x) CHECK(x == 0);
  const auto none =
      minimize(rows, Array<double>::zeros({3}), ProximalGradient{.penalty = l1_penalty(0)});
  const auto exact = minimize(rows, Array<double>::zeros({3}), Newton{});
  CHECK_AGREES(close(none.x, exact.x, 1e-6, 1e-6));
  CHECK_THROWS_AS(minimize(rows, Array<double>::zeros({3}), ProximalGradient{}), ArgumentError);
  CHECK_THROWS_AS(group_penalty(1, 2).value(Numbers{1, 2, 3}), ArgumentError);
  CHECK_THROWS_AS(nuclear_penalty(1, 2, 2).value(Numbers{1, 2, 3}), ArgumentError);
  CHECK_THROWS_AS(l1_penalty(-1), ArgumentError);
}

}  // TEST_SUITE("proximal gradient")

TEST_SUITE("subgradient") {

TEST_CASE("gets near the minimum of a function with kinks") {
  const auto f = [](auto x) { return sum(abs(x - Array<double>::of({1, -2}))); };
  const auto best = minimize(f, Array<double>::zeros({2}), Subgradient{}, {.iterations = 4000});
  CHECK_AGREES(close(best.x, Array<double>::of({1, -2}), 0.05));
  CHECK(best.reason == Reason::iterations);
  const auto mean =
      minimize(f, Array<double>::zeros({2}), Subgradient{.average = true}, {.iterations = 4000});
  CHECK_AGREES(close(mean.x, Array<double>::of({1, -2}), 0.1));
}

}  // TEST_SUITE("subgradient")

TEST_SUITE("residuals") {

TEST_CASE("a straight line: one step, and the covariance of the textbook") {
  // y = a + b t at t = 0, 1, 2, 3.
  const auto t = Array<double>::of({0, 1, 2, 3}), y = Array<double>::of({1, 3, 4, 8});
  const auto r = [&](const Tensor<double>& x) { return x[0] + x[1] * t - y; };
  const auto check = [&](auto method) {
    const auto found = minimize(r, Array<double>::of({0, 0}), method);
    CHECK(found.converged());
    CHECK_AGREES(close(found.x[0], 0.7, 1e-5));
    CHECK_AGREES(close(found.x[1], 2.2, 1e-5));
    // r . r = 1.8, s^2 = 0.9; (J^T J)^-1 = {{14, -6}, {-6, 4}} / 20.
    CHECK_AGREES(close(found.value, 0.9, 1e-5));
    CHECK_AGREES(close(found.covariance, Array<double>::of({{0.63, -0.27}, {-0.27, 0.18}}), 1e-6));
  };
  check(GaussNewton{});
  check(LevenbergMarquardt{});
}

TEST_CASE("an exponential and a logistic curve with known numbers") {
  const auto t = Array<double>::linspace(0, 4, 25);
  const auto fits = [&](const auto& curve, const Array<double>& truth, const Array<double>& start) {
    const Array<double> y = curve(Tensor<double>(truth)).array();
    const auto found = minimize([&](const Tensor<double>& x) { return curve(x) - y; }, start,
                                LevenbergMarquardt{}, {.gradient = 1e-10});
    CAPTURE(found.reason);
    CHECK(found.converged());
    CHECK_AGREES(close(found.x, truth, 1e-6));
  };
  fits([&](const Tensor<double>& x) { return x[0] * exp(-x[1] * t) + x[2]; },
       Array<double>::of({5, 1.5, 0.5}), Array<double>::of({1, 1, 0}));
  fits([&](const Tensor<double>& x) { return x[0] * sigmoid(x[1] * (t - x[2])); },
       Array<double>::of({3, 2, 1.5}), Array<double>::of({1, 1, 1}));
}

TEST_CASE("Rosenbrock as residuals, and a Jacobian without full rank") {
  const auto r = [](const Tensor<double>& x) {
    return concat({reshape(10.0 * (x[1] - square(x[0])), {1}), reshape(1.0 - x[0], {1})}, 0);
  };
  const auto check = [&](auto method) {
    const auto found = minimize(r, Array<double>::of({-1.2, 1}), method);
    CHECK(found.converged());
    CHECK_AGREES(close(found.x, Array<double>::of({1, 1}), 1e-6));
    CHECK(found.covariance.empty());  // as many numbers as residuals
  };
  check(GaussNewton{});
  check(LevenbergMarquardt{});
  // Only the sum of both counts: any of the solutions will do.
  const auto flat = [](const Tensor<double>& x) {
    return concat({reshape(x[0] + x[1] - 2.0, {1}), reshape(2.0 * (x[0] + x[1]) - 4.0, {1}),
                   reshape(x[0] + x[1] - 2.0, {1})},
                  0);
  };
  const auto found = minimize(flat, Array<double>::of({5, 0}), LevenbergMarquardt{});
  CHECK(found.converged());
  CHECK_AGREES(close(found.x[0] + found.x[1], 2, 1e-5));
  CHECK(found.covariance.empty());
}

}  // TEST_SUITE("residuals")
