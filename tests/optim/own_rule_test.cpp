// SPDX-License-Identifier: BSD-3-Clause
// Your own rule, with any number of state arrays.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include "ebb/optim/update.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using ebb::test::close;

namespace {

/// AMSGrad (Reddi, Kale and Kumar 2018, algorithm 2), with three arrays of state.
struct AMSGrad {
  double learning_rate = 0.1, beta1 = 0.8, beta2 = 0.9;
  static constexpr std::array<std::string_view, 3> states = {"m", "v", "v_max"};
  struct Step {
    double rate, beta1, beta2;
  };
  Step prepare(std::int64_t) const { return {learning_rate, beta1, beta2}; }
  template <class V>
  static EBB_INLINE void update(const Step& s, V& w, const V& g, V& m, V& v, V& v_max) {
    m = V(s.beta1) * m + V(1 - s.beta1) * g;
    v = V(s.beta2) * v + V(1 - s.beta2) * (g * g);
    v_max = maximum(v_max, v);
    w = w - V(s.rate) * m / (sqrt(v_max) + V(1e-3));
  }
};

/// Five arrays, each one step later than the one before it, to see that none is lost.
struct Chain {
  static constexpr std::string_view states[] = {"a", "b", "c", "d", "e"};
  struct Step {};
  Step prepare(std::int64_t) const { return {}; }
  template <class V>
  static EBB_INLINE void update(const Step&, V& w, const V& g, V& a, V& b, V& c, V& d, V& e) {
    w = w + e;
    e = d;
    d = c;
    c = b;
    b = a;
    a = g;
  }
};

}  // namespace

TEST_SUITE("a rule of one's own") {

TEST_CASE_TEMPLATE("with three states follows its paper", T, float, double) {
  constexpr int n = 21;  // no multiple of a vector
  const Variable<T> w(Array<T>::full({n}, T(1)));
  optim::Optimizer optimizer({w}, AMSGrad{});
  std::vector<double> expected(n, 1), m(n, 0), v(n, 0), v_max(n, 0);
  for (int step = 0; step < 10; ++step) {
    auto g = Array<T>::uninitialized({n});
    for (int i = 0; i < n; ++i) {
      const auto k = std::size_t(i);
      g.mutate()[i] = T(std::sin(step + 0.7 * i));
      const double gi = double(g[i]);
      m[k] = 0.8 * m[k] + (1 - 0.8) * gi;
      v[k] = 0.9 * v[k] + (1 - 0.9) * gi * gi;
      v_max[k] = std::max(v_max[k], v[k]);
      expected[k] -= 0.1 * m[k] / (std::sqrt(v_max[k]) + 1e-3);
    }
    w.share().set_gradient(g);
    optimizer.step();
  }
  // Ten steps of a few roundings each, on numbers of size 1.
  const double tolerance = sizeof(T) == 8 ? 1e-13 : 1e-5;
  CHECK_AGREES(close(w.value(), Array<double>({n}, std::span<const double>(expected)), tolerance,
                     tolerance));
}

TEST_CASE_TEMPLATE("with five states updates each of them separately", T, float, double) {
  const Variable<T> w(Array<T>::of({0, 0, 0}));
  optim::Optimizer optimizer({w}, Chain{});
  for (int step = 1; step <= 8; ++step) {
    w.share().set_gradient(Array<T>::of({T(step), T(10 * step), T(100 * step)}));
    optimizer.step();
  }
  // The gradients of steps 1 to 3 have come through.
  CHECK_AGREES(test::same_bits(w.value(), Array<T>::of({6, 60, 600})));
}

}  // TEST_SUITE("a rule of one's own")
