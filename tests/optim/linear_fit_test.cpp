// SPDX-License-Identifier: BSD-3-Clause
// Least squares in closed form, against certified values of the Statistical Reference Datasets of
// NIST (Norris, Longley).
#include "ebb/optim/linear_fit.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::optim;
using ebb::test::close;

namespace {

/// Calibration of an ozone monitor: y, x, y, x, ...
const std::vector<double> norris = {
    0.1,   0.2,   338.8, 337.4, 118.1, 118.2, 888.0, 884.6, 9.2,   10.1,  228.1, 226.5,
    668.5, 666.3, 998.5, 996.3, 449.1, 448.6, 778.9, 777.0, 559.2, 558.2, 0.3,   0.4,
    0.1,   0.6,   778.1, 775.5, 668.8, 666.9, 339.3, 338.0, 448.9, 447.5, 10.8,  11.6,
    557.7, 556.0, 228.3, 228.1, 998.0, 995.8, 888.8, 887.6, 119.6, 120.2, 0.3,   0.3,
    0.6,   0.3,   557.6, 556.8, 339.3, 339.1, 888.0, 887.2, 998.5, 999.0, 778.9, 779.0,
    10.2,  11.1,  117.6, 118.3, 228.9, 229.2, 668.4, 669.1, 449.2, 448.9, 0.2,   0.5};

/// Employment in the United States, 1947 to 1962, whose six features depend on one another nearly:
/// y and the features, row by row.
const std::vector<double> longley = {
    60323, 83.0,  234289, 2356, 1590, 107608, 1947, 61122, 88.5,  259426, 2325, 1456, 108632, 1948,
    60171, 88.2,  258054, 3682, 1616, 109773, 1949, 61187, 89.5,  284599, 3351, 1650, 110929, 1950,
    63221, 96.2,  328975, 2099, 3099, 112075, 1951, 63639, 98.1,  346999, 1932, 3594, 113270, 1952,
    64989, 99.0,  365385, 1870, 3547, 115094, 1953, 63761, 100.0, 363112, 3578, 3350, 116219, 1954,
    66019, 101.2, 397469, 2904, 3048, 117388, 1955, 67857, 104.6, 419180, 2822, 2857, 118734, 1956,
    68169, 108.4, 442769, 2936, 2798, 120445, 1957, 66513, 110.8, 444546, 4681, 2637, 121950, 1958,
    68655, 112.6, 482704, 3813, 2552, 123366, 1959, 69564, 114.2, 502601, 3931, 2514, 125368, 1960,
    69331, 115.7, 518173, 4806, 2572, 127852, 1961, 70551, 116.9, 554894, 4007, 2827, 130081, 1962};

/// Columns of a list of rows.
struct Rows {
  Array<double> x, y;
  Rows(const std::vector<double>& list, std::int64_t features)
      : x(Array<double>::zeros({std::int64_t(list.size()) / (features + 1), features})),
        y(Array<double>::zeros({x.shape()[0]})) {
    for (std::int64_t i = 0; i < y.size(); ++i) {
      const auto* row = list.data() + i * (features + 1);
      y.mutate()[i] = row[0];
      for (std::int64_t j = 0; j < features; ++j) x.mutate()[i * features + j] = row[1 + j];
    }
  }
};

constexpr LinearSolver solvers[] = {LinearSolver::qr, LinearSolver::svd,
                                    LinearSolver::normal_equations};

}  // namespace

TEST_SUITE("linear fit") {

TEST_CASE("Norris: a line, by every solver") {
  const Rows rows(norris, 1);
  for (const LinearSolver solver : solvers) {
    const LinearFit fit = fit_linear(rows.x, rows.y, {.solver = solver});
    // The condition is about 900; normal equations square it.
    CHECK_AGREES(
        close(fit.coefficients, Array<double>::of({1.00211681802045, -0.262323073774029}), 1e-9));
    CHECK_AGREES(close(fit.standard_errors,
                       Array<double>::of({0.429796848199937e-3, 0.232818234301152}), 1e-9));
    CHECK_AGREES(close(fit.residual_deviation, 0.884796396144373, 1e-10));
    CHECK_AGREES(close(fit.r2, 0.999993745883712, 1e-12));
    CHECK_AGREES(close(fit.f, 5436385.54079785, 1e-8));
    CHECK(fit.warning.empty());
  }
}

TEST_CASE("Longley: features that depend on one another nearly") {
  const Rows rows(longley, 6);
  const auto coefficients = Array<double>::of(
      {15.0618722713733, -0.358191792925910e-1, -2.02022980381683, -1.03322686717359,
       -0.511041056535807e-1, 1829.15146461355, -3482258.63459582});
  const auto errors =
      Array<double>::of({84.9149257747669, 0.334910077722432e-1, 0.488399681651699,
                         0.214274163161675, 0.226073200069370, 455.478499142212, 890420.383607373});
  for (const LinearSolver solver : {LinearSolver::qr, LinearSolver::svd}) {
    const LinearFit fit = fit_linear(rows.x, rows.y, {.solver = solver});
    // Ten of sixteen digits go with the condition number, 4.9e9.
    CHECK_AGREES(close(fit.coefficients, coefficients, 1e-6));
    CHECK_AGREES(close(fit.standard_errors, errors, 1e-6));
    CHECK_AGREES(close(fit.residual_deviation, 304.854073561965, 1e-8));
    CHECK_AGREES(close(fit.r2, 0.995479004577296, 1e-10));
    CHECK_AGREES(close(fit.f, 330.285339234588, 1e-8));
    CHECK_AGREES(close(fit.condition, 4.859e9, 1e-3));
    CHECK(fit.warning.empty());
  }
}

TEST_CASE("normal equations say that they have lost all digits") {
  const Rows rows(longley, 6);
  LinearFit fit{};
  try {
    fit = fit_linear(rows.x, rows.y, {.solver = LinearSolver::normal_equations});
    CHECK(fit.warning.find("LinearSolver::qr loses half as many") != std::string::npos);
  } catch (const ArgumentError&) {
    // By rounding the squared matrix may not even be positive definite, which is said, too.
  }
}

TEST_CASE("without an intercept, and in one column") {
  const auto x = Array<double>::of({{1}, {2}, {3}}), y = Array<double>::of({{2}, {4}, {7}});
  const LinearFit fit = fit_linear(x, y, {.intercept = false});
  CHECK_AGREES(close(fit.coefficients[0], 31.0 / 14, 1e-5));
  CHECK_AGREES(close(fit.r2, 1 - (69 - 31.0 * 31 / 14) / 69, 1e-5));
}

TEST_CASE("ridge shrinks the weights, not the intercept") {
  // With centred x, w = sum(x y) / (sum(x^2) + ridge), and the intercept is the mean.
  const auto x = Array<double>::of({{-1}, {0}, {1}}), y = Array<double>::of({1, 5, 12});
  for (const LinearSolver solver : solvers) {
    const LinearFit fit = fit_linear(x, y, {.solver = solver, .ridge = 3});
    CHECK_AGREES(close(fit.coefficients[0], 11.0 / 5, 1e-5));
    CHECK_AGREES(close(fit.coefficients[1], 6, 1e-5));
    CHECK(fit.standard_errors.empty());
  }
}

TEST_CASE_TEMPLATE("numbers of float are computed in double", T, float, double) {
  const auto x = Array<T>::of({{0}, {1}, {2}, {3}}), y = Array<T>::of({1, 3, 4, 8});
  const LinearFit fit = fit_linear(x, y);
  CHECK_AGREES(close(fit.coefficients, Array<double>::of({2.2, 0.7}), 1e-12));
  CHECK_AGREES(
      close(fit.standard_errors, Array<double>::of({std::sqrt(0.18), std::sqrt(0.63)}), 1e-12));
}

TEST_CASE("svd finds the shortest where columns depend on others, or are too many") {
  const auto x = Array<double>::of({{1, 2}, {2, 4}, {3, 6}}), y = Array<double>::of({5, 10, 15});
  const LinearFit fit = fit_linear(x, y, {.solver = LinearSolver::svd, .intercept = false});
  CHECK_AGREES(close(fit.coefficients, Array<double>::of({1, 2}), 1e-12));
  CHECK(fit.standard_errors.empty());
  CHECK(fit.warning.find("condition") != std::string::npos);
  const LinearFit wide = fit_linear(Array<double>::of({{3, 4}}), Array<double>::of({25}),
                                    {.solver = LinearSolver::svd, .intercept = false});
  CHECK_AGREES(close(wide.coefficients, Array<double>::of({3, 4}), 1e-12));
  CHECK_THROWS_AS(fit_linear(x, y, {.intercept = false}), ArgumentError);
}

TEST_CASE("refuses what cannot be fitted") {
  const auto x = Array<double>::of({{1, 2}, {3, 4}}), y = Array<double>::of({1, 2});
  CHECK_THROWS_WITH_AS(fit_linear(x, Array<double>::of({1, 2, 3})),
                       "fit_linear: x (n, d) and y (n,) or (n, 1) with n >= 1, not (2, 2) and (3,)",
                       ShapeError);
  CHECK_THROWS_WITH_AS(fit_linear(x, y),
                       "fit_linear: 2 rows for 3 coefficients; use LinearSolver::svd, which finds "
                       "the shortest, or ridge",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(fit_linear(x, y, {.ridge = -1}),
                       "fit_linear: ridge must be at least 0, not -1", ArgumentError);
  const double inf = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH_AS(
      fit_linear(Array<double>::of({{1}, {inf}, {2}}), Array<double>::of({1, 2, 3})),
      doctest::Contains("impute or leave out such rows"), ArgumentError);
}

}  // TEST_SUITE("linear fit")
