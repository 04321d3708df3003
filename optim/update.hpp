// SPDX-License-Identifier: BSD-3-Clause
// The fused pass of a rule. Needed only where a new rule is defined: include this, and
// `Optimizer<MyRule, T>` compiles.
#pragma once
#include "ebb/autodiff/formula/lanes.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/parallel.hpp"
#include "ebb/autodiff/values/variable.hpp"
#include "ebb/optim/optimizer.hpp"

namespace ebb::inline v0::optim {
inline namespace EBB_UNIT {

inline constexpr int max_states = 2;  // arrays of state that a rule may have for each parameter

/// What an update reads and writes.
template <class T>
struct UpdateArrays {
  T* weight;
  const T* gradient;
  T* state[max_states];
  int states;
};

/// The loop of a rule over its arrays, once an instruction set. It updates the elements
/// [first, last).
template <class Rule, class T>
struct UpdateLoops {
  using Step = typename Rule::Step;
  using Loop = void (*)(const Step& step, const UpdateArrays<T>& arrays, std::int64_t first,
                        std::int64_t last);

// One loop for each number of states. The step is a copy that no store can change, so that its
// numbers leave the loop as vectors.
#define EBB_UPDATE(set, attributes, bytes)                                                   \
  attributes EBB_HOT static void run_##set(const Step& given, const UpdateArrays<T>& arrays, \
                                           std::int64_t first, std::int64_t last) {          \
    using V = Lanes<T, bytes / int(sizeof(T))>;                                              \
    const Step step = given;                                                                 \
    T* const w = arrays.weight;                                                              \
    const T* const g = arrays.gradient;                                                      \
    if constexpr (requires(V & v, const V& c) { Rule::update(step, v, c); }) {               \
      if (arrays.states == 0) {                                                              \
        for (std::int64_t i = first; i < last; i += V::size) {                               \
          V weight = V::load(w + i);                                                         \
          Rule::update(step, weight, V::load(g + i));                                        \
          weight.store(w + i);                                                               \
        }                                                                                    \
      }                                                                                      \
    }                                                                                        \
    if constexpr (requires(V & v, const V& c) { Rule::update(step, v, c, v); }) {            \
      if (arrays.states == 1) {                                                              \
        T* const state0 = arrays.state[0];                                                   \
        for (std::int64_t i = first; i < last; i += V::size) {                               \
          V weight = V::load(w + i), s0 = V::load(state0 + i);                               \
          Rule::update(step, weight, V::load(g + i), s0);                                    \
          s0.store(state0 + i);                                                              \
          weight.store(w + i);                                                               \
        }                                                                                    \
      }                                                                                      \
    }                                                                                        \
    if constexpr (requires(V & v, const V& c) { Rule::update(step, v, c, v, v); }) {         \
      if (arrays.states == 2) {                                                              \
        T *const state0 = arrays.state[0], *const state1 = arrays.state[1];                  \
        for (std::int64_t i = first; i < last; i += V::size) {                               \
          V weight = V::load(w + i), s0 = V::load(state0 + i), s1 = V::load(state1 + i);     \
          Rule::update(step, weight, V::load(g + i), s0, s1);                                \
          s0.store(state0 + i);                                                              \
          s1.store(state1 + i);                                                              \
          weight.store(w + i);                                                               \
        }                                                                                    \
      }                                                                                      \
    }                                                                                        \
  }
  EBB_UPDATE(sse2, EBB_LOOP_sse2, 16)
  EBB_UPDATE(avx2, EBB_LOOP_avx2, 32)
  EBB_UPDATE(avx512, EBB_LOOP_avx512, 64)
#undef EBB_UPDATE

  /// The loop for what this machine has.
  static Loop best() {
    constexpr Loop loops[] = {&run_sse2, &run_avx2, &run_avx512};
    return loops[int(detail::instruction_set())];
  }
};

}  // namespace EBB_UNIT

template <class Rule, Real T>
Optimizer<Rule, T>::Optimizer(std::vector<Variable<T>> parameters, Rule rule)
    : rule_(rule), parameters_(std::move(parameters)), states_each_(rule.states()) {
  rule_.prepare(1);  // refuses bad options at once
  for (const auto& p : parameters_) {
    for (int k = 0; k < states_each_; ++k) states_.push_back(Array<T>::zeros(p.shape()));
  }
}

template <class Rule, Real T>
void Optimizer<Rule, T>::step() {
  const typename Rule::Step step = rule_.prepare(++steps_);
  const auto loop = UpdateLoops<Rule, T>::best();
  Array<T>* states = states_.data();
  for (const Variable<T>& parameter : parameters_) {
    auto& cell = *ebb::detail::Access::cell(parameter);
    if (!cell.gradient.empty()) {
      UpdateArrays<T> arrays;
      arrays.weight = cell.value.mutate();
      arrays.gradient = cell.gradient.data();
      arrays.states = states_each_;
      for (int k = 0; k < states_each_; ++k) arrays.state[k] = states[k].mutate();
      constexpr std::int64_t block = 1 << 16;
      ebb::detail::parallel_blocks(
          cell.value.size(), block,
          [&](std::int64_t first, std::int64_t last) { loop(step, arrays, first, last); });
    }
    states += states_each_;
  }
}

}  // namespace ebb::inline v0::optim
