// SPDX-License-Identifier: BSD-3-Clause
// What the rules share: the checks of their options, and parts of their formulas.
#pragma once
#include "ebb/autodiff/formula/formula.hpp"
#include "ebb/autodiff/values/fields.hpp"
#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0::optim::detail {

/// @throws ArgumentError "rule: what, not value".
[[noreturn]] EBB_API void throw_option(const char* rule, const char* what, double value);

/// @throws ArgumentError "rule: what, not value" unless a condition holds. Every step checks, so
/// that a check which holds must not be a call.
EBB_INLINE void check_option(bool holds, const char* rule, const char* what, double value) {
  if (!holds) [[unlikely]]
    throw_option(rule, what, value);
}
EBB_INLINE void check_common(const char* rule, double learning_rate, double weight_decay) {
  check_option(learning_rate >= 0, rule, "learning_rate must be at least 0", learning_rate);
  check_option(weight_decay >= 0, rule, "weight_decay must be at least 0", weight_decay);
}
EBB_INLINE void check_moments(const char* rule, double beta1, double beta2, double epsilon) {
  check_option(beta1 >= 0 && beta1 < 1, rule, "beta1 must be in [0, 1)", beta1);
  check_option(beta2 >= 0 && beta2 < 1, rule, "beta2 must be in [0, 1)", beta2);
  check_option(epsilon >= 0, rule, "epsilon must be at least 0", epsilon);
}

/// a / b, where 0 / 0 is 0: a weight that nothing has moved yet makes no step.
template <class V>
EBB_INLINE V quotient(const V& a, const V& b) {
  return select(b == V(0), select(a == V(0), V(0), a / b), a / b);
}

/// What Adam takes from a weight, with the means of gradients and squares, and the largest of the
/// latter if it is kept.
template <class Step, class V>
EBB_INLINE V adam_update(const Step& s, const V& g, V& m, V& v, auto&... v_max) {
  m = V(s.beta1) * m + V(1 - s.beta1) * g;
  v = V(s.beta2) * v + V(1 - s.beta2) * (g * g);
  V square = v;
  ((square = v_max = maximum(v_max, v)), ...);
  V update = V(s.rate) * m / (sqrt(square) * V(s.root) + V(s.epsilon));
  if (s.epsilon == 0) update = select(m == V(0), V(0), update);  // 0 / 0 is no step
  return update;
}

}  // namespace ebb::inline v0::optim::detail
