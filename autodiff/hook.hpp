// SPDX-License-Identifier: BSD-3-Clause
// Gradients that pass through a function of the user's.
#pragma once
#include <type_traits>

#include "ebb/autodiff/values/function_types.hpp"

namespace ebb::inline v0 {

/// Returns x. In a sweep its gradient passes through f, which takes the gradient and returns the
/// one to use in its place. The result `Tensor<T>()` leaves the gradient as it is.
/// @throws ShapeError in the sweep, if f returns a gradient of another shape.
template <Real T>
EBB_API Tensor<T> hook(const Operand<T>& x, std::type_identity_t<GradientFunction<T>> f);

}  // namespace ebb::inline v0
