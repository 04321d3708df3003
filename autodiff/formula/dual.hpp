// SPDX-License-Identifier: BSD-3-Clause
// Forward mode: a value with its derivatives in K directions. Functions of duals use the value and
// slope formulas of the operations, so no derivative is written here.
#pragma once
#include <utility>

#include "ebb/autodiff/formula/elementwise.hpp"

namespace ebb::inline v0::inline EBB_ISA_NAMESPACE {

/// A number v of type V (lanes or a plain number) with its derivatives d in K directions. Only
/// those in `on`, one bit each, may differ from 0; the others cost nothing.
template <class V, int K, unsigned on = (1U << K) - 1>
struct Dual {
  using value_type = V;

  V v;
  V d[K];

  Dual() = default;
  /// A constant.
  EBB_INLINE Dual(const V& x) : v(x) {
    each([&](auto k) EBB_LAMBDA { d[k] = V(0); });
  }
  template <Literal U>
  requires(!std::is_same_v<U, V>) EBB_INLINE Dual(U x) : Dual(V(x)) {}
  /// Converts from a dual of which fewer directions may differ from 0.
  template <unsigned from>
  requires(from != on) EBB_INLINE Dual(const Dual<V, K, from>& x) : v(x.v) {
    static_assert((from & ~on) == 0,
                  "a variable of this formula takes a value that depends on more inputs than its "
                  "first one did: declare a new one with auto");
    each([&](auto k) EBB_LAMBDA { d[k] = x.template partial<int(k)>(); });
  }

  /// The derivative in direction k; 0 if it is not stored.
  template <int k>
  EBB_INLINE V partial() const {
    if constexpr ((on >> k & 1U) != 0) {
      return d[k];
    } else {
      return V(0);
    }
  }
  /// Calls f(k) for each stored direction.
  template <class F>
  EBB_INLINE static void each(const F& f) {
    detail::unrolled<K>([&](auto k) EBB_LAMBDA {
      if constexpr ((on >> int(k) & 1U) != 0) f(k);
    });
  }
};

namespace forward {

/// The derivative of a result, given that of the argument, d. Where d is 0 it is 0, even if the
/// slope is infinite: what a choice did not take has no part in what follows. Only operations that
/// say that their slopes can be infinite pay for it.
template <class O, class V>
EBB_INLINE V annihilate(const V& d, const V& result) {
  if constexpr (requires { O::has_infinite_slope; }) {
    using v0::select;  // for plain numbers
    return V(select(d == 0, 0, result));
  } else {
    return result;
  }
}

/// An operation on duals. Its `pull` also serves forward mode, since the Jacobian of an elementwise
/// operation is diagonal.
template <class O, class V, int K, unsigned on>
EBB_INLINE Dual<V, K, on> unary(const O& op, const Dual<V, K, on>& x) {
  Dual<V, K, on> r;
  r.v = V(op.value(x.v));
  x.each([&](auto k)
             EBB_LAMBDA { r.d[k] = annihilate<O>(x.d[k], V(op::pull(op, x.d[k], x.v, r.v))); });
  return r;
}
/// The derivative of the result of `binary` by way of one argument, which has the derivative d.
template <int side, class O, class V>
EBB_INLINE V part(const O& op, const V& d, const V& a, const V& b, const V& y) {
  return annihilate<O>(d, V(op::pull<side>(op, d, a, b, y)));
}
template <class O, class V, int K, unsigned p, unsigned q>
EBB_INLINE Dual<V, K, p | q> binary(const O& op, const Dual<V, K, p>& a, const Dual<V, K, q>& b) {
  Dual<V, K, p | q> r;
  r.v = V(op.value(a.v, b.v));
  r.each([&](auto k) EBB_LAMBDA {
    constexpr bool in_a = (p >> int(k) & 1U) != 0, in_b = (q >> int(k) & 1U) != 0;
    if constexpr (in_a && in_b) {
      r.d[k] = part<0>(op, a.d[k], a.v, b.v, r.v) + part<1>(op, b.d[k], a.v, b.v, r.v);
    } else if constexpr (in_a) {
      r.d[k] = part<0>(op, a.d[k], a.v, b.v, r.v);
    } else {
      r.d[k] = part<1>(op, b.d[k], a.v, b.v, r.v);
    }
  });
  return r;
}
template <class V, int K>
EBB_INLINE Dual<V, K, 0> constant(const V& x) {
  return Dual<V, K, 0>(x);
}
template <class V>
using Mask = decltype(std::declval<V>() < std::declval<V>());

}  // namespace forward

#define EBB_UNARY(f, O, ...)                                                                    \
  template <class V, int K, unsigned on>                                                        \
  EBB_INLINE Dual<V, K, on> f(EBB_PARAMETERS_BEFORE(__VA_ARGS__)                                \
                                  const Dual<V, K, on>& x EBB_PARAMETERS_BEHIND(__VA_ARGS__)) { \
    return forward::unary(op::O{EBB_PARAMETERS(__VA_ARGS__)}, x);                               \
  }
EBB_UNARY_OPERATIONS(EBB_UNARY)
#undef EBB_UNARY

// Operations of two duals, and of a dual and a constant: lanes, numbers or literals.
#define EBB_BINARY(f, O)                                                                   \
  template <class V, int K, unsigned p, unsigned q>                                        \
  EBB_INLINE Dual<V, K, p | q> f(const Dual<V, K, p>& a, const Dual<V, K, q>& b) {         \
    return forward::binary(op::O{}, a, b);                                                 \
  }                                                                                        \
  template <class V, int K, unsigned on>                                                   \
  EBB_INLINE Dual<V, K, on> f(const Dual<V, K, on>& a, const std::type_identity_t<V>& b) { \
    return forward::binary(op::O{}, a, forward::constant<V, K>(b));                        \
  }                                                                                        \
  template <class V, int K, unsigned on>                                                   \
  EBB_INLINE Dual<V, K, on> f(const std::type_identity_t<V>& a, const Dual<V, K, on>& b) { \
    return forward::binary(op::O{}, forward::constant<V, K>(a), b);                        \
  }
EBB_BINARY_OPERATIONS(EBB_BINARY)
#undef EBB_BINARY

#define EBB_COMPARE(symbol)                                                                    \
  template <class V, int K, unsigned p, unsigned q>                                            \
  EBB_INLINE auto operator symbol(const Dual<V, K, p>& a, const Dual<V, K, q>& b) {            \
    return a.v symbol b.v;                                                                     \
  }                                                                                            \
  template <class V, int K, unsigned on>                                                       \
  EBB_INLINE auto operator symbol(const Dual<V, K, on>& a, const std::type_identity_t<V>& b) { \
    return a.v symbol b;                                                                       \
  }                                                                                            \
  template <class V, int K, unsigned on>                                                       \
  EBB_INLINE auto operator symbol(const std::type_identity_t<V>& a, const Dual<V, K, on>& b) { \
    return a symbol b.v;                                                                       \
  }
EBB_COMPARE(<)
EBB_COMPARE(>)
EBB_COMPARE(<=)
EBB_COMPARE(>=)
EBB_COMPARE(==)
#undef EBB_COMPARE

template <class V, int K, unsigned p, unsigned q>
EBB_INLINE Dual<V, K, p | q> select(const forward::Mask<std::type_identity_t<V>>& mask,
                                    const Dual<V, K, p>& a, const Dual<V, K, q>& b) {
  Dual<V, K, p | q> r;
  using v0::select;  // for plain numbers
  r.v = select(mask, a.v, b.v);
  r.each([&](auto k) EBB_LAMBDA {
    r.d[k] = select(mask, a.template partial<int(k)>(), b.template partial<int(k)>());
  });
  return r;
}
template <class V, int K, unsigned on>
EBB_INLINE Dual<V, K, on> select(const forward::Mask<std::type_identity_t<V>>& mask,
                                 const Dual<V, K, on>& a, const std::type_identity_t<V>& b) {
  return select(mask, a, forward::constant<V, K>(b));
}
template <class V, int K, unsigned on>
EBB_INLINE Dual<V, K, on> select(const forward::Mask<std::type_identity_t<V>>& mask,
                                 const std::type_identity_t<V>& a, const Dual<V, K, on>& b) {
  return select(mask, forward::constant<V, K>(a), b);
}

}  // namespace ebb::inline v0::inline EBB_ISA_NAMESPACE
