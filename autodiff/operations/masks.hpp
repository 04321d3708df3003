// SPDX-License-Identifier: BSD-3-Clause
// Comparisons, masks, and arrays of labels. Their results are never recorded, but for `where`.
#pragma once
#include <concepts>
#include <type_traits>

#include "ebb/autodiff/values/number.hpp"
#include "ebb/autodiff/values/tensor.hpp"

namespace ebb::inline v0 {

namespace detail {
template <class A>
concept BoolArray = std::derived_from<A, Array<bool>>;
/// The type of two masks together: that of the one that knows what was compared.
template <class A, class B>
using Combined = std::conditional_t<std::same_as<A, Array<bool>>, B, A>;
}  // namespace detail

// clang-format off

// Comparisons return masks, which are never recorded.

/// a < b
template <Real T> EBB_API Mask<T> operator<(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Mask<T>, operator<)
/// a > b
template <Real T> EBB_API Mask<T> operator>(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Mask<T>, operator>)
/// a <= b
template <Real T> EBB_API Mask<T> operator<=(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Mask<T>, operator<=)
/// a >= b
template <Real T> EBB_API Mask<T> operator>=(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBERS(Mask<T>, operator>=)
/// a == b, element by element; `equal` compares whole arrays
template <Real T> EBB_API Mask<T> operator==(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBER(Mask<T>, operator==)
/// a != b, element by element
template <Real T> EBB_API Mask<T> operator!=(const Operand<T>& a, const Operand<T>& b);
EBB_WITH_NUMBER(Mask<T>, operator!=)
EBB_REFUSE_MIXED(operator<)
EBB_REFUSE_MIXED(operator>)
EBB_REFUSE_MIXED(operator<=)
EBB_REFUSE_MIXED(operator>=)
EBB_REFUSE_MIXED(operator==)
EBB_REFUSE_MIXED(operator!=)
/// Where x is NaN
template <Real T> EBB_API Mask<T> isnan(const Operand<T>& x);
/// Where x is inf or -inf
template <Real T> EBB_API Mask<T> isinf(const Operand<T>& x);
/// Where x is neither infinite nor NaN
template <Real T> EBB_API Mask<T> isfinite(const Operand<T>& x);

// Comparisons of labels: arrays of std::int64_t or bool, or one with a number.

#define EBB_COMPARE_LABELS(symbol)                                             \
  template <detail::Label U>                                                   \
  EBB_API Array<bool> operator symbol(const Array<U>& a, const Array<U>& b);   \
  template <detail::Label U, std::integral B>                                  \
  EBB_INLINE Array<bool> operator symbol(const Array<U>& a, B b) {             \
    return a symbol Array<U>(U(b));                                            \
  }
EBB_COMPARE_LABELS(==)
EBB_COMPARE_LABELS(!=)
EBB_COMPARE_LABELS(<)
EBB_COMPARE_LABELS(>)
EBB_COMPARE_LABELS(<=)
EBB_COMPARE_LABELS(>=)
#undef EBB_COMPARE_LABELS

// Masks, which broadcast. A mask of a comparison keeps the element type of what was compared.

/// Where both are true.
/// @pytorch writes &, which in C++ binds more tightly than the comparisons.
template <detail::BoolArray A, detail::BoolArray B>
EBB_INLINE detail::Combined<A, B> operator&&(const A& a, const B& b) {
  return detail::combine(detail::Logic::both, a, b);
}
/// Where one or both are true.
/// @pytorch writes |, which in C++ binds more tightly than the comparisons.
template <detail::BoolArray A, detail::BoolArray B>
EBB_INLINE detail::Combined<A, B> operator||(const A& a, const B& b) {
  return detail::combine(detail::Logic::either, a, b);
}
/// Where it is false.
/// @pytorch writes ~.
template <detail::BoolArray A>
EBB_INLINE A operator!(const A& a) {
  return a == Array<bool>(false);
}
template <class A, class B>
requires(detail::AnyOperand<A> || detail::AnyOperand<B>) Array<bool> operator&(const A&, const B&) {
  static_assert(sizeof(A) == 0, "write a && b: & binds more tightly than the comparisons");
  return {};
}
template <class A, class B>
requires(detail::AnyOperand<A> || detail::AnyOperand<B>) Array<bool> operator|(const A&, const B&) {
  static_assert(sizeof(A) == 0, "write a || b: | binds more tightly than the comparisons");
  return {};
}
/// Whether one element is true; along axes, for each that remains. False for no elements.
EBB_API bool any(const Array<bool>& mask);
EBB_API Array<bool> any(const Array<bool>& mask, const Axes& axes, bool keepdim = false);
/// Whether every element is true; along axes, for each that remains. True for no elements.
EBB_API bool all(const Array<bool>& mask);
EBB_API Array<bool> all(const Array<bool>& mask, const Axes& axes, bool keepdim = false);
/// How many elements are true; along axes, for each that remains.
EBB_API std::int64_t count_nonzero(const Array<bool>& mask);
EBB_API Array<std::int64_t> count_nonzero(const Array<bool>& mask, const Axes& axes,
                                          bool keepdim = false);

/// mask ? a : b. The branch that is not taken gets a gradient of 0, even if its slope is infinite
/// or NaN.
/// @pytorch has a gradient of NaN where the branch that is not taken has an infinite slope. Its
/// where(mask) alone returns indices.
template <Real T>
EBB_API Tensor<T> where(const Array<bool>& mask, const Operand<T>& a, const Operand<T>& b);
template <Real T, detail::PlainNumber B>
EBB_INLINE Tensor<T> where(const Array<bool>& mask, const Operand<T>& a, B b) {
  return where(mask, a, Array<T>(T(b)));
}
template <Real T, detail::PlainNumber A>
EBB_INLINE Tensor<T> where(const Array<bool>& mask, A a, const Operand<T>& b) {
  return where(mask, Array<T>(T(a)), b);
}
template <Real T, detail::PlainNumber A, detail::PlainNumber B>
EBB_INLINE Tensor<T> where(const Mask<T>& mask, A a, B b) {
  return where(mask, Array<T>(T(a)), Array<T>(T(b)));
}
/// mask ? a : b for two numbers, and a mask that does not know the type: `where<float>(mask, 1, 0)`
template <Real T, detail::PlainNumber A, detail::PlainNumber B>
EBB_INLINE Tensor<T> where(const Array<bool>& mask, A a, B b) {
  return where(mask, Array<T>(T(a)), Array<T>(T(b)));
}
/// x with a value where the mask is true, which broadcasts to the shape of x. The gradient there is
/// 0, even if the slope of what x was computed from is infinite or NaN.
/// @pytorch also takes a scalar tensor as the value: write `where`.
template <Real T>
EBB_API Tensor<T> masked_fill(const Operand<T>& x, const Array<bool>& mask, double value);
/// mask ? a : b for labels
template <detail::Label U>
EBB_API Array<U> where(const Array<bool>& mask, const Array<U>& a, const Array<U>& b);
/// `where` by another name, which formulas use: there a and b may be numbers.
/// @pytorch calls it where; its select is a `slice` of one element.
template <Real T>
EBB_API Tensor<T> select(const Mask<T>& mask, const Tensor<std::type_identity_t<T>>& a,
                         const Tensor<std::type_identity_t<T>>& b);

// Arrays of labels and masks.

/// Labels or a mask as another type, where a number is true if it is not 0.
/// @throws ArgumentError for a label that the type would round.
template <class To, detail::Label U>
EBB_API Array<To> cast(const Array<U>& x);
/// Numbers as labels, or as a mask of those that are not 0.
/// @throws ArgumentError for a label that is not an integer: write `round` or `floor`.
template <detail::Label To, Real T>
EBB_API Array<To> cast(const Operand<T>& x);
/// Every step-th element of a range along one axis, as `slice` of numbers
template <detail::Label U>
EBB_API Array<U> slice(const Array<U>& x, int axis, SliceRange range);
/// Rows by index, as `gather_rows` of numbers
template <detail::Label U>
EBB_API Array<U> gather_rows(const Array<U>& x, const Array<std::int64_t>& indices);

// clang-format on

}  // namespace ebb::inline v0
