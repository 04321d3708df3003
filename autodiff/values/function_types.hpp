// SPDX-License-Identifier: BSD-3-Clause
// Functions of the user's own that the library keeps and calls later.
#pragma once
#include <functional>
#include <span>

#include "ebb/autodiff/values/tensor.hpp"

namespace ebb::inline v0 {

/// A function of several tensors.
template <class T>
using TensorFunction = std::function<Tensor<T>(std::span<const Tensor<T>> x)>;
/// From a gradient to the one that replaces it.
template <class T>
using GradientFunction = std::function<Tensor<T>(const Tensor<T>& gradient)>;

}  // namespace ebb::inline v0
