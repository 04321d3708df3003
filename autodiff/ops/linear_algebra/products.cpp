// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/linear_algebra/products.hpp"

#include "ebb/autodiff/values/instances.hpp"

#include <vector>

namespace ebb::inline v0 {
namespace {

/// A vector as a matrix of one row or one column.
template <class T>
Tensor<T> as_matrix(const Tensor<T>& x, bool column) {
  const std::int64_t n = x.shape()[0];
  return reshape(x, column ? Shape{n, 1} : Shape{1, n});
}

/// The shape of the batches, followed by further axes.
Shape joined(const Shape& batches, std::initializer_list<std::int64_t> last) {
  std::vector<std::int64_t> sizes(batches.sizes().begin(), batches.sizes().end());
  sizes.insert(sizes.end(), last);
  return Shape(std::span<const std::int64_t>(sizes));
}

/// The axes before the last two.
Shape batches_of(const Shape& x) { return Shape(x.sizes().first(std::size_t(x.rank() - 2))); }

/// The batch shape to which both broadcast.
/// @throws ShapeError with the whole shapes.
Shape common_batches(const Shape& p, const Shape& q) {
  try {
    return broadcast("matmul", batches_of(p), batches_of(q));
  } catch (const ShapeError&) {
    detail::throw_shapes("matmul", "the axes before the last two must broadcast", p, q);
  }
}

/// x as (n, rows, columns), repeated if its batches broadcast to the given ones.
template <class T>
Tensor<T> stretched(const Tensor<T>& x, const Shape& batches) {
  const std::int64_t rows = x.shape()[x.rank() - 2], columns = x.shape()[x.rank() - 1];
  const Shape all = joined(batches, {rows, columns}), flat{batches.size(), rows, columns};
  const Tensor<T> y = x.shape() == all ? x : broadcast_to(x, all);
  return y.shape() == flat ? y : reshape(y, flat);
}

/// The product of operands that are not vectors, at least one of which has three or more axes.
template <class T>
Tensor<T> batched_product(const Tensor<T>& a, const Tensor<T>& b, const MatmulOptions& o) {
  const Shape &p = a.shape(), &q = b.shape();
  const int i = p.rank() - 2, j = q.rank() - 2;
  const std::int64_t m = p[o.transpose_a ? i + 1 : i], k = p[o.transpose_a ? i : i + 1];
  const std::int64_t n = q[o.transpose_b ? j : j + 1];
  const Shape batches = common_batches(p, q);
  const Shape result = joined(batches, {m, n});
  if (j == 0 && !o.transpose_a) {
    // The rows of all batches are multiplied by the same matrix.
    return reshape(detail::apply<op::Matmul, T>(o, reshape(a, {batches.size() * m, k}), b), result);
  }
  const Tensor<T> y =
      detail::apply<op::BatchedMatmul, T>(o, stretched(a, batches), stretched(b, batches));
  return y.shape() == result ? y : reshape(y, result);
}

/// @throws ShapeError with the shapes as given: a vector becomes a matrix only later.
void check_factors(const Shape& p, const Shape& q, const MatmulOptions& o) {
  if (p.rank() == 0 || q.rank() == 0) {
    detail::throw_shapes("matmul", "operands must have one axis or more", p, q);
  }
  const std::int64_t left = p[p.rank() > 1 && o.transpose_a ? p.rank() - 2 : p.rank() - 1];
  const std::int64_t right = q[q.rank() > 1 && !o.transpose_b ? q.rank() - 2 : q.rank() - 1];
  if (left != right) detail::throw_shapes("matmul", op::Matmul::inner_sizes(o), p, q);
}

/// The product of any operands, including vectors.
template <class T>
Tensor<T> batched(const Operand<T>& x, const Operand<T>& y, MatmulOptions options) {
  Tensor<T> a = detail::Access::as_tensor(x), b = detail::Access::as_tensor(y);
  const bool row = a.rank() == 1, column = b.rank() == 1;
  if (row) a = as_matrix(a, false);
  if (column) b = as_matrix(b, true);
  if (row) options.transpose_a = false;
  if (column) options.transpose_b = false;
  const Tensor<T> product = batched_product(a, b, options);
  if (!row && !column) return product;
  return reshape(product, product.shape().without(product.rank() - (row ? 2 : 1)));
}

}  // namespace

template <Real T>
Tensor<T> matmul(const Operand<T>& a, const Operand<T>& b, MatmulOptions options) {
  const Shape& of_a = detail::Access::shape(a, "matmul");
  const Shape& of_b = detail::Access::shape(b, "matmul");
  const int p = of_a.rank(), q = of_b.rank();
  if (p == 2 && q == 2) return detail::apply<op::Matmul, T>(options, a, b);
  check_factors(of_a, of_b, options);
  if (p > 2 || q > 2) return batched(a, b, options);
  const bool row = p == 1, column = q == 1;
  // A transposed vector is the vector itself.
  const Tensor<T> left =
      row ? as_matrix(detail::Access::as_tensor(a), false) : detail::Access::as_tensor(a);
  const Tensor<T> right =
      column ? as_matrix(detail::Access::as_tensor(b), true) : detail::Access::as_tensor(b);
  const Tensor<T> y = detail::apply<op::Matmul, T>(
      {!row && options.transpose_a, !column && options.transpose_b}, left, right);
  return reshape(y, row && column ? Shape() : Shape{y.size()});
}
EBB_OVERLOAD_FOR_REALS(matmul, Tensor<T>(const Operand<T>&, const Operand<T>&, MatmulOptions))

template <Real T>
Tensor<T> linear(const Operand<T>& x, const Operand<T>& weight, const Operand<T>& bias) {
  const Shape& s = detail::Access::shape(x, "linear");
  if (s.rank() == 2) return detail::apply<op::Linear, T>({}, x, weight, bias);
  const Shape& w = detail::Access::shape(weight, "linear");
  if (s.rank() == 0 || w.rank() != 2 || s[s.rank() - 1] != w[1]) {
    detail::throw_shapes("linear", "x must be (..., in) and weight (out, in)", s, w);
  }
  std::int64_t rows = 1;
  for (int i = 0; i < s.rank() - 1; ++i) rows *= s[i];
  const auto y = detail::apply<op::Linear, T>({}, reshape(x, {rows, w[1]}), weight, bias);
  return reshape(y, s.with(s.rank() - 1, w[0]));
}
EBB_OVERLOAD_FOR_REALS(linear, Tensor<T>(const Operand<T>&, const Operand<T>&, const Operand<T>&))

}  // namespace ebb::inline v0
