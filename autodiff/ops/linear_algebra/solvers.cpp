// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/linear_algebra/solvers.hpp"

#include "ebb/autodiff/kernels/blas.hpp"
#include "ebb/autodiff/kernels/lapack.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

template <class T>
Block* copy_of(Block* x) {
  BlockHandle y(allocate(x->shape, sizeof(T)));
  std::copy_n(x->data<T>(), x->shape.size(), y->data<T>());
  return y.take();
}

}  // namespace

template <class T>
Block* symmetric_block(std::string_view name, Block* x) {
  check_square(name, x->shape);
  BlockHandle y(copy_of<T>(x));
  const std::int64_t n = x->shape[0];
  T* to = y->data<T>();
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      to[i * n + j] = to[j * n + i] = T(0.5) * (to[i * n + j] + to[j * n + i]);
    }
  }
  return y.take();
}

EBB_OVERLOAD_FOR_REALS(symmetric_block, Block*(std::string_view, Block*))

}  // namespace detail

namespace op {

template <class T>
detail::Block* TriangularSolve::forward(const Options& o, detail::Block* a, detail::Block* b) {
  const std::int64_t n = a->shape[0];
  for (std::int64_t i = 0; i < n && !o.unit_triangular; ++i) {
    if (a->data<T>()[i * n + i] != 0) continue;
    const std::string at = std::to_string(i);
    throw ArgumentError("triangular_solve: the matrix is singular: a[" + at + ", " + at +
                        "] is 0; a is " + to_string(a->shape));
  }
  detail::BlockHandle y(detail::copy_of<T>(b));
  detail::solve_triangle({o.upper, o.transpose, o.unit_triangular}, n, b->shape[1], a->data<T>(),
                         y->data<T>());
  return y.take();
}

template <class T>
detail::Block* Inverse::forward(const Options&, detail::Block* a) {
  const auto whole = detail::Access::array<T>(detail::retain(a));
  const auto factors = detail::regular_factors<T>(name, whole, detail::lu_factors<T>(name, whole));
  const auto one = detail::identity<T>(a->shape);
  return detail::solve_block(false, detail::Access::block(one), factors);
}

template <class T>
detail::Block* Cholesky::forward(const Options&, detail::Block* a) {
  detail::BlockHandle y(detail::symmetric_block<T>(name, a));
  const std::int64_t n = a->shape[0];
  T* to = y->data<T>();
  const std::int64_t i = detail::factor_cholesky(n, to);
  if (i < n) {
    std::string message("cholesky: the matrix is not positive definite: pivot ");
    message.append(std::to_string(i)).append(" is not above 0; a is ");
    throw ArgumentError(message.append(to_string(a->shape)));
  }
  for (std::int64_t row = 0; row < n; ++row) std::fill_n(to + row * n + row + 1, n - row - 1, T(0));
  return y.take();
}

}  // namespace op

namespace {

using detail::Access;

/// Calls f for a right-hand side that is a matrix; a vector becomes a matrix of one column, and the
/// result a vector.
template <class T, class F>
Tensor<T> with_columns(const Operand<T>& b, F f) {
  const Shape& shape = Access::shape(b);
  if (shape.rank() == 2) return f(Access::as_tensor(b));
  return reshape(f(reshape(b, {shape[0], 1})), shape);
}

}  // namespace

template <Real T>
Tensor<T> solve(const Operand<T>& a, const Operand<T>& b) {
  detail::check_system("solve", Access::shape(a, "solve"), Access::shape(b, "solve"));
  const auto factors = detail::regular_factors("solve", a, detail::lu_factors("solve", a));
  return with_columns(
      b, [&](const Tensor<T>& columns) { return op::Solve::of<T>({}, a, columns, factors); });
}
EBB_FOR_REALS(solve)

template <Real T>
Tensor<T> triangular_solve(const Operand<T>& a, const Operand<T>& b, TriangularOptions options) {
  constexpr const char* name = "triangular_solve";
  detail::check_system(name, Access::shape(a, name), Access::shape(b, name));
  return with_columns(b, [&](const Tensor<T>& columns) {
    return detail::apply<op::TriangularSolve, T>(options, a, columns);
  });
}
EBB_FOR_REALS(triangular_solve)

template <Real T>
Tensor<T> inverse(const Operand<T>& a) {
  return detail::apply<op::Inverse, T>({}, a);
}
EBB_FOR_REALS(inverse)

template <Real T>
Tensor<T> cholesky(const Operand<T>& a) {
  return detail::apply<op::Cholesky, T>({}, a);
}
EBB_FOR_REALS(cholesky)

}  // namespace ebb::inline v0
