// SPDX-License-Identifier: BSD-3-Clause
// Factors of matrices: eigenvectors, QR, singular values, and least squares. Each is one record,
// whose result contains all parts of a matrix, one after the other; the public results are slices
// of it.
#pragma once
#include <algorithm>

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/formula/families.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/linear_algebra/solvers.hpp"
#include "ebb/autodiff/ops/sample.hpp"

namespace ebb::inline v0 {
namespace detail {

/// The part of the packed results (..., size) that begins at a position, with its axes.
template <class T>
Tensor<T> part_of(const Tensor<T>& packed, std::int64_t begin, const Shape& batch,
                  std::initializer_list<std::int64_t> axes) {
  const Shape shape = batch_of("slice", batch, axes);
  std::int64_t size = 1;
  for (const std::int64_t n : axes) size *= n;
  const Tensor<T> part = slice(packed, -1, {begin, begin + size});
  return part.shape() == shape ? part : reshape(part, shape);
}

/// The parts of packed results, or of their gradient, for an argument of this shape.
template <class T>
Eigenpairs<T> eigh_parts(const Tensor<T>& packed, const Shape& shape) {
  const Matrices a(shape);
  const std::int64_t n = a.rows;
  return {part_of(packed, 0, a.batch, {n}), part_of(packed, n, a.batch, {n, n})};
}
template <class T>
QR<T> qr_parts(const Tensor<T>& packed, const Shape& shape) {
  const Matrices a(shape);
  const std::int64_t m = a.rows, n = a.columns, k = std::min(m, n);
  return {part_of(packed, 0, a.batch, {m, k}), part_of(packed, m * k, a.batch, {k, n})};
}
template <class T>
SVD<T> svd_parts(const Tensor<T>& packed, const Shape& shape) {
  const Matrices a(shape);
  const std::int64_t m = a.rows, n = a.columns, k = std::min(m, n);
  return {part_of(packed, k, a.batch, {m, k}), part_of(packed, 0, a.batch, {k}),
          part_of(packed, k + m * k, a.batch, {k, n})};
}

/// @throws ShapeError, which names the operation, unless a has the axes of a matrix.
void check_matrix(std::string_view name, const Shape& a);

/// True where values i and j of one matrix are equal within their rounding: (..., n, n) for values
/// (..., n). The vectors of such values are not
/// unique: any rotation of them is valid, too, so that they have no derivative.
template <class T>
Array<bool> coincidences(const Tensor<T>& values);
/// @throws ArgumentError, which names the operation, if the gradient of such a rotation is not 0.
template <class T>
void check_no_rotation(const char* name, const Array<bool>& coincide, const Tensor<T>& gradient);
/// gradient / gaps, and 0 on the diagonal. A rotation that `check_no_rotation` accepted gives 0,
/// too, with a slope so steep that a derivative through it cannot go unnoticed.
template <class T>
Tensor<T> divide_by_gaps(const Array<bool>& coincide, const Tensor<T>& gradient,
                         const Tensor<T>& gaps);
/// 1 / values as rows, or a number as steep for a value that is 0 within its rounding.
/// @throws ArgumentError if the vector (a column) of such a value has a gradient.
template <class T>
Tensor<T> inverse_values(const Tensor<T>& values, const Tensor<T>& gradient);
/// @throws ArgumentError, which names the operation, if a column of a matrix depends on those
/// before it: if what is left of it, on the diagonal of r (..., k, n), is no more than rounding,
/// the norm of the column times eps times the longer side of the matrix. A line is a column or a
/// row.
template <class T>
void check_full_rank(const char* name, const Tensor<T>& r, std::int64_t longer,
                     const char* line = "column");

/// The gradient of a (m, n), m >= n, from those of q and r: (gq + q B) r^-T, where B is symmetric
/// with the lower triangle of r gr^T - gq^T q (Walter and Lehmann 2010, "Algorithmic
/// differentiation of linear algebra functions with application in optimum experimental design").
template <class T>
Tensor<T> qr_gradient(const Tensor<T>& q, const Tensor<T>& r, const Tensor<T>& gq,
                      const Tensor<T>& gr, std::int64_t longer) {
  check_full_rank("qr", r, longer);
  const auto m = matmul(r, gr, {.transpose_b = true}) - matmul(gq, q, {.transpose_a = true});
  const auto g = gq + matmul(q, tril(m) + swap_last(tril(m, -1)));
  return swap_last(triangular_solve(r, swap_last(g), {.upper = true}));
}

}  // namespace detail

namespace op {

/// Values and vectors of the symmetric part of a matrix (Giles 2008).
struct Eigh {
  static constexpr std::string_view name = "eigh";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b1000};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* a);
  static auto vjp_a(const auto& call) {
    const Shape shape = call.shape_of(0);
    const auto [w, v] = detail::eigh_parts(call.y(), shape);
    const auto [gw, gv] = detail::eigh_parts(call.g(), shape);
    const auto rotation = matmul(v, gv, {.transpose_a = true});
    const auto coincide = detail::coincidences(w);
    detail::check_no_rotation("eigh", coincide, rotation);
    const auto gaps = detail::as_row(w) - detail::as_column(w);
    const auto inner = detail::divide_by_gaps(coincide, rotation, gaps);
    return detail::symmetric_part(
        matmul(v * detail::as_row(gw) + matmul(v, inner), v, {.transpose_b = true}));
  }
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto root = [](auto x) {
      const auto [w, v] = eigh(x[0]);
      return matmul(v * detail::as_row(sqrt(w)), v, {.transpose_b = true});
    };
    const auto values = [](auto x) { return eigh(x[0]).values; };
    const auto first = [](auto x) {
      const auto v = slice(eigh(x[0]).vectors, 1, {0, 1});
      return matmul(v, v, {.transpose_b = true});
    };
    return {sample("a function of a matrix", {regular(3, 10)}, root),
            sample("the values alone", {spread({4, 4}, 2)}, values),
            sample("onto the first vector", {spread({3, 3})}, first),
            sample("of a batch", {two_regular(2)}, root),
            sample("of a number", {regular(1)}, root),
            sample("of nothing", {spread({0, 0})}, root)};
  }
  static std::vector<Rejection> rejections() {
    return {{"not square",
             [] {
               eigh(spread({2, 3}));
             },
             "eigh: a must be (..., n, n), not (2, 3)"}};
  }
};

/// Orthonormal columns and a triangular matrix. Columns to the right of a square part of full rank
/// are q times their part of r.
struct Qr {
  static constexpr std::string_view name = "qr";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b1000};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* a);
  static auto vjp_a(const auto& call) {
    const Shape shape = call.shape_of(0);
    const auto [q, r] = detail::qr_parts(call.y(), shape);
    const auto [gq, gr] = detail::qr_parts(call.g(), shape);
    const detail::Matrices all(shape);
    const std::int64_t m = all.rows;
    if (m >= all.columns) return detail::qr_gradient(q, r, gq, gr, m);
    const auto left = [=](const auto& x) { return slice(x, -1, {0, m}); };
    const auto right = [=](const auto& x) { return slice(x, -1, {m}); };
    const auto from_right = matmul(matmul(q, right(r)), right(gr), {.transpose_b = true});
    const auto from_left = detail::qr_gradient(q, left(r), gq + from_right, left(gr), all.columns);
    return concat({from_left, matmul(q, right(gr))}, -1);
  }
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto q = [](auto x) { return qr(x[0]).q; };
    const auto r = [](auto x) { return qr(x[0]).r; };
    const auto both = [](auto x) {
      const auto [f, g] = qr(x[0]);
      return matmul(f * f, tanh(g));
    };
    return {sample("columns of a tall matrix", {spread({4, 2}, 50)}, q),
            sample("the triangle of a tall matrix", {spread({4, 2})}, r),
            sample("both of a square matrix", {regular(3)}, both),
            sample("both of a wide matrix", {spread({2, 4})}, both),
            sample("both of a batch", {two_regular(2)}, both),
            sample("both of a batch of wide matrices", {spread({2, 2, 3})}, both),
            sample("of nothing", {spread({3, 0})}, both)};
  }
  static std::vector<Rejection> rejections() {
    return {{"a vector", [] { qr(spread({3})); }, "qr: a must be (..., m, n), not (3,)"}};
  }
};

/// Singular values and vectors (Townsend 2016, "Differentiating the singular value decomposition").
struct Svd {
  static constexpr std::string_view name = "svd";
  using Options = detail::NoOptions;
  static constexpr unsigned reads[] = {0b1000};

  template <class T>
  static detail::Block* forward(const Options&, detail::Block* a);
  static auto vjp_a(const auto& call) {
    using namespace detail;
    const Shape shape = call.shape_of(0);
    const auto [u, s, vh] = svd_parts(call.y(), shape);
    const auto [gu, gs, gvh] = svd_parts(call.g(), shape);
    const auto turn_u = matmul(u, gu, {.transpose_a = true});
    const auto turn_v = matmul(vh, gvh, {.transpose_b = true});
    const auto coincide = coincidences(s);
    check_no_rotation("svd", coincide, turn_u);
    check_no_rotation("svd", coincide, turn_v);
    const auto row = as_row(s), column = as_column(s);
    const auto turn = (turn_u - swap_last(turn_u)) * row + column * (turn_v - swap_last(turn_v));
    const auto inner = divide_by_gaps(coincide, turn, (row - column) * (row + column));
    const Matrices all(shape);
    auto left = u * as_row(gs) + matmul(u, inner);
    // The part that rotates the vectors out of the spaces that they span.
    if (all.rows > all.columns) {
      left = left + (gu - matmul(u, turn_u)) * inverse_values(s, gu);
    }
    const auto ga = matmul(left, vh);
    if (all.columns <= all.rows) return ga;
    const auto out = gvh - matmul(turn_v, vh, {.transpose_a = true});
    return ga + matmul(u * inverse_values(s, swap_last(gvh)), out);
  }
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto function = [](auto x) {
      const auto [u, s, vh] = svd(x[0]);
      return matmul(u * detail::as_row(log(s)), vh);
    };
    const auto values = [](auto x) { return svd(x[0]).s; };
    const auto onto_first = [](auto x) {
      const auto u = slice(svd(x[0]).u, 1, {0, 1});
      return matmul(u, u, {.transpose_b = true});
    };
    const auto onto_rows = [](auto x) {
      const auto vh = slice(svd(x[0]).vh, 0, {0, 1});
      return matmul(vh, vh, {.transpose_a = true});
    };
    return {sample("a function of a square matrix", {spread({3, 3}, 50)}, function),
            sample("a function of a tall matrix", {spread({4, 2})}, function),
            sample("a function of a wide matrix", {spread({2, 4})}, function),
            sample("the values alone", {spread({4, 3}, 2)}, values),
            sample("onto the first column", {spread({4, 2})}, onto_first),
            sample("onto the first row", {spread({2, 3})}, onto_rows),
            sample("a function of a batch of tall matrices", {spread({2, 3, 2})}, function),
            sample("a function of a batch of wide matrices", {spread({2, 1, 2})}, function),
            sample("of nothing", {spread({3, 0})}, function)};
  }
  static std::vector<Rejection> rejections() {
    return {{"a vector", [] { svd(spread({3})); }, "svd: a must be (..., m, n), not (3,)"}};
  }
};

/// Least squares by QR: r^-1 q^T b. The shortest solution by the QR of the transpose: q r^-T b.
struct Lstsq {
  static constexpr std::string_view name = "lstsq";
  static constexpr Lacks lacks{.scalar = "needs a matrix"};
  static std::vector<Sample> samples() {
    const auto f = [](auto x) { return lstsq(x[0], x[1]); };
    const auto shortest = [](auto x) { return lstsq(x[0], x[1], {.least_norm = true}); };
    return {sample("for a vector", {spread({5, 2}), spread({5}, 50)}, f),
            sample("for a matrix", {spread({4, 3}, 3), spread({4, 2})}, f),
            sample("of a square matrix", {regular(3), spread({3})}, f),
            sample("of a batch", {spread({2, 3, 2}), spread({2, 3, 1})}, f),
            sample("of a batch for a vector", {spread({2, 3, 1}), spread({3})}, f),
            sample("the shortest", {spread({2, 4}), spread({2}, 50)}, shortest),
            sample("the shortest for a matrix", {spread({2, 3}), spread({2, 2})}, shortest),
            sample("the shortest of a tall matrix", {spread({3, 2}), spread({3})}, shortest),
            sample("the shortest of a batch", {spread({2, 1, 3}), spread({2, 1, 1})}, shortest),
            sample("of no unknowns", {spread({3, 0}), spread({3})},
                   [](auto x) { return sum(lstsq(x[0], x[1])) + sum(x[1]); })};
  }
  static std::vector<Rejection> rejections() {
    return {
        {"a wide matrix",
         [] {
           lstsq(spread({2, 3}), spread({2}));
         },
         "lstsq: a must be (..., m, n) with m >= n (or {.least_norm = true}) and b (m,) or (..., "
         "m, k), not (2, 3) and (2,)"},
        {"other rows",
         [] {
           lstsq(spread({3, 2}), spread({2}));
         },
         "lstsq: a must be (..., m, n) with m >= n (or {.least_norm = true}) and b (m,) or (..., "
         "m, k), not (3, 2) and (2,)"},
        {"equal columns",
         [] {
           lstsq(Array<double>::of({{1, 1}, {2, 2}, {3, 3}}), spread({3}));
         },
         "lstsq: the matrix has no full rank: column 1 depends on those before it"},
        {"equal rows",
         [] {
           lstsq(Array<double>::of({{1, 2, 3}, {1, 2, 3}}), spread({2}), {.least_norm = true});
         },
         "lstsq: the matrix has no full rank: row 1 depends on those before it"},
        {"equal columns in a batch",
         [] {
           lstsq(Array<double>({2, 2, 1}, {1, 2, 0, 0}), spread({2}));
         },
         "lstsq: the matrix at [1] has no full rank: column 0 depends on those before it"}};
  }
};

/// All operations that factor a matrix.
using Factors = List<Eigh, Qr, Svd, Lstsq>;

}  // namespace op
}  // namespace ebb::inline v0
