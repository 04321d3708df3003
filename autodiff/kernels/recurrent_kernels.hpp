// SPDX-License-Identifier: BSD-3-Clause
// The elementwise part of recurrent cells, one pass over a row for a step or its gradient. What
// follows a row is another gate or another row, so that nothing is written past its end.
#pragma once
#include "ebb/autodiff/formula/sigmoidal.hpp"
#include "ebb/autodiff/kernels/elementwise_kernels.hpp"

namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE {

template <class T>
struct RecurrentKernels {
  using V = Vector<T>;
  static constexpr int W = V::size;

  /// A vector of numbers at position j; up to W - 1 of them may be beyond the row.
  EBB_INLINE static V at(const T* row, std::int64_t j) { return V::load(row + j); }
  EBB_INLINE static V sigmoid_of(const V& x) { return op::Sigmoid::value(x); }

  /// Both parts of gate k and their biases.
  EBB_INLINE static V gate(const RecurrentStep<T>& r, int k, std::int64_t j) {
    const std::int64_t i = k * r.size + j;
    return (at(r.gates, i) + at(r.b_ih, i)) + (at(r.of_state, i) + at(r.b_hh, i));
  }

  static void lstm_step(const RecurrentStep<T>& r) {
    const std::int64_t n = r.size;
    for (std::int64_t j = 0; j < n; j += W) {
      const V i = sigmoid_of(gate(r, 0, j)), f = sigmoid_of(gate(r, 1, j));
      const V g = tanh(gate(r, 2, j)), o = sigmoid_of(gate(r, 3, j));
      const V cell = madd(f, at(r.cell, j), i * g), hidden = o * tanh(cell);
      put_first(i, r.gates + j, n - j);
      put_first(f, r.gates + n + j, n - j);
      put_first(g, r.gates + 2 * n + j, n - j);
      put_first(o, r.gates + 3 * n + j, n - j);
      put_first(cell, r.cell + j, n - j);
      put_first(cell, r.memory + j, n - j);
      put_first(hidden, r.hidden + j, n - j);
      put_first(hidden, r.output + j, n - j);
    }
  }
  static void lstm_pull(const RecurrentPull<T>& r) {
    const std::int64_t n = r.size;
    for (std::int64_t j = 0; j < n; j += W) {
      const V i = at(r.gates, j), f = at(r.gates, n + j), g = at(r.gates, 2 * n + j);
      const V o = at(r.gates, 3 * n + j), t = tanh(at(r.memory, j));
      const V gh = at(r.g_hidden, j) + at(r.g, j);
      const V gc = madd(gh * o, 1 - t * t, at(r.g_cell, j));
      const auto give = [&](int k, const V& part) EBB_LAMBDA {
        put_first(part, r.of_input + k * n + j, n - j);
        put_first(part, r.of_state + k * n + j, n - j);
      };
      give(0, gc * g * (i * (1 - i)));
      give(1, gc * at(r.before, j) * (f * (1 - f)));
      give(2, gc * i * (1 - g * g));
      give(3, gh * t * (o * (1 - o)));
      put_first(gc * f, r.g_cell + j, n - j);
      put_first(V(0), r.g_hidden + j, n - j);
    }
  }

  static void gru_step(const RecurrentStep<T>& r) {
    const std::int64_t n = r.size;
    for (std::int64_t j = 0; j < n; j += W) {
      const V reset = sigmoid_of(gate(r, 0, j)), z = sigmoid_of(gate(r, 1, j));
      const V of_state = at(r.of_state, 2 * n + j) + at(r.b_hh, 2 * n + j);
      const V fresh = tanh(madd(reset, of_state, at(r.gates, 2 * n + j) + at(r.b_ih, 2 * n + j)));
      const V hidden = madd(z, at(r.hidden, j) - fresh, fresh);
      put_first(reset, r.gates + j, n - j);
      put_first(z, r.gates + n + j, n - j);
      put_first(fresh, r.gates + 2 * n + j, n - j);
      put_first(of_state, r.memory + j, n - j);
      put_first(hidden, r.hidden + j, n - j);
      put_first(hidden, r.output + j, n - j);
    }
  }
  static void gru_pull(const RecurrentPull<T>& r) {
    const std::int64_t n = r.size;
    for (std::int64_t j = 0; j < n; j += W) {
      const V reset = at(r.gates, j), z = at(r.gates, n + j), fresh = at(r.gates, 2 * n + j);
      const V gh = at(r.g_hidden, j) + at(r.g, j);
      const V g_fresh = gh * (1 - z) * (1 - fresh * fresh);
      const auto give = [&](int k, const V& of_input, const V& of_state) EBB_LAMBDA {
        put_first(of_input, r.of_input + k * n + j, n - j);
        put_first(of_state, r.of_state + k * n + j, n - j);
      };
      const V g_reset = g_fresh * at(r.memory, j) * (reset * (1 - reset));
      const V g_z = gh * (at(r.hidden_before, j) - fresh) * (z * (1 - z));
      give(0, g_reset, g_reset);
      give(1, g_z, g_z);
      give(2, g_fresh, g_fresh * reset);
      put_first(gh * z, r.g_hidden + j, n - j);
    }
  }

  template <bool relu>
  static void rnn_step(const RecurrentStep<T>& r) {
    for (std::int64_t j = 0; j < r.size; j += W) {
      const V sum = gate(r, 0, j);
      const V hidden = relu ? op::Relu::value(sum) : V(tanh(sum));
      put_first(hidden, r.hidden + j, r.size - j);
      put_first(hidden, r.output + j, r.size - j);
    }
  }
  template <bool relu>
  static void rnn_pull(const RecurrentPull<T>& r) {
    for (std::int64_t j = 0; j < r.size; j += W) {
      const V gh = at(r.g_hidden, j) + at(r.g, j), hidden = at(r.hidden, j);
      const V part = relu ? V(op::Relu::pull(gh, hidden, hidden)) : gh * (1 - hidden * hidden);
      put_first(part, r.of_input + j, r.size - j);
      put_first(part, r.of_state + j, r.size - j);
      put_first(V(0), r.g_hidden + j, r.size - j);
    }
  }
};

}  // namespace ebb::inline v0::detail::inline EBB_ISA_NAMESPACE
