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

/// @throws ArgumentError, which names the operation and its triangles, for a 0 on the diagonal.
template <class T>
void check_diagonal(std::string_view name, const char* triangle, Block* a) {
  const Matrices all(a->shape);
  const std::int64_t n = all.rows;
  for (std::int64_t at = 0; at < all.count() * n; ++at) {
    const std::int64_t k = at / n, i = at % n;
    if (a->data<T>()[k * n * n + i * n + i] != 0) continue;
    const std::string row = std::to_string(i), letter = triangle;
    throw ArgumentError(std::string(name) + ": " + name_of_matrix(all.batch, k) +
                        " is singular: " + letter + "[" + row + ", " + row + "] is 0; " + letter +
                        " is " + to_string(a->shape));
  }
}

}  // namespace

template <class T>
Block* symmetric_block(std::string_view name, Block* x) {
  check_square(name, x->shape);
  BlockHandle y(copy_of<T>(x));
  const Matrices all(x->shape);
  const std::int64_t n = all.rows;
  T* to = y->data<T>();
  for (std::int64_t k = 0; k < all.count(); ++k, to += n * n) {
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < i; ++j) {
        to[i * n + j] = to[j * n + i] = T(0.5) * (to[i * n + j] + to[j * n + i]);
      }
    }
  }
  return y.take();
}

EBB_OVERLOAD_FOR_REALS(symmetric_block, Block*(std::string_view, Block*))

}  // namespace detail

namespace op {

template <class T>
detail::Block* TriangularSolve::forward(const Options& o, detail::Block* a, detail::Block* b) {
  const detail::Matrices all(a->shape), right(b->shape);
  const std::int64_t n = all.rows;
  if (!o.unit_triangular) detail::check_diagonal<T>(name, "a", a);
  detail::BlockHandle y(detail::copy_of<T>(b));
  for (std::int64_t k = 0; k < all.count(); ++k) {
    detail::solve_triangle({o.upper, o.transpose, o.unit_triangular}, n, right.columns,
                           a->data<T>() + k * n * n, y->data<T>() + k * right.size());
  }
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
  const detail::Matrices all(a->shape);
  const std::int64_t n = all.rows;
  T* to = y->data<T>();
  for (std::int64_t k = 0; k < all.count(); ++k, to += n * n) {
    const std::int64_t i = detail::factor_cholesky(n, to);
    if (i < n) {
      std::string message("cholesky: ");
      message.append(detail::name_of_matrix(all.batch, k))
          .append(" is not positive definite: pivot ");
      message.append(std::to_string(i)).append(" is not above 0; a is ");
      throw ArgumentError(message.append(to_string(a->shape)));
    }
    for (std::int64_t row = 0; row < n; ++row) {
      std::fill_n(to + row * n + row + 1, n - row - 1, T(0));
    }
  }
  return y.take();
}

}  // namespace op

using detail::Access;

template <Real T>
Tensor<T> solve(const Operand<T>& a, const Operand<T>& b) {
  constexpr const char* name = "solve";
  const Shape batch = detail::check_system(name, Access::shape(a, name), Access::shape(b, name));
  // A matrix that broadcasts is factored once.
  const Tensor<T> factors = detail::regular_factors(name, a, detail::lu_factors(name, a));
  const auto of_batch = detail::with_batch<T>(name, factors, batch).array();
  return detail::with_columns(b, [&](const Tensor<T>& columns) {
    return op::Solve::of<T>({}, detail::with_batch(name, a, batch),
                            detail::with_batch<T>(name, columns, batch), of_batch);
  });
}
EBB_FOR_REALS(solve)

template <Real T>
Tensor<T> triangular_solve(const Operand<T>& a, const Operand<T>& b, TriangularOptions options) {
  constexpr const char* name = "triangular_solve";
  const Shape batch = detail::check_system(name, Access::shape(a, name), Access::shape(b, name));
  return detail::with_columns(b, [&](const Tensor<T>& columns) {
    return detail::apply<op::TriangularSolve, T>(options, detail::with_batch(name, a, batch),
                                                 detail::with_batch<T>(name, columns, batch));
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

template <Real T>
Tensor<T> cholesky_solve(const Operand<T>& l, const Operand<T>& b) {
  constexpr const char* name = "cholesky_solve";
  detail::check_system(name, Access::shape(l, name), Access::shape(b, name), "l");
  const Tensor<T> factor = detail::dense<T>(l, name);
  detail::check_diagonal<T>(name, "l", Access::block(factor));
  return detail::with_columns(b, [&](const Tensor<T>& columns) {
    return triangular_solve(factor, triangular_solve(factor, columns), {.transpose = true});
  });
}
EBB_FOR_REALS(cholesky_solve)

}  // namespace ebb::inline v0
