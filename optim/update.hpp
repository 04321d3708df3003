// SPDX-License-Identifier: BSD-3-Clause
// The fused pass of a rule. Needed only where a new rule is defined: include this and
// optimizer.hpp, and `Optimizer<MyRule, T>` compiles.
#pragma once
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/lanes.hpp"
#include "ebb/optim/optimizer.hpp"

namespace ebb::inline v0::optim {
inline namespace EBB_UNIT {

/// The loop of a rule over weights, gradients and state arrays of n elements, once an instruction
/// set.
template <class Rule, class T>
struct UpdateLoops {
  using Step = typename Rule::Step;

// One loop for each number of states. The step is a copy that no store can change, so that its
// numbers leave the loop as vectors.
#define EBB_UPDATE(set, attributes, bytes)                                               \
  attributes static void run_##set(const Step& given, T* w, const T* g, T* const* state, \
                                   int n_state, std::int64_t n) {                        \
    using V = Lanes<T, bytes / int(sizeof(T))>;                                          \
    const Step step = given;                                                             \
    if constexpr (requires(V & v, const V& c) { Rule::update(step, v, c); }) {           \
      if (n_state == 0) {                                                                \
        for (std::int64_t i = 0; i < n; i += V::size) {                                  \
          V weight = V::load(w + i);                                                     \
          Rule::update(step, weight, V::load(g + i));                                    \
          weight.store(w + i);                                                           \
        }                                                                                \
      }                                                                                  \
    }                                                                                    \
    if constexpr (requires(V & v, const V& c) { Rule::update(step, v, c, v); }) {        \
      if (n_state == 1) {                                                                \
        T* const state0 = state[0];                                                      \
        for (std::int64_t i = 0; i < n; i += V::size) {                                  \
          V weight = V::load(w + i), s0 = V::load(state0 + i);                           \
          Rule::update(step, weight, V::load(g + i), s0);                                \
          s0.store(state0 + i);                                                          \
          weight.store(w + i);                                                           \
        }                                                                                \
      }                                                                                  \
    }                                                                                    \
    if constexpr (requires(V & v, const V& c) { Rule::update(step, v, c, v, v); }) {     \
      if (n_state == 2) {                                                                \
        T *const state0 = state[0], *const state1 = state[1];                            \
        for (std::int64_t i = 0; i < n; i += V::size) {                                  \
          V weight = V::load(w + i), s0 = V::load(state0 + i), s1 = V::load(state1 + i); \
          Rule::update(step, weight, V::load(g + i), s0, s1);                            \
          s0.store(state0 + i);                                                          \
          s1.store(state1 + i);                                                          \
          weight.store(w + i);                                                           \
        }                                                                                \
      }                                                                                  \
    }                                                                                    \
  }
  EBB_UPDATE(sse2, EBB_LOOP_sse2, 16)
  EBB_UPDATE(avx2, EBB_LOOP_avx2, 32)
  EBB_UPDATE(avx512, EBB_LOOP_avx512, 64)
#undef EBB_UPDATE
};

}  // namespace EBB_UNIT

/// Runs the loop of the best instruction set that this machine has.
template <class Rule, Real T>
void Optimizer<Rule, T>::run(const typename Rule::Step& step, T* w, const T* g, T* const* states,
                             int n_state, std::int64_t first, std::int64_t last) {
  using Loops = UpdateLoops<Rule, T>;
  const std::int64_t n = last - first;
  w += first;
  g += first;
  T* const state[] = {n_state > 0 ? states[0] + first : nullptr,
                      n_state > 1 ? states[1] + first : nullptr};
  switch (detail::instruction_set()) {
    case detail::InstructionSet::avx512:
      return Loops::run_avx512(step, w, g, state, n_state, n);
    case detail::InstructionSet::avx2:
      return Loops::run_avx2(step, w, g, state, n_state, n);
    case detail::InstructionSet::sse2:
      return Loops::run_sse2(step, w, g, state, n_state, n);
  }
}

}  // namespace ebb::inline v0::optim
