// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/linear_algebra/solvers.hpp"

#include <cmath>
#include <limits>

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

/// The exchanges of rows, which are stored after the factors.
template <class T>
std::vector<int> exchanges(const Array<T>& factors) {
  const std::int64_t n = factors.shape()[1];
  std::vector<int> swaps;
  for (std::int64_t i = 0; i < n; ++i) swaps.push_back(int(factors[n * n + i]));
  return swaps;
}

/// 1 or -1: each exchange of rows changes the sign of the determinant.
template <class T>
double sign_of_exchanges(const Array<T>& factors) {
  double sign = 1;
  const auto swaps = exchanges(factors);
  for (std::size_t i = 0; i < swaps.size(); ++i) sign = swaps[i] == int(i) + 1 ? sign : -sign;
  return sign;
}

template <class T>
double pivot(const Array<T>& factors, std::int64_t i) {
  return double(factors[i * factors.shape()[1] + i]);
}

}  // namespace

void check_square(std::string_view name, const Shape& a) {
  if (a.rank() != 2 || a[0] != a[1]) throw_shapes(name, "a must be (n, n)", a);
}

void check_system(std::string_view name, const Shape& a, const Shape& b) {
  const bool square = a.rank() == 2 && a[0] == a[1];
  const bool fits = square && (b.rank() == 1 || b.rank() == 2) && b[0] == a[0];
  if (!fits) throw_shapes(name, "a must be (n, n) and b (n,) or (n, k)", a, b);
}

template <class T>
Array<T> lu_factors(std::string_view name, const Operand<T>& a) {
  check_square(name, Access::shape(a, name));
  const Tensor<T> whole = dense(a);
  const std::int64_t n = whole.shape()[0];
  auto factors = Array<T>::uninitialized({n + 1, n});
  T* to = factors.mutate();
  std::copy_n(whole.data(), n * n, to);
  std::vector<int> swaps(std::size_t(n), 0);
  factor_lu(n, to, swaps.data());
  std::copy(swaps.begin(), swaps.end(), to + n * n);
  return factors;
}
EBB_FOR_REALS(lu_factors)

template <class T>
std::int64_t zero_pivot(const Array<T>& factors) {
  const std::int64_t n = factors.shape()[1];
  std::int64_t i = 0;
  while (i < n && pivot(factors, i) != 0) ++i;
  return i;
}
EBB_FOR_REALS(zero_pivot)

template <class T>
void check_regular(std::string_view name, const Array<T>& factors, const char* consequence) {
  const std::int64_t i = zero_pivot(factors);
  if (i == factors.shape()[1]) return;
  std::string message(name);
  message.append(": the matrix is singular: pivot ").append(std::to_string(i));
  message.append(" of its LU factors is 0");
  if (*consequence) message.append("; ").append(consequence);
  message.append("; a is ").append(to_string(Shape{factors.shape()[1], factors.shape()[1]}));
  throw ArgumentError(message);
}
EBB_FOR_REALS(check_regular)

template <class T>
Block* solve_block(bool transpose, Block* b, const Array<T>& factors) {
  BlockHandle y(copy_of<T>(b));
  solve_lu(b->shape[0], b->shape[1], transpose, factors.data(), exchanges(factors).data(),
           y->data<T>());
  return y.take();
}
EBB_FOR_REALS(solve_block)

template <class T>
double determinant(const Array<T>& factors) {
  double product = sign_of_exchanges(factors);
  for (std::int64_t i = 0; i < factors.shape()[1]; ++i) product *= pivot(factors, i);
  return product;
}
EBB_FOR_REALS(determinant)

template <class T>
void sign_and_log(const Array<T>& factors, T* result) {
  double sign = sign_of_exchanges(factors), log = 0;
  for (std::int64_t i = 0; i < factors.shape()[1]; ++i) {
    const double p = pivot(factors, i);
    sign = p < 0 ? -sign : p > 0 ? sign : p * sign;  // 0 and NaN are kept
    log += std::log(std::abs(p));
  }
  result[0] = T(sign);
  result[1] = T(log);
}
EBB_FOR_REALS(sign_and_log)

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
  const auto factors = detail::lu_factors<T>(name, detail::Access::array<T>(detail::retain(a)));
  detail::check_regular(name, factors);
  const auto one = detail::identity<T>(a->shape[0]);
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

namespace {

/// The singular value decomposition of a matrix a = u diag(s) vh, for its cofactors: those of an
/// orthogonal matrix are the matrix times its determinant, and those of a product are the product
/// of cofactors.
template <class T>
struct SingularFactors {
  std::int64_t n;
  Array<T> u, s, vh;
  double sign;  ///< det(u) det(vh)

  explicit SingularFactors(detail::Block* a) : n(a->shape[0]) {
    auto used = Array<T>::uninitialized({n, n});
    u = vh = used;
    s = Array<T>::uninitialized({n});
    std::copy_n(a->data<T>(), n * n, used.mutate());
    if (!detail::decompose_singular(n, n, used.mutate(), u.mutate(), s.mutate(), vh.mutate())) {
      throw ArgumentError("det: the iteration of LAPACK for the cofactors did not converge; a is " +
                          to_string(a->shape));
    }
    const double det = detail::determinant(detail::lu_factors<T>("det", u)) *
                       detail::determinant(detail::lu_factors<T>("det", vh));
    sign = det < 0 ? -1 : 1;
  }
  /// The signed product of all singular values except two, or except one if i and j are the same.
  double others(std::int64_t i, std::int64_t j) const {
    double product = sign;
    for (std::int64_t k = 0; k < n; ++k) product *= k == i || k == j ? 1 : double(s[k]);
    return product;
  }
  /// u middle vh
  detail::Block* around(const Array<T>& middle) const {
    const auto left = product(false, false, u, middle);
    detail::BlockHandle y(detail::allocate({n, n}, sizeof(T)));
    detail::product(false, false, n, n, n, left.data(), vh.data(), y->data<T>(), false);
    return y.take();
  }
  Array<T> product(bool transpose_a, bool transpose_b, const Array<T>& a, const Array<T>& b) const {
    auto y = Array<T>::uninitialized({n, n});
    detail::product(transpose_a, transpose_b, n, n, n, a.data(), b.data(), y.mutate(), false);
    return y;
  }
};

}  // namespace

template <class T>
detail::Block* Cofactors::forward(const Options&, detail::Block* a) {
  const SingularFactors<T> f(a);
  auto middle = Array<T>::zeros({f.n, f.n});
  for (std::int64_t i = 0; i < f.n; ++i) middle.mutate()[i * f.n + i] = T(f.others(i, i));
  return f.around(middle);
}
EBB_FOR_REALS(Cofactors::forward)

template <class T>
detail::Block* CofactorsAlong::forward(const Options&, detail::Block* g, detail::Block* a) {
  // The cofactors of diag(s) + t h to first order in t, with h = u^T g vh^T. Outside of the
  // diagonal they change by -h[j, i] times the other values; on the diagonal by every other h[k, k]
  // times the rest.
  const SingularFactors<T> f(a);
  const auto whole = detail::Access::array<T>(detail::retain(g));
  const auto h = f.product(false, true, f.product(true, false, f.u, whole), f.vh);
  auto middle = Array<T>::zeros({f.n, f.n});
  T* to = middle.mutate();
  for (std::int64_t i = 0; i < f.n; ++i) {
    for (std::int64_t j = 0; j < f.n; ++j) {
      if (i == j) continue;
      const double others = f.others(i, j);
      to[i * f.n + j] = T(-double(h(j, i)) * others);
      to[i * f.n + i] += T(double(h(j, j)) * others);
    }
  }
  return f.around(middle);
}
EBB_FOR_REALS(CofactorsAlong::forward)

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
  const auto factors = detail::lu_factors("solve", a);
  detail::check_regular("solve", factors);
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

template <Real T>
Tensor<T> det(const Operand<T>& a) {
  return detail::apply<op::Det, T>({}, a, detail::lu_factors("det", a));
}
EBB_FOR_REALS(det)

namespace {

template <class T>
SignAndLog<T> sign_and_log(const char* name, const Operand<T>& a) {
  const auto y = detail::apply<op::Slogdet, T>({}, a, detail::lu_factors(name, a));
  return {reshape(slice(y, 0, {0, 1}), {}), reshape(slice(y, 0, {1, 2}), {})};
}

}  // namespace

template <Real T>
SignAndLog<T> slogdet(const Operand<T>& a) {
  return sign_and_log("slogdet", a);
}
EBB_FOR_REALS(slogdet)

template <Real T>
Tensor<T> logdet(const Operand<T>& a) {
  const auto y = sign_and_log("logdet", a);
  return where(y.sign < 0, std::numeric_limits<double>::quiet_NaN(), y.logabsdet);
}
EBB_FOR_REALS(logdet)

}  // namespace ebb::inline v0
