// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/linear_algebra/factors.hpp"

#include <cmath>
#include <limits>

#include "ebb/autodiff/kernels/lapack.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

/// A divisor for which 0 / divisor is 0, and other quotients overflow or nearly do.
template <class T>
constexpr double smallest = std::numeric_limits<T>::min();

/// The largest number that counts as 0 within the rounding of factors of this size.
template <class T>
double rounding(std::int64_t n, double size) {
  return double(n) * double(std::numeric_limits<T>::epsilon()) * size;
}

template <class T>
double largest_of(std::int64_t n, const T* x) {
  double largest = 0;
  for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(double(x[i])));
  return largest;
}

/// The packed results (..., size) of `factor(copy of a matrix, result)`.
template <class T, class F>
Block* pack(std::string_view name, Block* a, std::int64_t size, F factor) {
  const Matrices all(a->shape);
  BlockHandle y(allocate(batch_of(name, all.batch, {size}), sizeof(T)));
  std::vector<T> used(a->data<T>(), a->data<T>() + a->shape.size());
  for (std::int64_t i = 0; i < all.count(); ++i) {
    if (factor(used.data() + i * all.size(), y->data<T>() + i * size)) continue;
    throw ArgumentError(
        std::string(name).append(": the iteration of LAPACK did not converge for ") +
        name_of_matrix(all.batch, i));
  }
  return y.take();
}

/// " of the matrix at [1, 0]" for one of a batch.
std::string of_matrix(const Shape& batch, std::int64_t i) {
  return batch.rank() == 0 ? std::string() : " of " + name_of_matrix(batch, i);
}

/// The axes of values (..., n) before the last.
Shape batch_of_values(const Shape& values) { return values.without(values.rank() - 1); }

}  // namespace

void check_matrix(std::string_view name, const Shape& a) {
  if (a.rank() < 2) throw_shapes(name, "a must be (..., m, n)", a);
}

template <class T>
Array<bool> coincidences(const Tensor<T>& values) {
  const Shape batch = batch_of_values(values.shape());
  const std::int64_t n = values.shape()[batch.rank()];
  auto coincide = Array<bool>::uninitialized(batch_of("where", batch, {n, n}));
  bool* to = coincide.mutate();
  const T* v = values.data();
  for (std::int64_t k = 0; k < batch.size(); ++k, v += n) {
    const double tolerance = rounding<T>(n, largest_of(n, v));
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        *to++ = i == j || std::abs(double(v[j]) - double(v[i])) <= tolerance;
      }
    }
  }
  return coincide;
}
EBB_FOR_REALS(coincidences)

template <class T>
void check_no_rotation(const char* name, const Array<bool>& coincide, const Tensor<T>& gradient) {
  const Matrices all(coincide.shape());
  const std::int64_t n = all.rows;
  for (std::int64_t at = 0; at < coincide.size(); ++at) {
    const std::int64_t i = at / n % n, j = at % n;
    if (i == j || !coincide[at] || gradient.data()[at] == 0) continue;
    std::string message(name);
    message.append(": values ").append(std::to_string(std::min(i, j))).append(" and ");
    message.append(std::to_string(std::max(i, j))).append(of_matrix(all.batch, at / (n * n)));
    throw ArgumentError(message.append(
        " are equal, so their vectors have no gradient; use functions of the values alone; there "
        "are " +
        std::to_string(n)));
  }
}
EBB_FOR_REALS(check_no_rotation)

template <class T>
Tensor<T> divide_by_gaps(const Array<bool>& coincide, const Tensor<T>& gradient,
                         const Tensor<T>& gaps) {
  const auto diagonal = Tensor<T>(identity<T>(coincide.shape())) == 1.0;
  return where(diagonal, 0, gradient / where(coincide, smallest<T>, gaps));
}
EBB_FOR_REALS(divide_by_gaps)

template <class T>
Tensor<T> inverse_values(const Tensor<T>& values, const Tensor<T>& gradient) {
  const Matrices all(gradient.shape());
  const std::int64_t n = all.columns, rows = all.rows;
  auto zero = Array<bool>::uninitialized(values.shape());
  for (std::int64_t at = 0; at < values.size(); ++at) {
    const std::int64_t k = at / n, j = at % n;
    const double largest = largest_of(n, values.data() + k * n);
    zero.mutate()[at] = double(values.data()[at]) <= rounding<T>(std::max(n, rows), largest);
    for (std::int64_t i = 0; zero[at] && i < rows; ++i) {
      if (gradient.data()[(k * rows + i) * n + j] == 0) continue;
      std::string message("svd: value ");
      message.append(std::to_string(j)).append(of_matrix(all.batch, k));
      throw ArgumentError(message.append(
          " is 0, so its vectors have no gradient; use functions of the other values alone; there "
          "are " +
          std::to_string(n)));
    }
  }
  return as_row(reciprocal(where(zero, smallest<T>, values)));
}
EBB_FOR_REALS(inverse_values)

namespace {

/// The norms of the columns of an upper triangle r (k, n), without overflow.
template <class T>
std::vector<double> column_norms(std::int64_t k, std::int64_t n, const T* r) {
  std::vector<double> largest(std::size_t(n), 0), norms(largest);
  for (std::int64_t i = 0; i < k; ++i) {
    for (std::int64_t j = i; j < n; ++j) {
      double& size = largest[std::size_t(j)];
      size = std::max(size, std::abs(double(r[i * n + j])));
    }
  }
  for (std::int64_t i = 0; i < k; ++i) {
    for (std::int64_t j = i; j < n; ++j) {
      const double size = largest[std::size_t(j)], x = double(r[i * n + j]) / size;
      if (size > 0) norms[std::size_t(j)] += x * x;
    }
  }
  for (std::size_t j = 0; j < norms.size(); ++j) norms[j] = largest[j] * std::sqrt(norms[j]);
  return norms;
}

}  // namespace

template <class T>
void check_full_rank(const char* name, const Tensor<T>& r, std::int64_t longer, const char* line) {
  const Matrices all(r.shape());
  const std::int64_t n = all.columns;
  for (std::int64_t i = 0; i < all.count(); ++i) {
    const T* const one = r.data() + i * all.size();
    const auto norms = column_norms(all.rows, n, one);
    for (std::int64_t j = 0; j < std::min(all.rows, n); ++j) {
      const double tolerance = rounding<T>(longer, norms[std::size_t(j)]);
      if (!(std::abs(double(one[j * n + j])) <= tolerance)) continue;
      std::string message(name);
      message.append(": ").append(name_of_matrix(all.batch, i)).append(" has no full rank: ");
      message.append(line).append(" ").append(std::to_string(j));
      throw ArgumentError(message.append(" depends on those before it; its factor r is ")
                              .append(to_string(Shape{all.rows, n})));
    }
  }
}
EBB_FOR_REALS(check_full_rank)

}  // namespace detail

namespace op {

template <class T>
detail::Block* Eigh::forward(const Options&, detail::Block* a) {
  const detail::BlockHandle symmetric(detail::symmetric_block<T>(name, a));
  const std::int64_t n = detail::Matrices(a->shape).rows;
  return detail::pack<T>(name, symmetric.get(), n + n * n, [=](T* used, T* y) {
    const bool done = detail::decompose_symmetric(n, used, y);
    std::copy_n(used, n * n, y + n);
    return done;
  });
}

template <class T>
detail::Block* Qr::forward(const Options&, detail::Block* a) {
  detail::check_matrix(name, a->shape);
  const detail::Matrices all(a->shape);
  const std::int64_t m = all.rows, n = all.columns, k = std::min(m, n);
  return detail::pack<T>(name, a, m * k + k * n, [=](T* used, T* y) {
    detail::factor_qr(m, n, used, y, y + m * k);
    return true;
  });
}

template <class T>
detail::Block* Svd::forward(const Options&, detail::Block* a) {
  detail::check_matrix(name, a->shape);
  const detail::Matrices all(a->shape);
  const std::int64_t m = all.rows, n = all.columns, k = std::min(m, n);
  return detail::pack<T>(name, a, k + m * k + k * n, [=](T* used, T* y) {
    return detail::decompose_singular(m, n, used, y + k, y, y + k + m * k);
  });
}

}  // namespace op

using detail::Access;

template <Real T>
Eigenpairs<T> eigh(const Operand<T>& a) {
  return detail::eigh_parts(detail::apply<op::Eigh, T>({}, a), Access::shape(a, "eigh"));
}
EBB_FOR_REALS(eigh)

template <Real T>
QR<T> qr(const Operand<T>& a) {
  return detail::qr_parts(detail::apply<op::Qr, T>({}, a), Access::shape(a, "qr"));
}
EBB_FOR_REALS(qr)

template <Real T>
SVD<T> svd(const Operand<T>& a) {
  return detail::svd_parts(detail::apply<op::Svd, T>({}, a), Access::shape(a, "svd"));
}
EBB_FOR_REALS(svd)

namespace {

/// Powers of two that bring the largest number of each column of matrices (..., m, n) near 1, as
/// (..., n); empty if all columns are of a moderate size, so that neither squares nor slopes can
/// overflow.
template <class T>
Array<T> column_scales(const Tensor<T>& a) {
  constexpr int moderate = 32, most = std::numeric_limits<T>::max_exponent - 1;
  const detail::Matrices all(a.shape());
  const std::int64_t n = all.columns;
  auto scales = Array<T>::zeros(detail::batch_of("lstsq", all.batch, {n}));
  T* const to = scales.mutate();
  const T* from = a.data();
  for (std::int64_t i = 0; i < all.count() * all.rows; ++i, from += n) {
    T* const largest = to + i / all.rows * n;
    for (std::int64_t j = 0; j < n; ++j) largest[j] = std::max(largest[j], std::abs(from[j]));
  }
  bool any = false;
  for (std::int64_t j = 0; j < scales.size(); ++j) {
    const int exponent = to[j] > 0 && std::isfinite(to[j]) ? std::ilogb(to[j]) : 0;
    any |= std::abs(exponent) > moderate;
    to[j] = std::ldexp(T(1), -std::clamp(exponent, -most, most));
  }
  return any ? scales : Array<T>();
}

/// The x that minimises |a x - b|, for a tall matrix.
template <class T>
Tensor<T> least_squares(const Tensor<T>& a, const Tensor<T>& b) {
  const auto [q, r] = qr(a);
  detail::check_full_rank("lstsq", r, detail::Matrices(a.shape()).rows);
  return triangular_solve(r, matmul(q, b, {.transpose_a = true}), {.upper = true});
}

/// The shortest x with a^T x = b, for a tall matrix.
template <class T>
Tensor<T> shortest(const Tensor<T>& a, const Tensor<T>& b) {
  const auto [q, r] = qr(a);
  detail::check_full_rank("lstsq", r, detail::Matrices(a.shape()).rows, "row");
  return matmul(q, triangular_solve(r, b, {.upper = true, .transpose = true}));
}

}  // namespace

template <Real T>
Tensor<T> lstsq(const Operand<T>& a, const Operand<T>& b, LstsqOptions options) {
  const Shape &p = Access::shape(a, "lstsq"), &q = Access::shape(b, "lstsq");
  const int rank = p.rank(), rows = q.rank() - (q.rank() == 1 ? 1 : 2);
  const bool tall = rank >= 2 && p[rank - 2] >= p[rank - 1];
  const bool fits = rank >= 2 && q.rank() >= 1 && q[rows] == p[rank - 2];
  if (!fits || !(tall || options.least_norm)) {
    detail::throw_shapes("lstsq",
                         "a must be (..., m, n) with m >= n (or {.least_norm = true}) and b (m,) "
                         "or (..., m, k)",
                         p, q);
  }
  detail::common_batch("lstsq", p, q);
  return detail::with_columns(b, [&](const Tensor<T>& columns) {
    const Tensor<T> whole = Access::as_tensor(a);
    const Tensor<T> lines = tall ? whole : detail::swap_last(whole);
    const Array<T> scales = column_scales(detail::dense<T>(lines));
    if (scales.empty()) return tall ? least_squares(lines, columns) : shortest(lines, columns);
    // A power of two changes no bits: it scales an unknown, or an equation.
    const Tensor<T> scaled = lines * detail::as_row(Tensor<T>(scales));
    const Tensor<T> factors = detail::as_column(Tensor<T>(scales));
    return tall ? least_squares(scaled, columns) * factors : shortest(scaled, columns * factors);
  });
}
EBB_FOR_REALS(lstsq)

}  // namespace ebb::inline v0
