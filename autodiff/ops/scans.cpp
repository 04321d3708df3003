// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/scans.hpp"

namespace ebb::inline v0 {

template <Real T>
Tensor<T> cumsum(const Operand<T>& x, int axis) {
  axis = resolve_axis("cumsum", axis, detail::Access::shape(x).rank());
  return detail::apply<op::CumSum, T>({axis}, x);
}

template <Real T>
Tensor<T> cumprod(const Operand<T>& x, int axis) {
  axis = resolve_axis("cumprod", axis, detail::Access::shape(x).rank());
  return detail::apply<op::CumProd, T>({axis}, x);
}

template <Real T>
Tensor<T> prod(const Operand<T>& x) {
  return detail::apply<op::Prod, T>({0}, reshape(x, {detail::Access::shape(x).size()}));
}

template <Real T>
Tensor<T> prod(const Operand<T>& x, const Axes& axes, bool keepdim) {
  const Shape& shape = detail::Access::shape(x);
  const unsigned mask = axes.mask("prod", shape.rank());
  Tensor<T> y = reshape(x, shape);
  // The last axis first: those before it keep their numbers.
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (!(mask >> i & 1U)) continue;
    y = detail::apply<op::Prod, T>({i}, y);
    if (keepdim) y = unsqueeze(y, i);
  }
  return y;
}

#define EBB_INSTANTIATE(T)                                    \
  template EBB_API Tensor<T> cumsum(const Operand<T>&, int);  \
  template EBB_API Tensor<T> cumprod(const Operand<T>&, int); \
  template EBB_API Tensor<T> prod(const Operand<T>&);         \
  template EBB_API Tensor<T> prod(const Operand<T>&, const Axes&, bool);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0
