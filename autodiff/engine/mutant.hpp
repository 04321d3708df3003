// SPDX-License-Identifier: BSD-3-Clause
// One error in one derivative, to prove that the checks find it. Only the build of tools/mutate,
// with EBB_MUTATE, includes this file.
#pragma once
#include <cstdint>
#include <type_traits>

#include "ebb/autodiff/formula/formula.hpp"
#include "ebb/autodiff/values/operand.hpp"

namespace ebb::inline v0 {

template <Real T>
class Tensor;

namespace detail {

struct Record;

/// The error in effect; by default none.
struct Mutant {
  /// Returns the number of the input of a record whose gradient is to be wrong; -1 for none.
  int (*input_to_break)(const Record& record) = nullptr;
  /// Returns the wrong gradient in place of `part`, the one that the vjp of the record gave.
  Tensor<double> (*broken_double)(const Tensor<double>& part) = nullptr;
  Tensor<float> (*broken_float)(const Tensor<float>& part) = nullptr;
  /// The number of the term to drop; 0: none.
  int term = 0;
};
inline constinit Mutant mutant;

/// The factor of term n of a formula: 0 if the term is dropped, else 1. The product has the type of
/// the term, but that of a variable is a tensor; where there is no product, 0 is what `X()` makes.
template <int n>
struct Term {};

template <int n, class X>
EBB_INLINE constexpr auto operator*(Term<n>, const X& x) {
  if constexpr (is_uses<X>) {
    return x;
  } else if constexpr (requires { X::zeros(x.shape()); }) {
    return mutant.term == n ? X::zeros(x.shape()) : x;
  } else if constexpr (requires { x.shape(); }) {
    using Result = decltype(x * 0.0);
    if constexpr (std::is_constructible_v<Result, const X&>) {
      return mutant.term == n ? x * 0.0 : Result(x);
    } else {
      return Result(x * (mutant.term == n ? 0.0 : 1.0));
    }
  } else if constexpr (requires { X(x * 0.0); }) {
    return X(x * (mutant.term == n ? 0.0 : 1.0));
  } else if constexpr (requires { x * 0.0; }) {
    return x * (mutant.term == n ? 0.0 : 1.0);
  } else {
    return mutant.term == n ? X() : x;
  }
}

/// A factor of a formula: `Factor<n>()->*x` is 1 if x is dropped, else x.
template <int n>
struct Factor {};

template <int n, class X>
EBB_INLINE constexpr auto operator->*(Factor<n>, const X& x) {
  if constexpr (requires { x.shape(); }) {
    using Result = decltype(x * 0.0);
    return mutant.term == n ? x * 0.0 + 1.0 : Result(x * 1.0);
  } else {
    return mutant.term == n ? X(1) : x;
  }
}

}  // namespace detail
}  // namespace ebb::inline v0
