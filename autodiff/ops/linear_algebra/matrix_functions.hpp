// SPDX-License-Identifier: BSD-3-Clause
// Functions of matrices: the pseudo-inverse, powers and the exponential function.
#pragma once
#include "ebb/autodiff/ops/linear_algebra/solvers.hpp"

namespace ebb::inline v0::op {

/// The pseudo-inverse p of a. Its derivative among matrices of one rank is that of Golub and
/// Pereyra 1973, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
/// variables separate": dp = -p da p + p p^T da^T (1 - a p) + (1 - p a) da^T p^T p.
struct Pinv {
  static constexpr std::string_view name = "pinv";
  struct Options {
    double rcond;
  };
  static constexpr unsigned reads[] = {0b1001};
  static constexpr bool vjp_reads_options = false;

  template <class T>
  static detail::Block* forward(const Options& o, detail::Block* a);
  static auto vjp_a(const auto& call) {
    const auto a = call.a(), p = call.y(), g = call.g();
    const MatmulOptions left{.transpose_a = true}, right{.transpose_b = true};
    const auto inner = matmul(matmul(p, g, left), p, right);
    const auto from_left = matmul(matmul(g, p, left), p, right);
    const auto from_right = matmul(p, matmul(p, g, right), left);
    return from_left - matmul(a, matmul(p, from_left)) + from_right -
           matmul(matmul(from_right, p), a) - inner;
  }
  static constexpr bool has_kinks = true;
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return pinv(x[0]); };
    return {
        sample("of a tall matrix", {spread({4, 2}, 50)}, f),
        sample("of a wide matrix", {spread({2, 3})}, f),
        sample("of a square matrix", {regular(3)}, f),
        sample("of a batch", {spread({2, 3, 2})}, f),
        sample("of a lower rank", {spread({3, 2}), spread({2, 4}, 2)},
               [](auto x) { return pinv(matmul(x[0], x[1])); }),
        sample("of nothing", {spread({0, 3})}, [](auto x) { return sum(pinv(x[0])) + sum(x[0]); })};
  }
  static std::vector<Rejection> rejections() {
    return {{"a vector", [] { pinv(spread({3})); }, "pinv: a must be (..., m, n), not (3,)"},
            {"a negative bound",
             [] {
               pinv(spread({3, 2}), {.rcond = -1});
             },
             "pinv: rcond = -1; it is at least 0"}};
  }
};

/// Products of squares, of the matrix or of its inverse.
struct MatrixPower {
  static constexpr std::string_view name = "matrix_power";
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto to = [](std::int64_t k) { return [=](auto x) { return matrix_power(x[0], k); }; };
    return {sample("the square", {spread({3, 3}, 10)}, to(2)),
            sample("an odd power", {spread({3, 3})}, to(5)),
            sample("the matrix", {spread({2, 2})}, to(1)),
            sample("the identity", {spread({2, 2})},
                   [](auto x) { return matrix_power(x[0], 0) + x[0]; }),
            sample("of the inverse", {regular(3)}, to(-3)),
            sample("of a batch", {two_regular(2)}, to(-2)),
            sample("of nothing", {spread({0, 0})}, to(3))};
  }
  static std::vector<Rejection> rejections() {
    return {{"not square",
             [] {
               matrix_power(spread({2, 3}), 2);
             },
             "matrix_power: a must be (..., n, n), not (2, 3)"},
            {"singular",
             [] {
               matrix_power(Array<double>::zeros({2, 2}), -1);
             },
             "matrix_power: the matrix is singular: pivot 0 of its LU factors is 0"},
            {"one that is singular",
             [] {
               matrix_power(Array<double>({2, 1, 1}, {1, 0}), -2);
             },
             "matrix_power: the matrix at [1] is singular: pivot 0 of its LU factors is 0"}};
  }
};

/// The exponential function by a rational approximation for a part of the matrix, whose result is
/// squared. The derivatives are those of these products and of the quotient.
struct MatrixExp {
  static constexpr std::string_view name = "matrix_exp";
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return matrix_exp(x[0]); };
    return {
        sample("of a matrix", {spread({3, 3})}, f),
        sample("of a large one", {Array<double>::of({{-0.5, -12, 1}, {11, -1, 2}, {0, 1, -2}})}, f),
        sample("of a number", {spread({1, 1})}, f),
        sample("of a batch of several sizes",
               {Array<double>({3, 2, 2}, {0.1, 0.2, -0.3, 0.1, -1, 9, -8, 0, -2, 3, -4, 1})}, f),
        sample("of nothing", {spread({0, 0})}, f)};
  }
  static std::vector<Rejection> rejections() {
    return {{"not square",
             [] {
               matrix_exp(spread({2, 3}));
             },
             "matrix_exp: a must be (..., n, n), not (2, 3)"},
            {"a vector", [] { matrix_exp(spread({3})); },
             "matrix_exp: a must be (..., n, n), not (3,)"}};
  }
};

/// All functions of matrices.
using MatrixFunctions = List<Pinv, MatrixPower, MatrixExp>;

}  // namespace ebb::inline v0::op
