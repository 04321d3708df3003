// SPDX-License-Identifier: BSD-3-Clause
// An optimizer beside a restatement of its paper in plain numbers.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "ebb/optim/optimizer.hpp"
#include "ebb/tests/close.hpp"

namespace ebb::test {

using Numbers = std::vector<double>;

/// A gradient that changes with the step, and so does its sign.
inline double gradient_at(int step, int i) { return std::sin(1.7 * step + 0.3 * i) + 0.1 * i; }

/// A parameter in plain numbers, with room for what a restatement keeps.
struct Plain {
  int rows, columns;
  Numbers w, g;
  Numbers a = Numbers(w.size(), 0), b = a, c = a;

  double& at(Numbers& x, int row, int column) const {
    return x[std::size_t(row * columns + column)];
  }
};

/// Changes w by one step of the literature, from g.
using Restated = std::function<void(Plain& p, int step)>;
/// The next weight of one element, from w, g, the step and what is kept.
using RestatedElement =
    std::function<double(double w, double g, int step, double& a, double& b, double& c)>;
inline Restated each_element(RestatedElement f) {
  return [f = std::move(f)](Plain& p, int step) {
    for (std::size_t i = 0; i < p.w.size(); ++i)
      p.w[i] = f(p.w[i], p.g[i], step, p.a[i], p.b[i], p.c[i]);
  };
}

/// 60 steps of an optimizer with two parameters, whose sizes are no multiple of a vector, compared
/// with the restatement after each.
template <class T, class Rule>
void follow(Rule rule, const Restated& restated, double loose = 1) {
  // Rounding accumulates over the steps: a few ulp each, and the weights are of size 1.
  const double tolerance = (sizeof(T) == 8 ? 1e-12 : 1e-5) * loose;
  std::vector<Plain> plain;
  std::vector<Variable<T>> weights;
  for (const auto& [rows, columns] : {std::pair(37, 1), std::pair(3, 5)}) {
    const int size = rows * columns;
    Numbers w(std::size_t(size), 0);
    const Shape shape = columns == 1 ? Shape{rows} : Shape{rows, columns};
    auto start = Array<T>::uninitialized(shape);
    for (int i = 0; i < size; ++i)
      w[std::size_t(i)] = double(start.mutate()[i] = T(0.52 - 0.05 * i));
    weights.emplace_back(start);
    plain.push_back({rows, columns, w, w});
  }
  optim::Optimizer optimizer({weights[0], weights[1]}, rule);
  for (int step = 1; step <= 60; ++step) {
    CAPTURE(step);
    for (std::size_t k = 0; k < weights.size(); ++k) {
      auto g = Array<T>::uninitialized(weights[k].shape());
      for (int i = 0; i < int(g.size()); ++i)
        plain[k].g[std::size_t(i)] = double(g.mutate()[i] = T(gradient_at(step, i + 2 * int(k))));
      restated(plain[k], step);
      weights[k].set_gradient(g);
    }
    const auto before = weights[0].gradient(), second = weights[1].gradient();
    const Array<T> copy(before.shape(), std::span(before.data(), std::size_t(before.size())));
    optimizer.step();
    CHECK_AGREES(same_bits(weights[0].gradient(), copy));
    for (std::size_t k = 0; k < weights.size(); ++k) {
      CHECK_AGREES(close(weights[k].value(),
                         Array<double>(weights[k].shape(), std::span<const double>(plain[k].w)),
                         tolerance, tolerance));
    }
    CHECK(optimizer.steps() == step);
    optimizer.zero_grad();
    CHECK_FALSE(weights[0].has_gradient());
  }
}

}  // namespace ebb::test
