// SPDX-License-Identifier: BSD-3-Clause
// Data for the tests of the lasso, and the conditions of its minimum.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/optim/lasso.hpp"

namespace ebb::test {

using namespace ebb::optim;

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
inline void is_optimal(const Lasso<double>& problem, const Array<double>& w, double near) {
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

inline std::int64_t zeros(const Array<double>& w) { return std::count(w.begin(), w.end(), 0.0); }

constexpr CoordinateDescent exact{.gap = 1e-13};

}  // namespace ebb::test
