// SPDX-License-Identifier: BSD-3-Clause
// The families of elementwise operations: every kernel table and the registry are made from these
// lists. The operations themselves stand in the headers that elementwise.hpp includes.
#pragma once

namespace ebb::inline v0::op {

// clang-format off
struct Neg; struct Abs; struct Square; struct Sqrt; struct Exp; struct Expm1; struct Log; struct Log1p;
struct Sin; struct Cos; struct Tanh; struct Sigmoid; struct LogSigmoid; struct Relu; struct Softplus;
struct Clamp;
struct Add; struct Sub; struct Mul; struct Div; struct Pow; struct Maximum; struct Minimum;
// clang-format on

/// A list of operations at compile time.
template <class... Ops>
struct List {
  static constexpr int size = sizeof...(Ops);
};

/// Where an operation stands in its list.
template <class O, class... Ops>
constexpr int index_in(List<Ops...>) {
  int index = 0;
  (void)((__is_same(O, Ops) || (++index, false)) || ...);
  return index;
}

/// The slope of an operation where it is not the same number everywhere.
inline constexpr int not_literal = 2;

using Unary = List<Neg, Abs, Square, Sqrt, Exp, Expm1, Log, Log1p, Sin, Cos, Tanh, Sigmoid,
                   LogSigmoid, Relu, Softplus, Clamp>;
using Binary = List<Add, Sub, Mul, Div, Pow, Maximum, Minimum>;

}  // namespace ebb::inline v0::op

namespace ebb::inline v0::detail {
constexpr int unary_count = op::Unary::size;
constexpr int binary_count = op::Binary::size;
}  // namespace ebb::inline v0::detail
