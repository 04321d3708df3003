// SPDX-License-Identifier: BSD-3-Clause
// The families of elementwise operations: all kernel tables and the registry are made from these
// lists. The operations are in the headers that elementwise.hpp includes.
#pragma once

namespace ebb::inline v0::op {

// clang-format off
struct Neg; struct Abs; struct Sign; struct Floor; struct Ceil; struct Round; struct Square;
struct Reciprocal; struct Clamp;
struct Sqrt; struct Rsqrt; struct Exp; struct Expm1; struct Log; struct Log1p;
struct Sin; struct Cos; struct Tan; struct Asin; struct Acos; struct Atan;
struct Sinh; struct Cosh; struct Tanh; struct Asinh; struct Acosh; struct Atanh;
struct Sigmoid; struct LogSigmoid; struct Relu; struct Softplus; struct Erf; struct Erfc;
struct Lgamma; struct Digamma; struct Polygamma; struct Gelu; struct GeluTanh;
struct Add; struct Sub; struct Mul; struct Div; struct Pow; struct Xlogy; struct Maximum;
struct Minimum; struct Hypot; struct Atan2;
// clang-format on

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

using Unary = List<Neg, Abs, Sign, Floor, Ceil, Round, Square, Reciprocal, Clamp, Sqrt, Rsqrt, Exp,
                   Expm1, Log, Log1p, Sin, Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Tanh, Asinh,
                   Acosh, Atanh, Sigmoid, LogSigmoid, Relu, Softplus, Erf, Erfc, Lgamma, Digamma,
                   Polygamma, Gelu, GeluTanh>;
using Binary = List<Add, Sub, Mul, Div, Pow, Xlogy, Maximum, Minimum, Hypot, Atan2>;

}  // namespace ebb::inline v0::op

namespace ebb::inline v0::detail {
constexpr int unary_count = op::Unary::size;
constexpr int binary_count = op::Binary::size;
}  // namespace ebb::inline v0::detail
