// SPDX-License-Identifier: BSD-3-Clause
// The language of formulas, for any kind of number: literals, + - * /, unary -, comparisons,
// select(mask, a, b), and the functions below. All other functions are built from these.
#pragma once
#include <cmath>
#include <concepts>
#include <type_traits>
#include <utility>

#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0 {

/// A plain number in a formula. It takes the type of the numbers around it.
template <class T>
concept Literal = std::is_arithmetic_v<T>;

namespace detail {

/// Calls f(0), ..., f(n - 1) with constants. An array that is indexed only in such a loop stays in
/// registers: compilers unroll a plain loop too late for that.
template <int n, class F>
EBB_INLINE void unrolled(F f) {
  [&]<std::size_t... k>(std::index_sequence<k...>) EBB_LAMBDA {
    (f(std::integral_constant<std::size_t, k>{}), ...);
  }
  (std::make_index_sequence<n>{});
}

/// Takes the parameters that a function does not read.
constexpr void ignore(auto...) {}

}  // namespace detail

// Functions of plain numbers.

#define EBB_PLAIN(f, O)                        \
  /** The function of the standard library. */ \
  template <std::floating_point T>             \
  EBB_INLINE constexpr T f(T x) {              \
    return std::f(x);                          \
  }
EBB_UNARY_OF_CMATH(EBB_PLAIN)
#undef EBB_PLAIN

#define EBB_PLAIN(f, O)                                      \
  /** The function of the standard library. */               \
  template <std::floating_point T>                           \
  EBB_INLINE constexpr T f(T a, std::type_identity_t<T> b) { \
    return std::f(a, b);                                     \
  }
EBB_BINARY_OF_CMATH(EBB_PLAIN)
#undef EBB_PLAIN

/// The nearest integer, half to even.
template <std::floating_point T>
EBB_INLINE T round(T x) {
  return std::nearbyint(x);
}

/// The derivative of lgamma, computed as on lanes.
template <std::floating_point T>
EBB_INLINE T digamma(T x);
/// The n-th derivative of digamma, computed as on lanes.
template <std::floating_point T>
EBB_INLINE T polygamma(int n, T x);

/// x times the normal distribution function (gelu), computed as on lanes.
template <std::floating_point T>
EBB_INLINE T gelu(T x);
/// The approximation of gelu by tanh, computed as on lanes.
template <std::floating_point T>
EBB_INLINE T gelu_tanh(T x);

/// `a` if the condition is true, else `b`.
template <Literal A, Literal B>
EBB_INLINE constexpr auto select(bool condition, A a, B b) {
  using R = std::common_type_t<A, B>;
  return condition ? static_cast<R>(a) : static_cast<R>(b);
}

// A number type that only tracks which arguments a formula reads. Running a formula with it at
// compile time shows which values a backward pass must keep. Bit i means argument i.

/// A number computed from the arguments in `Mask`.
template <unsigned Mask>
struct Uses {
  static constexpr unsigned mask = Mask;
};

/// A comparison of numbers computed from the arguments in `Mask`.
template <unsigned Mask>
struct UsesMask {
  static constexpr unsigned mask = Mask;
};

/// The arguments that a number was computed from; none for a literal.
template <class A>
inline constexpr unsigned uses_of = 0;
template <unsigned Mask>
inline constexpr unsigned uses_of<Uses<Mask>> = Mask;
template <unsigned Mask>
inline constexpr unsigned uses_of<UsesMask<Mask>> = Mask;

template <class A>
inline constexpr bool is_uses = false;
template <unsigned Mask>
inline constexpr bool is_uses<Uses<Mask>> = true;

/// Two operands, of which one tracks its arguments, and the other does too or is a literal.
template <class A, class B>
concept UsesPair = (is_uses<A> && (is_uses<B> || Literal<B>)) || (Literal<A> && is_uses<B>);

#define EBB_COMPARISON(op)               \
  /** Reads what either operand read. */ \
  template <class A, class B>            \
  requires UsesPair<A, B>                \
  constexpr UsesMask<uses_of<A> | uses_of<B>> operator op(A, B) { return {}; }
EBB_COMPARISON(<)
EBB_COMPARISON(>)
EBB_COMPARISON(<=)
EBB_COMPARISON(>=)
EBB_COMPARISON(==)
#undef EBB_COMPARISON

/// Depends on the arguments of both conditions.
template <unsigned a, unsigned b>
constexpr UsesMask<(a | b)> operator&(UsesMask<a>, UsesMask<b>) {
  return {};
}
/// Depends on the arguments of both conditions.
template <unsigned a, unsigned b>
constexpr UsesMask<(a | b)> operator|(UsesMask<a>, UsesMask<b>) {
  return {};
}
/// Depends on the arguments of the condition.
template <unsigned M>
constexpr UsesMask<M> operator~(UsesMask<M> a) {
  return a;
}

#define EBB_USES(f, O, ...)                                                              \
  /** Reads what its argument read. */                                                   \
  template <unsigned M>                                                                  \
  constexpr Uses<M> f(                                                                   \
      EBB_PARAMETERS_BEFORE(__VA_ARGS__) Uses<M> x EBB_PARAMETERS_BEHIND(__VA_ARGS__)) { \
    detail::ignore(EBB_PARAMETERS(__VA_ARGS__));                                         \
    return x;                                                                            \
  }
EBB_UNARY_OPERATIONS(EBB_USES)
#undef EBB_USES

#define EBB_USES(f, O)                   \
  /** Reads what both arguments read. */ \
  template <class A, class B>            \
  requires UsesPair<A, B>                \
  constexpr Uses<uses_of<A> | uses_of<B>> f(A, B) { return {}; }
EBB_BINARY_OPERATIONS(EBB_USES)
#undef EBB_USES

/// Depends on the arguments of the condition and of both branches.
template <unsigned M, class A, class B>
constexpr Uses<M | uses_of<A> | uses_of<B>> select(UsesMask<M>, A, B) {
  return {};
}
/// Depends on both branches, even if the condition depends on no argument.
template <class A, class B>
requires UsesPair<A, B>
constexpr Uses<uses_of<A> | uses_of<B>> select(bool, A, B) { return {}; }

}  // namespace ebb::inline v0
