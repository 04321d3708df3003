// SPDX-License-Identifier: BSD-3-Clause
// The directions of L-BFGS beside those of the matrix that it does not form.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/values/memory.hpp"
#include "ebb/optim/minimize.hpp"
#include "ebb/optim/problems.hpp"

using namespace ebb;
using namespace ebb::optim;

namespace {

using Numbers = std::vector<double>;

double dot(const Numbers& a, const Numbers& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// -H g, where H is s.y / y.y of the last pair, changed by each of the pairs as Nocedal (1980) has
/// it: H <- V^T H V + s s^T / s.y with V = 1 - y s^T / s.y.
Numbers direction(const std::vector<Numbers>& s, const std::vector<Numbers>& y, const Numbers& g) {
  const std::size_t n = g.size();
  std::vector<Numbers> h(n, Numbers(n, 0));
  for (std::size_t i = 0; i < n; ++i) h[i][i] = dot(s.back(), y.back()) / dot(y.back(), y.back());
  for (std::size_t k = 0; k < s.size(); ++k) {
    const double sy = dot(s[k], y[k]);
    const auto v = [&](std::size_t i, std::size_t j) {
      return double(i == j) - y[k][i] * s[k][j] / sy;
    };
    std::vector<Numbers> next(n, Numbers(n, 0));
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t p = 0; p < n; ++p) {
          for (std::size_t q = 0; q < n; ++q) next[i][j] += v(p, i) * h[p][q] * v(q, j);
        }
        next[i][j] += s[k][i] * s[k][j] / sy;
      }
    }
    h = next;
  }
  Numbers d(n, 0);
  for (std::size_t i = 0; i < n; ++i) d[i] = -dot(h[i], g);
  return d;
}

template <class Problem>
void follows(const Problem& problem, std::size_t history, std::int64_t iterations) {
  const auto found = minimize(problem, problem.start(), LBFGS{.history = std::int64_t(history)},
                              {.gradient = 0, .iterations = iterations}, {.path = true});
  std::vector<Numbers> points, gradients, s, y;
  for (const Array<double>& x : found.path) {
    const Array<double> g = gradient(problem, x).array();
    points.emplace_back(x.begin(), x.end());
    gradients.emplace_back(g.begin(), g.end());
  }
  const auto minus = [](const Numbers& a, const Numbers& b) {
    Numbers difference(a.size());
    std::transform(a.begin(), a.end(), b.begin(), difference.begin(), std::minus());
    return difference;
  };
  std::int64_t whole = 0;  // steps as long as the direction
  REQUIRE(points.size() == std::size_t(iterations) + 1);
  for (std::size_t k = 0; k + 1 < points.size(); ++k) {
    CAPTURE(k);
    const Numbers step = minus(points[k + 1], points[k]);
    if (!s.empty()) {
      const Numbers d = direction(s, y, gradients[k]);
      CHECK(dot(step, d) > (1 - 1e-9) * std::sqrt(dot(step, step) * dot(d, d)));
      whole += std::abs(dot(step, d) / dot(d, d) - 1) < 1e-6;
    }
    s.push_back(step);
    y.push_back(minus(gradients[k + 1], gradients[k]));
    if (s.size() > history) {
      s.erase(s.begin());
      y.erase(y.begin());
    }
  }
  CHECK(whole >= iterations / 2);
}

}  // namespace

TEST_SUITE("minimize") {

TEST_CASE("L-BFGS goes where its matrix says, with few pairs and many") {
  for (const std::size_t history : {1U, 2U, 5U}) {
    follows(problems::Quadratic{.size = 11, .condition = 50}, history, 12);
    follows(problems::Rosenbrock{}, history, 15);
    follows(problems::Wood{}, history, 15);
  }
}

TEST_CASE("pairs are in memory of the pools, which the next minimisation takes again") {
  const problems::Quadratic bowl{.size = 300, .condition = 1000};
  const auto run = [&] {
    std::int64_t most = 0;
    minimize(bowl, bowl.start(), LBFGS{}, {.gradient = 0, .iterations = 15},
             {.report = [&](const Progress&) {
               most = std::max(most, memory_statistics().live_blocks);
               return true;
             }});
    return most;
  };
  const std::int64_t before = memory_statistics().live_blocks;
  CHECK(run() >= before + 20);
  CHECK(memory_statistics().live_blocks == before);
  const std::int64_t allocations = memory_statistics().system_allocations;
  run();
  CHECK(memory_statistics().system_allocations == allocations);
}

}  // TEST_SUITE("minimize")
