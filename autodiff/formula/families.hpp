// SPDX-License-Identifier: BSD-3-Clause
// The families of elementwise operations: their functions, all kernel tables and the registry are
// made from these lists. The operations are in the headers that elementwise.hpp includes.
#pragma once

// clang-format off
// The elementwise operations: X(function, Operation) for each, in a list that says where the
// function of plain numbers and lanes comes from. An operation with parameters adds those before
// and behind its argument, and the values that its struct is made from.

/// From <cmath>; lanes have their own.
#define EBB_UNARY_OF_CMATH(X)                                                                 \
  X(sqrt, Sqrt) X(exp, Exp) X(exp2, Exp2) X(expm1, Expm1)                                     \
  X(log, Log) X(log2, Log2) X(log10, Log10) X(log1p, Log1p)                                   \
  X(sin, Sin) X(cos, Cos) X(tan, Tan) X(asin, Asin) X(acos, Acos) X(atan, Atan)               \
  X(sinh, Sinh) X(cosh, Cosh) X(tanh, Tanh) X(asinh, Asinh) X(acosh, Acosh) X(atanh, Atanh)   \
  X(erf, Erf) X(erfc, Erfc) X(lgamma, Lgamma) X(floor, Floor) X(ceil, Ceil)
#define EBB_BINARY_OF_CMATH(X) X(pow, Pow) X(atan2, Atan2)

/// Written for each kind of number: formula.hpp has those of plain numbers.
#define EBB_UNARY_OF_NUMBERS(X)                                                               \
  X(operator-, Neg) X(round, Round) X(digamma, Digamma)                                       \
  X(polygamma, Polygamma, (int n), (), (n)) X(gelu, Gelu) X(gelu_tanh, GeluTanh)
#define EBB_BINARY_OF_NUMBERS(X) \
  X(operator+, Add) X(operator-, Sub) X(operator*, Mul) X(operator/, Div)

/// The `value` of the operation itself, a formula of other functions.
#define EBB_UNARY_OF_FORMULAS(X)                                                              \
  X(abs, Abs) X(sign, Sign) X(square, Square) X(reciprocal, Reciprocal) X(rsqrt, Rsqrt)       \
  X(sigmoid, Sigmoid) X(log_sigmoid, LogSigmoid) X(relu, Relu) X(softplus, Softplus)          \
  X(softsign, Softsign)                                                                       \
  X(clamp, Clamp, (), (double low, double high), (low, high))                                 \
  X(hardtanh, Hardtanh, (), (double low, double high), (low, high))
#define EBB_BINARY_OF_FORMULAS(X)                                                             \
  X(maximum, Maximum) X(minimum, Minimum) X(hypot, Hypot) X(xlogy, Xlogy)                     \
  X(logaddexp, LogAddExp)

/// All of one argument, and of two. Duals and tensors have a function for each.
#define EBB_UNARY_OPERATIONS(X) \
  EBB_UNARY_OF_FORMULAS(X) EBB_UNARY_OF_CMATH(X) EBB_UNARY_OF_NUMBERS(X)
#define EBB_BINARY_OPERATIONS(X) \
  EBB_BINARY_OF_NUMBERS(X) EBB_BINARY_OF_FORMULAS(X) EBB_BINARY_OF_CMATH(X)

// The parameters of an entry before and behind the argument, and their values.
#define EBB_PARAMETERS_BEFORE(...) __VA_OPT__(EBB_FIRST_OF(__VA_ARGS__))
#define EBB_PARAMETERS_BEHIND(...) __VA_OPT__(EBB_SECOND_OF(__VA_ARGS__))
#define EBB_PARAMETERS(...) __VA_OPT__(EBB_THIRD_OF(__VA_ARGS__))
#define EBB_FIRST_OF(before, behind, values) EBB_LIST_BEFORE before
#define EBB_SECOND_OF(before, behind, values) EBB_LIST_BEHIND behind
#define EBB_THIRD_OF(before, behind, values) EBB_LIST_ALONE values
#define EBB_LIST_BEFORE(...) __VA_ARGS__ __VA_OPT__(,)
#define EBB_LIST_BEHIND(...) __VA_OPT__(,) __VA_ARGS__
#define EBB_LIST_ALONE(...) __VA_ARGS__
// clang-format on

namespace ebb::inline v0::op {

#define EBB_DECLARE(f, O, ...) struct O;
EBB_UNARY_OPERATIONS(EBB_DECLARE)
EBB_BINARY_OPERATIONS(EBB_DECLARE)
#undef EBB_DECLARE

/// A list of operations at compile time.
template <class... Ops>
struct List {
  static constexpr int size = sizeof...(Ops);
};

/// The position of an operation in its list.
template <class O, class... Ops>
constexpr int index_in(List<Ops...>) {
  int index = 0;
  (void)((__is_same(O, Ops) || (++index, false)) || ...);
  return index;
}

/// Marks a slope that is not the same number everywhere.
inline constexpr int not_literal = 2;

template <class, class... Ops>
using ListOfRest = List<Ops...>;
#define EBB_NEXT(f, O, ...) , O
using Unary = ListOfRest<void EBB_UNARY_OPERATIONS(EBB_NEXT)>;
using Binary = ListOfRest<void EBB_BINARY_OPERATIONS(EBB_NEXT)>;
#undef EBB_NEXT

}  // namespace ebb::inline v0::op

namespace ebb::inline v0::detail {
constexpr int unary_count = op::Unary::size;
constexpr int binary_count = op::Binary::size;
}  // namespace ebb::inline v0::detail
