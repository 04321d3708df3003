// SPDX-License-Identifier: BSD-3-Clause
// Elementwise operations called by their formula instead of their name.
#pragma once
#include "ebb/autodiff/values/tensor.hpp"

namespace ebb::inline v0::detail {

/// Runs the operation for each element of x. Defined for every formula in the lists of
/// families.hpp.
template <Real T, class O>
Tensor<T> call_unary(const O& formula, const Operand<T>& x);
/// Runs the operation for each pair of elements of a and b, which broadcast.
template <Real T, class O>
Tensor<T> call_binary(const O& formula, const Operand<T>& a, const Operand<T>& b);

}  // namespace ebb::inline v0::detail
