// SPDX-License-Identifier: BSD-3-Clause
// Linear equations, inverses and Cholesky factors. The derivatives are those of Giles
// 2008, "Collected matrix derivative results for forward and reverse mode algorithmic
// differentiation", and for Cholesky's factor of Murray 2016, "Differentiation of the Cholesky
// decomposition".
#pragma once
#include <algorithm>

#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops/linear_algebra/lu.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0 {
namespace detail {

/// The symmetric part of square matrices.
template <class T>
Tensor<T> symmetric_part(const Tensor<T>& x) {
  return (x + swap_last(x)) * 0.5;
}
/// The symmetric parts of a block.
/// @throws ShapeError, which names the operation, if the matrices are not square.
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

/// Two such matrices.
inline Array<double> two_regular(std::int64_t n, double scale = 1) {
  return stack({Tensor<double>(regular(n, scale)), Tensor<double>(regular(n, 2 * scale))}).array();
}

/// op(a)^-1 b for matrices of one batch, with the factors of a.
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
            sample("of a batch", {two_regular(2, 10), spread({2, 2, 1})}, f),
            sample("of a batch for a vector", {two_regular(2), spread({2})}, f),
            sample("of a matrix for a batch", {regular(2), spread({2, 2, 1})}, f),
            sample("of no matrices", {spread({0, 2, 2}), spread({2})}, f),
            sample("for nothing", {regular(2), spread({2, 0})},
                   [](auto x) { return sum(solve(x[0], x[1])) + x[0] + sum(x[1]); }),
            sample("of nothing", {spread({0, 0}), spread({0})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"not square",
             [] {
               solve(spread({2, 3}), spread({2}));
             },
             "solve: a must be (..., n, n) and b (n,) or (..., n, k), not (2, 3) and (2,)"},
            {"other rows",
             [] {
               solve(spread({2, 2}), spread({3, 1}));
             },
             "solve: a must be (..., n, n) and b (n,) or (..., n, k), not (2, 2) and (3, 1)"},
            {"singular",
             [] {
               solve(Array<double>::of({{1, 2}, {2, 4}}), spread({2}));
             },
             "solve: the matrix is singular: pivot 1 of its LU factors is 0"},
            {"singular to working precision",
             [] {
               solve(Array<double>::of({{-2, 1, 9}, {3, -1, -8}, {1, 0, 1}}), spread({3}));
             },
             "solve: the matrix is singular to working precision: its reciprocal condition is "},
            {"batches that do not broadcast",
             [] {
               solve(spread({2, 3, 3}), spread({4, 3, 1}));
             },
             "solve: the axes before the last two must broadcast, not (2, 3, 3) and (4, 3, 1)"},
            {"one that is singular",
             [] {
               auto a = Array<double>::zeros({2, 3, 2, 2});
               a.mutate()[0] = a.mutate()[3] = 1;
               solve(a, spread({2}));
             },
             "solve: the matrix at [0, 1] is singular: pivot 0 of its LU factors is 0"}};
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
    all.push_back(sample("of a batch", {two_regular(2), spread({2, 2, 1})}, f));
    all.push_back(sample("of a batch for a vector", {two_regular(2), spread({2})}, f));
    all.push_back(sample("of nothing", {spread({0, 0}), spread({0})}, f));
    return all;
  }
  static std::vector<Rejection> rejections() {
    return {
        {"other rows",
         [] {
           triangular_solve(spread({2, 2}), spread({3}));
         },
         "triangular_solve: a must be (..., n, n) and b (n,) or (..., n, k), not (2, 2) and (3,)"},
        {"singular",
         [] {
           triangular_solve(Array<double>::of({{1, 2}, {2, 0}}), spread({2}));
         },
         "triangular_solve: the matrix is singular: a[1, 1] is 0"},
        {"one that is singular",
         [] {
           triangular_solve(Array<double>({2, 1, 1}, {1, 0}), spread({1}));
         },
         "triangular_solve: the matrix at [1] is singular: a[0, 0] is 0"}};
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
            sample("of a batch", {two_regular(2)}, f), sample("of nothing", {spread({0, 0})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"not square",
             [] {
               inverse(spread({2, 3}));
             },
             "inverse: a must be (..., n, n), not (2, 3)"},
            {"singular",
             [] {
               inverse(Array<double>::zeros({2, 2}));
             },
             "inverse: the matrix is singular: pivot 0 of its LU factors is 0"},
            {"singular to working precision",
             [] {
               inverse(Array<double>::of({{-2, 1, 9}, {3, -1, -8}, {1, 0, 1}}));
             },
             "inverse: the matrix is singular to working precision: its reciprocal condition is "},
            {"one that is singular",
             [] {
               inverse(Array<double>({2, 1, 1}, {1, 0}));
             },
             "inverse: the matrix at [1] is singular: pivot 0 of its LU factors is 0"}};
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
        triangular_solve(y, detail::swap_last(triangular_solve(y, half, back)), back));
  }
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return cholesky(x[0]); };
    return {sample("of a matrix", {regular(3, 10)}, f), sample("of a number", {regular(1)}, f),
            sample("of a batch", {two_regular(2)}, f), sample("of nothing", {spread({0, 0})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"not square",
             [] {
               cholesky(spread({2, 3}));
             },
             "cholesky: a must be (..., n, n), not (2, 3)"},
            {"indefinite",
             [] {
               cholesky(Array<double>::of({{1, 2}, {2, 3}}));
             },
             "cholesky: the matrix is not positive definite: pivot 1 is not above 0"},
            {"one that is indefinite",
             [] {
               cholesky(Array<double>({1, 2, 1, 1}, {1, -1}));
             },
             "cholesky: the matrix at [0, 1] is not positive definite: pivot 0 is not above 0"}};
  }
};

/// Two triangular systems, one after the other.
struct CholeskySolve {
  static constexpr std::string_view name = "cholesky_solve";
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return cholesky_solve(x[0], x[1]); };
    return {sample("for a vector", {regular(3), spread({3}, 50)}, f),
            sample("for a matrix", {regular(3), spread({3, 2})}, f),
            sample("of a factor", {regular(3, 10), spread({3})},
                   [](auto x) { return cholesky_solve(cholesky(x[0]), x[1]); }),
            sample("of a batch for a vector", {two_regular(2), spread({2})}, f),
            sample("of nothing", {spread({0, 0}), spread({0})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"other rows",
         [] {
           cholesky_solve(spread({2, 2}), spread({3}));
         },
         "cholesky_solve: l must be (..., n, n) and b (n,) or (..., n, k), not (2, 2) and (3,)"},
        {"batches that do not broadcast",
         [] {
           cholesky_solve(spread({2, 3, 3}), spread({4, 3, 1}));
         },
         "cholesky_solve: the axes before the last two must broadcast, not (2, 3, 3) and (4, 3, "
         "1)"},
        {"singular",
         [] {
           cholesky_solve(Array<double>::of({{1, 2}, {2, 0}}), spread({2}));
         },
         "cholesky_solve: the matrix is singular: l[1, 1] is 0"},
        {"one that is singular",
         [] {
           cholesky_solve(Array<double>({2, 1, 1}, {1, 0}), spread({1}));
         },
         "cholesky_solve: the matrix at [1] is singular: l[0, 0] is 0"}};
  }
};

/// All operations that solve equations.
using Solvers = List<Solve, TriangularSolve, Inverse, Cholesky, CholeskySolve>;

}  // namespace op
}  // namespace ebb::inline v0
