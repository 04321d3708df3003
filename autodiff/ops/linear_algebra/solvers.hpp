// SPDX-License-Identifier: BSD-3-Clause
// Linear equations, inverses, Cholesky factors and determinants. The derivatives are those of Giles
// 2008, "Collected matrix derivative results for forward and reverse mode algorithmic
// differentiation", and for Cholesky's factor of Murray 2016, "Differentiation of the Cholesky
// decomposition".
#pragma once
#include <algorithm>

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0 {
namespace detail {

/// The LU factors of a square matrix, (n + 1, n). An operation and its gradients of every order
/// share them as an operand without a derivative. The last row has the exchanges of rows.
/// @throws ShapeError, which names the operation, if the matrix is not square.
template <class T>
Array<T> lu_factors(std::string_view name, const Operand<T>& a);
/// The position of the first pivot that is 0; the number of rows if there is none.
template <class T>
std::int64_t zero_pivot(const Array<T>& factors);
/// @throws ArgumentError, which names the operation, the pivot and its consequence, if a pivot is
/// 0.
template <class T>
void check_regular(std::string_view name, const Array<T>& factors, const char* consequence = "");
/// op(a)^-1 b.
template <class T>
Block* solve_block(bool transpose, Block* b, const Array<T>& factors);
/// The sign of the determinant and the logarithm of its absolute value; or the determinant.
template <class T>
void sign_and_log(const Array<T>& factors, T* result);
template <class T>
double determinant(const Array<T>& factors);
/// @throws ShapeError, which names the operation, unless the matrix is square, or the right-hand
/// side fits it.
void check_square(std::string_view name, const Shape& a);
void check_system(std::string_view name, const Shape& a, const Shape& b);

template <class T>
Array<T> identity(std::int64_t n) {
  auto one = Array<T>::zeros({n, n});
  T* to = one.mutate();
  for (std::int64_t i = 0; i < n; ++i) to[i * n + i] = 1;
  return one;
}

/// The symmetric part of a square matrix.
template <class T>
Tensor<T> symmetric_part(const Tensor<T>& x) {
  return (x + transpose(x)) * 0.5;
}
/// The symmetric part of a block.
/// @throws ShapeError, which names the operation, if the matrix is not square.
template <class T>
Block* symmetric_block(std::string_view name, Block* x);

}  // namespace detail

namespace op {

/// A matrix with numbers of both signs and a large diagonal.
inline Array<double> regular(std::int64_t n, double scale = 1) {
  auto a = spread({n, n}, scale);
  double* v = a.mutate();
  for (std::int64_t i = 0; i < n; ++i) v[i * n + i] += double(n) * scale;
  return a;
}

/// op(a)^-1 b for matrices, with the factors of a.
struct Solve {
  static constexpr std::string_view name = "solve";
  struct Options {
    bool transpose = false;
  };
  static constexpr unsigned reads[] = {0b1101, 0b0101};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block*, detail::Block* b,
                                detail::Block* factors) {
    return detail::solve_block<T>(o.transpose, b,
                                  detail::Access::array<T>(detail::retain(factors)));
  }
  template <class T>
  static Tensor<T> of(const Options& o, const Operand<T>& a, const Operand<T>& b,
                      const Array<T>& factors) {
    return detail::apply<Solve, T>(o, a, b, factors);
  }
  static auto vjp_b(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    return of<T>({!call.options().transpose}, call.a(), call.g(), call.template array<T>(2));
  }
  static auto vjp_a(const auto& call) {
    const bool transpose = call.options().transpose;
    const auto y = call.y(), gb = vjp_b(call);
    return -matmul(transpose ? y : gb, transpose ? gb : y, {.transpose_b = true});
  }
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return solve(x[0], x[1]); };
    return {sample("for a vector", {regular(3), spread({3}, 50)}, f),
            sample("for a matrix", {regular(4, 20), spread({4, 2})}, f),
            sample("with exchanged rows", {Array<double>::of({{0, 2}, {1, 3}}), spread({2, 3})}, f),
            sample("for nothing", {regular(2), spread({2, 0})},
                   [](auto x) { return sum(solve(x[0], x[1])) + x[0] + sum(x[1]); }),
            sample("of nothing", {spread({0, 0}), spread({0})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"not square",
             [] {
               solve(spread({2, 3}), spread({2}));
             },
             "solve: a must be (n, n) and b (n,) or (n, k), not (2, 3) and (2,)"},
            {"other rows",
             [] {
               solve(spread({2, 2}), spread({3, 1}));
             },
             "solve: a must be (n, n) and b (n,) or (n, k), not (2, 2) and (3, 1)"},
            {"singular",
             [] {
               solve(Array<double>::of({{1, 2}, {2, 4}}), spread({2}));
             },
             "solve: the matrix is singular: pivot 1 of its LU factors is 0"}};
  }
};

/// op(a)^-1 b for a triangular matrix. The gradient of a is in the same triangle.
struct TriangularSolve {
  static constexpr std::string_view name = "triangular_solve";
  using Options = TriangularOptions;
  static constexpr unsigned reads[] = {0b1001, 0b0001};

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* a, detail::Block* b);
  static auto vjp_b(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    Options o = call.options();
    o.transpose = !o.transpose;
    return detail::apply<TriangularSolve, T>(o, call.a(), call.g());
  }
  static auto vjp_a(const auto& call) {
    const Options o = call.options();
    const auto y = call.y(), gb = vjp_b(call);
    const auto g = matmul(o.transpose ? y : gb, o.transpose ? gb : y, {.transpose_b = true});
    const int inside = o.unit_triangular ? 1 : 0;
    return -(o.upper ? triu(g, inside) : tril(g, -inside));
  }
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    std::vector<Sample> all;
    for (int i = 0; i < 8; ++i) {
      const Options o{
          .upper = (i & 1) != 0, .transpose = (i & 2) != 0, .unit_triangular = (i & 4) != 0};
      std::string label = o.upper ? "upper" : "lower";
      if (o.transpose) label += ", transposed";
      if (o.unit_triangular) label += ", with a diagonal of 1";
      all.push_back(sample(label, {regular(3), spread({3, 2}, 50)},
                           [=](auto x) { return triangular_solve(x[0], x[1], o); }));
    }
    const auto f = [](auto x) { return triangular_solve(x[0], x[1]); };
    all.push_back(sample("for a vector", {regular(3), spread({3})}, f));
    all.push_back(sample("of nothing", {spread({0, 0}), spread({0})}, f));
    return all;
  }
  static std::vector<Rejection> rejections() {
    return {{"other rows",
             [] {
               triangular_solve(spread({2, 2}), spread({3}));
             },
             "triangular_solve: a must be (n, n) and b (n,) or (n, k), not (2, 2) and (3,)"},
            {"singular",
             [] {
               triangular_solve(Array<double>::of({{1, 2}, {2, 0}}), spread({2}));
             },
             "triangular_solve: the matrix is singular: a[1, 1] is 0"}};
  }
};

/// a^-1.
struct Inverse {
  static constexpr std::string_view name = "inverse";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b1000};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* a);
  static auto vjp_a(const auto& call) {
    const auto y = call.y();
    return -matmul(matmul(y, call.g(), {.transpose_a = true}), y, {.transpose_b = true});
  }
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return inverse(x[0]); };
    return {sample("of a matrix", {regular(3, 10)}, f),
            sample("with exchanged rows", {Array<double>::of({{0, 2}, {1, 3}})}, f),
            sample("of nothing", {spread({0, 0})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"not square",
             [] {
               inverse(spread({2, 3}));
             },
             "inverse: a must be (n, n), not (2, 3)"},
            {"singular",
             [] {
               inverse(Array<double>::zeros({2, 2}));
             },
             "inverse: the matrix is singular: pivot 0 of its LU factors is 0"}};
  }
};

/// The lower triangular L with L L^T = (a + a^T) / 2.
struct Cholesky {
  static constexpr std::string_view name = "cholesky";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b1000};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* a);
  static auto vjp_a(const auto& call) {
    const auto y = call.y();
    const auto g = matmul(y, call.g(), {.transpose_a = true});
    // Half of the diagonal belongs to each triangle.
    const auto half = (tril(g) + tril(g, -1)) * 0.5;
    const TriangularOptions back{.transpose = true};
    return detail::symmetric_part(
        triangular_solve(y, transpose(triangular_solve(y, half, back)), back));
  }
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return cholesky(x[0]); };
    return {sample("of a matrix", {regular(3, 10)}, f), sample("of a number", {regular(1)}, f),
            sample("of nothing", {spread({0, 0})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"not square",
             [] {
               cholesky(spread({2, 3}));
             },
             "cholesky: a must be (n, n), not (2, 3)"},
            {"indefinite",
             [] {
               cholesky(Array<double>::of({{1, 2}, {2, 3}}));
             },
             "cholesky: the matrix is not positive definite: pivot 1 is not above 0"}};
  }
};

/// The signed determinants of the matrix without a row and a column: the gradient of a determinant,
/// which exists everywhere. If the matrix has an inverse, the gradient of the cofactors uses it.
struct Cofactors {
  static constexpr std::string_view name = "cofactors";
  static constexpr bool internal = true;
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b1001};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* a);
  template <class T>
  static Tensor<T> of(const Tensor<T>& a) {
    return detail::apply<Cofactors, T>({}, a);
  }
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const auto a = call.a(), y = call.y(), g = call.g();
    const auto factors = detail::lu_factors<T>("det", a);
    if (detail::zero_pivot(factors) < a.shape()[0]) return along(g, a);
    return through_inverse(g, a, y, factors);
  }
  /// The derivative of the cofactors along g, for any matrix. It is also their gradient from g,
  /// since a second derivative is symmetric.
  template <class T>
  static Tensor<T> along(const Tensor<T>& g, const Tensor<T>& a);
  /// The derivative of the cofactors along g, for a regular matrix with the cofactors y.
  template <class T>
  static Tensor<T> through_inverse(const Tensor<T>& g, const Tensor<T>& a, const Tensor<T>& y,
                                   const Array<T>& factors) {
    const auto w = Solve::of<T>({true}, a, detail::identity<T>(a.shape()[0]), factors);
    return sum(g * y) * w - matmul(matmul(y, g, {.transpose_b = true}), w);
  }
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return of(x[0]); };
    return {sample("of a matrix", {regular(3, 10)}, f),
            sample("with exchanged rows", {Array<double>::of({{0, 2}, {1, 3}})}, f),
            sample("of a number", {regular(1)}, [](auto x) { return of(x[0]) * x[0]; }),
            sample("of nothing", {spread({0, 0})}, f)};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

/// The derivative of the cofactors along g, for any matrix.
struct CofactorsAlong {
  static constexpr std::string_view name = "cofactors_along";
  static constexpr bool internal = true;
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b0011, 0b0011};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* g, detail::Block* a);
  template <class T>
  static Tensor<T> as_operations(const Options&, std::span<const Tensor<T>> in) {
    const auto factors = detail::lu_factors<T>("det", in[1]);
    detail::check_regular("det", factors, "it has two derivatives, but none beyond");
    return Cofactors::through_inverse(in[0], in[1], Cofactors::of(in[1]), factors);
  }
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return Cofactors::along(x[0], x[1]); };
    return {sample("of a matrix", {spread({3, 3}), regular(3, 10)}, f),
            sample("of a number, where it is 0", {spread({1, 1}), regular(1)},
                   [=](auto x) { return f(x) + x[0] * x[1]; }),
            sample("of nothing", {spread({0, 0}), spread({0, 0})}, f)};
  }
  static std::vector<Rejection> rejections() { return {}; }
};

template <class T>
Tensor<T> Cofactors::along(const Tensor<T>& g, const Tensor<T>& a) {
  return detail::apply<CofactorsAlong, T>({}, g, a);
}

/// The determinant, by its LU factors.
struct Det {
  static constexpr std::string_view name = "det";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b1011};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block*, detail::Block* factors) {
    detail::BlockHandle y(detail::allocate({}, sizeof(T)));
    *y->data<T>() = T(detail::determinant(detail::Access::array<T>(detail::retain(factors))));
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const auto factors = call.template array<T>(1);
    const auto a = call.a();
    const std::int64_t n = a.shape()[0];
    if (detail::zero_pivot(factors) == n) {
      return call.g() * call.y() * Solve::of<T>({true}, a, detail::identity<T>(n), factors);
    }
    return call.g() * Cofactors::of(a);
  }
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return det(x[0]); };
    return {sample("of a matrix", {regular(3, 10)}, f),
            sample("with exchanged rows", {Array<double>::of({{0, 2}, {1, 3}})}, f),
            sample("of nothing", {spread({0, 0})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"not square", [] { det(spread({2, 3})); }, "det: a must be (n, n), not (2, 3)"}};
  }
};

/// The sign of the determinant and the logarithm of its absolute value, one after the other.
struct Slogdet {
  static constexpr std::string_view name = "slogdet";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b0011};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block*, detail::Block* factors) {
    detail::BlockHandle y(detail::allocate({2}, sizeof(T)));
    detail::sign_and_log(detail::Access::array<T>(detail::retain(factors)), y->data<T>());
    return y.take();
  }
  static auto vjp_a(const auto& call) {
    using T = typename std::remove_cvref_t<decltype(call.g())>::value_type;
    const auto factors = call.template array<T>(1);
    detail::check_regular(name, factors, "the logarithm has no gradient there");
    const auto one = detail::identity<T>(call.shape_of(0)[0]);
    return slice(call.g(), 0, {1, 2}) * Solve::of<T>({true}, call.a(), one, factors);
  }
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return slogdet(x[0]).logabsdet; };
    const auto with_sign = [](auto x) {
      const auto y = slogdet(x[0]);
      return y.sign * y.logabsdet;
    };
    return {sample("of a matrix", {regular(3, 10)}, f),
            sample("of a negative determinant", {Array<double>::of({{0, 2}, {1, 3}})}, with_sign),
            sample("of nothing", {spread({0, 0})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"not square",
             [] {
               slogdet(spread({2, 3}));
             },
             "slogdet: a must be (n, n), not (2, 3)"}};
  }
};

/// `slogdet` with NaN in place of the logarithm of a negative determinant.
struct Logdet {
  static constexpr std::string_view name = "logdet";
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return logdet(x[0]); };
    return {sample("of a matrix", {regular(3, 10)}, f), sample("of nothing", {spread({0, 0})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"a vector", [] { logdet(spread({3})); }, "logdet: a must be (n, n), not (3,)"}};
  }
};

/// All operations that solve equations.
using Solvers = List<Solve, TriangularSolve, Inverse, Cholesky, Cofactors, CofactorsAlong, Det,
                     Slogdet, Logdet>;

}  // namespace op
}  // namespace ebb::inline v0
