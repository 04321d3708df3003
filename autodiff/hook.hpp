// SPDX-License-Identifier: BSD-3-Clause
// Gradients that pass through a function of the user's own.
#pragma once
#include <type_traits>

#include "ebb/autodiff/values/function_types.hpp"

namespace ebb::inline v0 {

/// Returns x, and passes its gradient through f in the sweep. f takes the gradient and returns the
/// one that replaces it, of the same shape; an empty `Tensor<T>()` leaves it unchanged.
/// @throws ShapeError in the sweep if f returns another shape.
template <Real T>
EBB_API Tensor<T> hook(const Operand<T>& x, std::type_identity_t<GradientFunction<T>> f);

}  // namespace ebb::inline v0
