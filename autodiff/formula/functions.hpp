// SPDX-License-Identifier: BSD-3-Clause
// The functions of numbers that are formulas themselves, and can be used in other formulas. The
// operations are, by family, in the headers that elementwise.hpp includes.
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

#define EBB_DECLARE(f, O, ...) \
  template <FormulaNumber V>   \
  constexpr V f(EBB_PARAMETERS_BEFORE(__VA_ARGS__) const V& x EBB_PARAMETERS_BEHIND(__VA_ARGS__));
EBB_UNARY_OF_FORMULAS(EBB_DECLARE)
#undef EBB_DECLARE
#define EBB_DECLARE(f, O)    \
  template <FormulaNumber V> \
  constexpr V f(const V& a, const std::type_identity_t<V>& b);
EBB_BINARY_OF_FORMULAS(EBB_DECLARE)
#undef EBB_DECLARE

}  // namespace ebb::inline v0
