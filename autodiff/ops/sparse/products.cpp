// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/sparse/products.hpp"

#include <bit>
#include <vector>

#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {

template <class T>
void add_sparse_pull(T* to, const SparseView<T>& x, const T* g, std::int64_t outputs,
                     std::int64_t columns, bool by_column) {
  if (by_column && outputs > 1) {
    kernels<T>().sparse_pull_by_column(to, x, g, outputs);
  } else {
    kernels<T>().sparse_pull_by_output(to, x, g, outputs, columns);
  }
}
EBB_FOR_REALS(add_sparse_pull)

void list_columns(std::vector<std::int64_t>& list, std::int64_t rows, const std::int64_t* ranges,
                  const std::int64_t* indices, std::int64_t columns) {
  // One bit for each column: to sort the indices would take longer.
  std::vector<std::uint64_t> seen(std::size_t(columns + 63) / 64, 0);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t k = ranges[2 * i]; k < ranges[2 * i + 1]; ++k)
      seen[std::size_t(indices[k]) / 64] |= std::uint64_t(1) << (indices[k] % 64);
  }
  for (std::size_t word = 0; word < seen.size(); ++word) {
    for (std::uint64_t bits = seen[word]; bits != 0; bits &= bits - 1)
      list.push_back(std::int64_t(64 * word) + std::countr_zero(bits));
  }
}

}  // namespace detail

template <Real T>
Tensor<T> linear(const SparseRows<T>& x, const Operand<T>& weight, const Operand<T>& bias) {
  const Shape& w = detail::Access::shape(weight, "linear");
  if (w.rank() != 2 || w[1] != x.columns()) {
    detail::throw_shapes("linear", "weight must be (out, in) for sparse rows x (n, in)", w,
                         x.shape());
  }
  const Shape& b = detail::Access::shape(bias, "linear");
  if (!(b == Shape{w[0]}))
    detail::throw_shapes("linear", "bias must be (out,) for weight (out, in)", b, w);
  return op::apply_sparse<op::SparseLinear>({false}, x, weight, bias);
}
EBB_OVERLOAD_FOR_REALS(linear,
                       Tensor<T>(const SparseRows<T>&, const Operand<T>&, const Operand<T>&))

template <Real T>
Tensor<T> matmul(const SparseRows<T>& x, const Operand<T>& weight) {
  const Shape& w = detail::Access::shape(weight, "matmul");
  if (w.rank() != 1 && w.rank() != 2) {
    detail::throw_shapes("matmul", "a factor of sparse rows must be a matrix or a vector", w,
                         x.shape());
  }
  if (w[0] != x.columns())
    detail::throw_shapes("matmul", "the inner sizes must agree", x.shape(), w);
  if (w.rank() == 2) return op::apply_sparse<op::SparseMatmul>({true}, x, weight);
  const auto y = op::apply_sparse<op::SparseMatmul>({true}, x, reshape(weight, {w[0], 1}));
  return reshape(y, {x.rows()});
}
EBB_OVERLOAD_FOR_REALS(matmul, Tensor<T>(const SparseRows<T>&, const Operand<T>&))

}  // namespace ebb::inline v0
