// SPDX-License-Identifier: BSD-3-Clause
// Forward mode: a value and its partial derivatives in K directions. Every function of a dual is an
// operation's two formulas, so no derivative is written here.
#pragma once
#include <utility>

#include "ebb/autodiff/ops/elementwise.hpp"

namespace ebb::inline v0::inline EBB_UNIT {

/// A number v of type V (lanes or a plain number) with its derivatives d in K directions.
template <class V, int K>
struct Dual {
  using value_type = V;
  using Mask = decltype(std::declval<V>() < std::declval<V>());

  V v;
  V d[K];

  Dual() = default;
  /// A constant.
  EBB_INLINE Dual(const V& x) : v(x) {
    repeat<K>([&](auto k) __attribute__((always_inline)) { d[k] = V(0); });
  }
  template <Literal U>
  requires(!std::is_same_v<U, V>) EBB_INLINE Dual(U x) : Dual(V(x)) {}

  template <class O>
  EBB_INLINE static Dual apply(const O& op, const Dual& x) {
    Dual r;
    r.v = V(op.value(x.v));
    repeat<K>([&](auto k)
                  __attribute__((always_inline)) { r.d[k] = V(op::pull(op, x.d[k], x.v, r.v)); });
    return r;
  }
  template <class O>
  EBB_INLINE static Dual apply(const O& op, const Dual& a, const Dual& b) {
    Dual r;
    r.v = V(op.value(a.v, b.v));
    repeat<K>([&](auto k) __attribute__((always_inline)) {
      r.d[k] =
          V(op::pull<0>(op, a.d[k], a.v, b.v, r.v)) + V(op::pull<1>(op, b.d[k], a.v, b.v, r.v));
    });
    return r;
  }
  // With a constant on one side there is nothing to add.
  template <class O>
  EBB_INLINE static Dual apply(const O& op, const Dual& a, const V& b) {
    Dual r;
    r.v = V(op.value(a.v, b));
    repeat<K>([&](auto k) __attribute__((always_inline)) {
      r.d[k] = V(op::pull<0>(op, a.d[k], a.v, b, r.v));
    });
    return r;
  }
  template <class O>
  EBB_INLINE static Dual apply(const O& op, const V& a, const Dual& b) {
    Dual r;
    r.v = V(op.value(a, b.v));
    repeat<K>([&](auto k) __attribute__((always_inline)) {
      r.d[k] = V(op::pull<1>(op, b.d[k], a, b.v, r.v));
    });
    return r;
  }

#define EBB_UNARY(f, O) \
  friend EBB_INLINE Dual f(const Dual& x) { return apply(op::O{}, x); }
  EBB_FORMULA_FUNCTIONS(EBB_UNARY)
  EBB_UNARY(operator-, Neg)
  EBB_UNARY(sqrt, Sqrt)
  EBB_UNARY(exp, Exp)
  EBB_UNARY(expm1, Expm1)
  EBB_UNARY(log, Log)
  EBB_UNARY(log1p, Log1p)
  EBB_UNARY(sin, Sin)
  EBB_UNARY(cos, Cos)
  EBB_UNARY(tanh, Tanh)
#undef EBB_UNARY
  friend EBB_INLINE Dual clamp(const Dual& x, double low, double high) {
    return apply(op::Clamp{low, high}, x);
  }

#define EBB_BINARY(f, O)                                                                  \
  friend EBB_INLINE Dual f(const Dual& a, const Dual& b) { return apply(op::O{}, a, b); } \
  friend EBB_INLINE Dual f(const Dual& a, const V& b) { return apply(op::O{}, a, b); }    \
  friend EBB_INLINE Dual f(const V& a, const Dual& b) { return apply(op::O{}, a, b); }    \
  template <Literal U>                                                                    \
  requires(!std::is_same_v<U, V>) friend EBB_INLINE Dual f(const Dual& a, U b) {          \
    return apply(op::O{}, a, V(b));                                                       \
  }                                                                                       \
  template <Literal U>                                                                    \
  requires(!std::is_same_v<U, V>) friend EBB_INLINE Dual f(U a, const Dual& b) {          \
    return apply(op::O{}, V(a), b);                                                       \
  }
  EBB_BINARY(operator+, Add)
  EBB_BINARY(operator-, Sub)
  EBB_BINARY(operator*, Mul)
  EBB_BINARY(operator/, Div)
  EBB_BINARY(pow, Pow)
  EBB_BINARY(maximum, Maximum)
  EBB_BINARY(minimum, Minimum)
#undef EBB_BINARY

#define EBB_COMPARE(symbol) \
  friend EBB_INLINE Mask operator symbol(const Dual& a, const Dual& b) { return a.v symbol b.v; }
  EBB_COMPARE(<)
  EBB_COMPARE(>)
  EBB_COMPARE(<=)
  EBB_COMPARE(>=)
  EBB_COMPARE(==)
#undef EBB_COMPARE

  friend EBB_INLINE Dual select(const Mask& mask, const Dual& a, const Dual& b) {
    Dual r;
    r.v = select(mask, a.v, b.v);
    repeat<K>([&](auto k)
                  __attribute__((always_inline)) { r.d[k] = select(mask, a.d[k], b.d[k]); });
    return r;
  }
};

}  // namespace ebb::inline v0::inline EBB_UNIT
