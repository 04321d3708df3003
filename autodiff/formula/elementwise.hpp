// SPDX-License-Identifier: BSD-3-Clause
// Every elementwise operation: its value, its slope, and the points at which it is checked, one
// block each in the header of its family. The same lines run on SIMD lanes, on plain numbers, on
// duals and on tensors. The properties that the sweep needs are derived from them here.
#pragma once
#include "ebb/autodiff/formula/arithmetic.hpp"
#include "ebb/autodiff/formula/exponential.hpp"
#include "ebb/autodiff/formula/gamma.hpp"
#include "ebb/autodiff/formula/sigmoidal.hpp"
#include "ebb/autodiff/formula/trigonometric.hpp"

namespace ebb::inline v0 {
namespace op {

/// The slope of a unary operation if it is the same number everywhere, so that it needs no kernel
/// and keeps nothing; otherwise `not_literal`.
template <class O>
constexpr int unary_literal() {
  if constexpr (requires {
                  requires std::is_same_v<decltype(O::slope(Uses<1>{}, Uses<2>{})), int>;
                  std::integral_constant<int, O::slope(Uses<1>{}, Uses<2>{})>{};
                }) {
    return O::slope(Uses<1>{}, Uses<2>{});
  } else {
    return not_literal;
  }
}

// The gradient of an input from the gradient g of the output. The operation's own `pull` if it has
// one; 0 if its slope is the literal 0; else g * slope. The Jacobian is diagonal, so that forward
// mode uses the same line.

template <class O>
EBB_INLINE constexpr auto pull(const O& f, const auto& g, const auto& x, const auto& y) {
  if constexpr (requires { f.pull(g, x, y); }) {
    return f.pull(g, x, y);
  } else if constexpr (unary_literal<O>() == 0) {
    return 0;
  } else {
    return g * f.slope(x, y);
  }
}
/// True if a binary operation has a `pull` of its own for this argument, first (side 0) or second
/// (side 1), in place of a slope.
template <class O, int side>
constexpr bool has_own_pull() {
  constexpr Uses<1> any{};
  if constexpr (side == 0) {
    return requires { O::pull_a(any, any, any, any); };
  } else {
    return requires { O::pull_b(any, any, any, any); };
  }
}
/// The slope of a binary operation with respect to its first (side 0) or second (side 1) argument.
template <int side, class O>
EBB_INLINE constexpr auto slope_of(const O& f, const auto& a, const auto& b, const auto& y) {
  if constexpr (side == 0) {
    return f.slope_a(a, b, y);
  } else {
    return f.slope_b(a, b, y);
  }
}
template <int side, class O>
EBB_INLINE constexpr auto pull(const O& f, const auto& g, const auto& a, const auto& b,
                               const auto& y) {
  if constexpr (!has_own_pull<O, side>()) {
    return g * slope_of<side>(f, a, b, y);
  } else if constexpr (side == 0) {
    return f.pull_a(g, a, b, y);
  } else {
    return f.pull_b(g, a, b, y);
  }
}

// Which arguments a slope reads, found at compile time by evaluating it on `Uses`, a number type
// that tracks dependence. Bits 1, 2 and 4 are x and y of a unary operation, or a, b and y of a
// binary one.

/// The arguments that the pull of a unary operation reads, as bits.
template <class O>
constexpr unsigned unary_reads = uses_of<decltype(pull(O{}, Uses<8>{}, Uses<1>{}, Uses<2>{}))> & 7U;
/// The arguments that the pull of a binary operation with respect to one argument reads, as bits.
template <class O, int side>
constexpr unsigned binary_reads =
    uses_of<decltype(pull<side>(O{}, Uses<8>{}, Uses<1>{}, Uses<2>{}, Uses<4>{}))> & 7U;

/// The slope of a binary operation with respect to one argument if it is the same number
/// everywhere; otherwise `not_literal`.
template <class O, int side>
constexpr int binary_literal() {
  if constexpr (has_own_pull<O, side>()) {
    return not_literal;
  } else if constexpr (std::is_same_v<
                           decltype(slope_of<side>(O{}, Uses<1>{}, Uses<2>{}, Uses<4>{})), int>) {
    return slope_of<side>(O{}, Uses<1>{}, Uses<2>{}, Uses<4>{});
  } else {
    return not_literal;
  }
}

}  // namespace op

#define EBB_DEFINE(f, O, ...)                                                   \
  template <FormulaNumber V>                                                    \
  EBB_INLINE constexpr V f(EBB_PARAMETERS_BEFORE(__VA_ARGS__)                   \
                               const V& x EBB_PARAMETERS_BEHIND(__VA_ARGS__)) { \
    return V(op::O{EBB_PARAMETERS(__VA_ARGS__)}.value(x));                      \
  }
EBB_UNARY_OF_FORMULAS(EBB_DEFINE)
#undef EBB_DEFINE
#define EBB_DEFINE(f, O)                                                        \
  template <FormulaNumber V>                                                    \
  EBB_INLINE constexpr V f(const V& a, const std::type_identity_t<V>& b) {      \
    return V(op::O::value(a, b));                                               \
  }                                                                             \
  template <FormulaNumber V, Literal U>                                         \
  EBB_INLINE constexpr V f(U a, const V& b) requires(!std::floating_point<V>) { \
    return V(op::O::value(V(a), b));                                            \
  }
EBB_BINARY_OF_FORMULAS(EBB_DEFINE)
#undef EBB_DEFINE

}  // namespace ebb::inline v0
