// SPDX-License-Identifier: BSD-3-Clause
// The functions of formulas by name, and the operation of each. The operations are, by family, in
// the headers that elementwise.hpp includes.
#pragma once
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/formula/formula.hpp"

namespace ebb::inline v0 {

/// The numbers on which the functions below run directly: plain numbers and lanes. Duals have their
/// functions in dual.hpp.
template <class V>
concept FormulaNumber = std::floating_point<V> || requires {
  typename V::value_type;
  typename V::Mask;
};

// clang-format off
/// The functions that are formulas themselves, and can be used in other formulas.
#define EBB_FORMULA_FUNCTIONS(X)                                                              \
  X(abs, Abs) X(sign, Sign) X(square, Square) X(reciprocal, Reciprocal) X(rsqrt, Rsqrt)       \
  X(sigmoid, Sigmoid) X(log_sigmoid, LogSigmoid) X(relu, Relu) X(softplus, Softplus)
#define EBB_FORMULA_FUNCTIONS2(X) \
  X(maximum, Maximum) X(minimum, Minimum) X(hypot, Hypot) X(xlogy, Xlogy)

/// All functions of formulas with their operations. Duals and tensors have each of them.
#define EBB_UNARY_FUNCTIONS(X)                                                                \
  EBB_FORMULA_FUNCTIONS(X)                                                                    \
  X(operator-, Neg) X(floor, Floor) X(ceil, Ceil) X(round, Round)                             \
  X(sqrt, Sqrt) X(exp, Exp) X(expm1, Expm1) X(log, Log) X(log1p, Log1p)                       \
  X(sin, Sin) X(cos, Cos) X(tan, Tan) X(asin, Asin) X(acos, Acos) X(atan, Atan)               \
  X(sinh, Sinh) X(cosh, Cosh) X(tanh, Tanh) X(asinh, Asinh) X(acosh, Acosh) X(atanh, Atanh)   \
  X(erf, Erf) X(erfc, Erfc) X(lgamma, Lgamma) X(digamma, Digamma)                            \
  X(gelu, Gelu) X(gelu_tanh, GeluTanh)
#define EBB_BINARY_FUNCTIONS(X)                                                               \
  EBB_FORMULA_FUNCTIONS2(X)                                                                   \
  X(operator+, Add) X(operator-, Sub) X(operator*, Mul) X(operator/, Div) X(pow, Pow)         \
  X(atan2, Atan2)

#define EBB_DECLARE(f, O)       \
  template <FormulaNumber V>    \
  V f(const V& x);              \
  template <unsigned M>         \
  constexpr auto f(Uses<M> x) { \
    return x;                   \
  }
EBB_FORMULA_FUNCTIONS(EBB_DECLARE)
#undef EBB_DECLARE
// clang-format on

#define EBB_DECLARE(f, O)                            \
  template <FormulaNumber V>                         \
  V f(const V& a, const std::type_identity_t<V>& b); \
  template <class A, class B>                        \
  requires UsesPair<A, B>                            \
  constexpr Uses<uses_of<A> | uses_of<B>> f(A, B) { return {}; }
EBB_FORMULA_FUNCTIONS2(EBB_DECLARE)
#undef EBB_DECLARE

/// x limited to [low, high]; NaN stays NaN.
template <FormulaNumber V>
V clamp(const V& x, double low, double high);
template <unsigned M>
constexpr auto clamp(Uses<M> x, double, double) {
  return x;
}

}  // namespace ebb::inline v0
