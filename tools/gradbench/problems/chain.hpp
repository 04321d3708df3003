// SPDX-License-Identifier: BSD-3-Clause
// A differential equation by Runge and Kutta's rule: many steps of few numbers.
#pragma once
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/ops.hpp"

namespace problems {

/// The end, at time 2, of y[0]' = x[0], y[i]' = x[i] y[i - 1], from y = 0: (n).
struct Chain {
  using Y = ebb::Tensor<double>;

  explicit Chain(std::int64_t n, std::int64_t s)
      : steps(s),
        places(ebb::Array<std::int64_t>::zeros({n})),
        first(ebb::Array<double>::zeros({n})) {
    for (std::int64_t i = 1; i < n; ++i) places.mutate()[i] = i - 1;
    if (n > 0) first.mutate()[0] = 1;
  }

  std::int64_t steps;
  ebb::Array<std::int64_t> places;
  ebb::Array<double> first;

  static constexpr auto move = [](auto y, auto before, auto a, auto b, auto h) {
    return y + h * (a * before + b);
  };
  static constexpr auto last = [](auto y, auto p, auto q, auto r, auto s, auto a, auto b, auto h) {
    return y + h / 6 * (a * (p + 2 * (q + r) + s) + 6 * b);
  };

  // The slope is a * (y, moved by one place) + b, where a lacks the first of x, and b has it alone.
  Y operator()(const Y& x) const {
    const double h = 2 / double(steps);
    const auto b = x * first, a = x - b;
    Y y = ebb::Array<double>::zeros(first.shape());
    for (std::int64_t t = 0; t < steps; ++t) {
      const auto p = gather_rows(y, places);
      const auto q = gather_rows(fuse(move, y, p, a, b, h / 2), places);
      const auto r = gather_rows(fuse(move, y, q, a, b, h / 2), places);
      const auto s = gather_rows(fuse(move, y, r, a, b, h), places);
      y = fuse(last, y, p, q, r, s, a, b, h);
    }
    return y;
  }
};

}  // namespace problems
