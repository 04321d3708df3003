// SPDX-License-Identifier: BSD-3-Clause
// The composed activations by name inside other formulas: on lanes, on duals and on plain numbers.
#pragma once
#include "ebb/autodiff/dual.hpp"
#include "ebb/autodiff/lanes.hpp"
#include "ebb/autodiff/ops/activations.hpp"

namespace ebb::inline v0 {

template <class V>
inline constexpr bool is_dual = false;
template <class V, int K, unsigned on>
inline constexpr bool is_dual<Dual<V, K, on>> = true;

/// A number that a formula may be evaluated with, other than a tensor.
template <class V>
concept FormulaValue = FormulaNumber<V> || is_uses<V> || is_dual<V>;

#define EBB_ACTIVATION(f, O)                      \
  /** The operation of this name in a formula. */ \
  template <FormulaValue V>                       \
  EBB_INLINE V f(const V& x) {                    \
    return V(op::O::value(x));                    \
  }
EBB_ACTIVATION(silu, Silu)
EBB_ACTIVATION(mish, Mish)
EBB_ACTIVATION(selu, Selu)
#undef EBB_ACTIVATION

/// The operation of this name in a formula.
template <FormulaValue V>
EBB_INLINE V elu(const V& x, double alpha = 1) {
  return V(op::Elu::value(x, alpha));
}
/// The operation of this name in a formula.
template <FormulaValue V>
EBB_INLINE V leaky_relu(const V& x, double negative_slope = 0.01) {
  return V(op::LeakyRelu::value(x, negative_slope));
}
/// The operation of this name in a formula, where the limits are not checked.
template <FormulaValue V>
EBB_INLINE V hardtanh(const V& x, double low = -1, double high = 1) {
  return V(op::Hardtanh::value(x, low, high));
}

}  // namespace ebb::inline v0
