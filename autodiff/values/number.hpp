// SPDX-License-Identifier: BSD-3-Clause
// Plain numbers as arguments of operations.
#pragma once
#include <type_traits>

#include "ebb/autodiff/values/operand.hpp"

namespace ebb::inline v0 {

/// A plain number in place of an operand. Operators make it; users write `2.0 * x`.
template <Real T>
class Number : public Operand<T> {
 public:
  EBB_INLINE explicit Number(double value)
      : Operand<T>(nullptr, Operand<T>::Kind::number), value_(T(value)) {}
  EBB_INLINE T value() const { return value_; }

 private:
  T value_;
};

namespace detail {

template <class A>
concept PlainNumber = std::is_arithmetic_v<A>;
template <class A>
concept AnyOperand = std::derived_from<A, Operand<typename A::value_type>>;
/// Two operands that no operation takes together.
template <class A, class B>
concept Mixed =
    AnyOperand<A> && AnyOperand<B> && !std::same_as<typename A::value_type, typename B::value_type>;

/// One line of advice where the element types of two operands differ.
template <class A>
void refuse_mixed() {
  static_assert(sizeof(A) == 0,
                "the element types differ: cast<double>(x) or cast<float>(x) converts one of them");
}

}  // namespace detail

/// Refuses two operands of different element types in words, instead of by a page of candidates.
#define EBB_REFUSE_MIXED(f)                                          \
  template <class A, class B>                                        \
  requires detail::Mixed<A, B> Tensor<float> f(const A&, const B&) { \
    detail::refuse_mixed<A>();                                       \
    return {};                                                       \
  }
/// Declares the function above it also with a number on the right.
#define EBB_WITH_NUMBER(R, f)                \
  template <Real T, detail::PlainNumber B>   \
  EBB_INLINE R f(const Operand<T>& a, B b) { \
    return f(a, Number<T>(double(b)));       \
  }
/// Declares the function above it also with a number on either side. It is not for == and !=: clang
/// would take `x == 1` for `1 == x`, which the language turns around, and then refuse the mask.
#define EBB_WITH_NUMBERS(R, f)               \
  EBB_WITH_NUMBER(R, f)                      \
  template <Real T, detail::PlainNumber A>   \
  EBB_INLINE R f(A a, const Operand<T>& b) { \
    return f(Number<T>(double(a)), b);       \
  }

}  // namespace ebb::inline v0
