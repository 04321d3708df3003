// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/derivatives.hpp"

#include "ebb/autodiff/error.hpp"
#include "ebb/autodiff/ops/alias.hpp"

namespace ebb::inline v0::detail {

TransformTape::TransformTape() {
  if (!recorder()) own_.emplace();
}

template <Real T>
Tensor<T> TransformTape::point(const Operand<T>& x) const {
  const auto source = Access::source(x);
  if (source.is_number()) throw_empty_operand();
  const std::uint32_t input = recorder()->admit("gradient", source.place());
  return fresh_leaf(*recorder(), input, Access::tensor<T>(retain(source.block)));
}

template <Real T>
Tensor<T> gradient_or_zeros(const Tensor<T>& y, const Tensor<T>& point, GradOptions options) {
  if (y.size() != 1) {
    throw ShapeError("gradient: the function's value has shape " + to_string(y.shape()) +
                     " and is not a single value");
  }
  if (Access::place(y).is_constant()) return Tensor<T>(Array<T>::zeros(point.shape()));
  return grad(y, point, options);
}

#define EBB_INSTANTIATE(T)                                                  \
  template EBB_API Tensor<T> TransformTape::point(const Operand<T>&) const; \
  template EBB_API Tensor<T> gradient_or_zeros(const Tensor<T>&, const Tensor<T>&, GradOptions);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::detail
