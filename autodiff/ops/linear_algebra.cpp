// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/linear_algebra.hpp"

namespace ebb::inline v0 {
namespace {

/// A vector as a matrix of one row or one column.
template <class T>
Tensor<T> as_matrix(const Tensor<T>& x, bool column) {
  const std::int64_t n = x.shape()[0];
  return reshape(x, column ? Shape{n, 1} : Shape{1, n});
}

}  // namespace

template <Real T>
Tensor<T> matmul(const Operand<T>& a, const Operand<T>& b, MatmulOptions options) {
  const auto rank = [](const Operand<T>& x) { return detail::Access::shape(x).rank(); };
  const bool row = rank(a) == 1, column = rank(b) == 1;
  if (!row && !column) return detail::apply<op::Matmul, T>(options, a, b);
  // A transposed vector is the same vector.
  const Tensor<T> p =
      row ? as_matrix(detail::Access::as_tensor(a), false) : detail::Access::as_tensor(a);
  const Tensor<T> q =
      column ? as_matrix(detail::Access::as_tensor(b), true) : detail::Access::as_tensor(b);
  const Tensor<T> y = detail::apply<op::Matmul, T>(
      {!row && options.transpose_a, !column && options.transpose_b}, p, q);
  return reshape(y, row && column ? Shape() : Shape{y.size()});
}

template <Real T>
Tensor<T> linear(const Operand<T>& x, const Operand<T>& weight, const Operand<T>& bias) {
  return detail::apply<op::Linear, T>({}, x, weight, bias);
}

#define EBB_INSTANTIATE(T)                                                                \
  template EBB_API Tensor<T> matmul(const Operand<T>&, const Operand<T>&, MatmulOptions); \
  template EBB_API Tensor<T> linear(const Operand<T>&, const Operand<T>&, const Operand<T>&);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0
