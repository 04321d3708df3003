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
double largest_of(const Tensor<T>& x) {
  double largest = 0;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    largest = std::max(largest, std::abs(double(x.data()[i])));
  }
  return largest;
}

/// The packed result of `factor(copy of a, result)`.
template <class T, class F>
Block* pack(std::string_view name, Block* a, std::int64_t size, F factor) {
  BlockHandle y(allocate({size}, sizeof(T)));
  std::vector<T> used(a->data<T>(), a->data<T>() + a->shape.size());
  if (!factor(used.data(), y->data<T>())) {
    throw ArgumentError(std::string(name).append(": the iteration of LAPACK did not converge"));
  }
  return y.take();
}

}  // namespace

void check_matrix(std::string_view name, const Shape& a) {
  if (a.rank() != 2) throw_shapes(name, "a must be (m, n)", a);
}

template <class T>
Array<bool> coincidences(const Tensor<T>& values) {
  const std::int64_t n = values.size();
  const T* v = values.data();
  const double tolerance = rounding<T>(n, largest_of(values));
  auto coincide = Array<bool>::uninitialized({n, n});
  bool* to = coincide.mutate();
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      to[i * n + j] = i == j || std::abs(double(v[j]) - double(v[i])) <= tolerance;
    }
  }
  return coincide;
}
EBB_FOR_REALS(coincidences)

template <class T>
void check_no_rotation(const char* name, const Array<bool>& coincide, const Tensor<T>& gradient) {
  const std::int64_t n = coincide.shape()[0];
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      if (i == j || !coincide[i * n + j] || gradient.data()[i * n + j] == 0) continue;
      std::string message(name);
      message.append(": values ").append(std::to_string(std::min(i, j))).append(" and ");
      message.append(std::to_string(std::max(i, j)));
      throw ArgumentError(message.append(
          " are equal, so their vectors have no gradient; use functions of the values alone; there "
          "are " +
          std::to_string(n)));
    }
  }
}
EBB_FOR_REALS(check_no_rotation)

template <class T>
Tensor<T> divide_by_gaps(const Array<bool>& coincide, const Tensor<T>& gradient,
                         const Tensor<T>& gaps) {
  const auto diagonal = Tensor<T>(identity<T>(coincide.shape()[0])) == 1.0;
  return where(diagonal, 0, gradient / where(coincide, smallest<T>, gaps));
}
EBB_FOR_REALS(divide_by_gaps)

template <class T>
Tensor<T> inverse_values(const Tensor<T>& values, const Tensor<T>& gradient) {
  const std::int64_t n = values.size(), rows = gradient.shape()[0];
  const double tolerance = rounding<T>(std::max(n, rows), largest_of(values));
  auto zero = Array<bool>::uninitialized({n});
  for (std::int64_t j = 0; j < n; ++j) {
    zero.mutate()[j] = double(values.data()[j]) <= tolerance;
    for (std::int64_t i = 0; zero[j] && i < rows; ++i) {
      if (gradient.data()[i * n + j] == 0) continue;
      std::string message("svd: value ");
      message.append(std::to_string(j));
      throw ArgumentError(message.append(
          " is 0, so its vectors have no gradient; use functions of the other values alone; there "
          "are " +
          std::to_string(n)));
    }
  }
  return reciprocal(where(zero, smallest<T>, values));
}
EBB_FOR_REALS(inverse_values)

namespace {

/// The norms of the columns of r (k, n), without overflow.
template <class T>
std::vector<double> column_norms(const Tensor<T>& r) {
  const std::int64_t k = r.shape()[0], n = r.shape()[1];
  std::vector<double> largest(std::size_t(n), 0), norms(largest);
  for (std::int64_t i = 0; i < k * n; ++i) {
    double& size = largest[std::size_t(i % n)];
    size = std::max(size, std::abs(double(r.data()[i])));
  }
  for (std::int64_t i = 0; i < k * n; ++i) {
    const double size = largest[std::size_t(i % n)], x = double(r.data()[i]);
    if (size > 0) norms[std::size_t(i % n)] += x / size * (x / size);
  }
  for (std::size_t j = 0; j < norms.size(); ++j) norms[j] = largest[j] * std::sqrt(norms[j]);
  return norms;
}

}  // namespace

template <class T>
void check_full_rank(const char* name, const Tensor<T>& r, std::int64_t longer) {
  const std::int64_t n = r.shape()[1];
  const auto norms = column_norms(r);
  for (std::int64_t j = 0; j < std::min(r.shape()[0], n); ++j) {
    const double tolerance = rounding<T>(longer, norms[std::size_t(j)]);
    if (!(std::abs(double(r.data()[j * n + j])) <= tolerance)) continue;
    std::string message(name);
    message.append(": the matrix has no full rank: column ").append(std::to_string(j));
    throw ArgumentError(message.append(" depends on those before it; its factor r is ")
                            .append(to_string(r.shape())));
  }
}
EBB_FOR_REALS(check_full_rank)

}  // namespace detail

namespace op {

template <class T>
detail::Block* Eigh::forward(const Options&, detail::Block* a) {
  const detail::BlockHandle symmetric(detail::symmetric_block<T>(name, a));
  const std::int64_t n = a->shape[0];
  return detail::pack<T>(name, symmetric.get(), n + n * n, [=](T* used, T* y) {
    const bool done = detail::decompose_symmetric(n, used, y);
    std::copy_n(used, n * n, y + n);
    return done;
  });
}

template <class T>
detail::Block* Qr::forward(const Options&, detail::Block* a) {
  detail::check_matrix(name, a->shape);
  const std::int64_t m = a->shape[0], n = a->shape[1], k = std::min(m, n);
  return detail::pack<T>(name, a, m * k + k * n, [=](T* used, T* y) {
    detail::factor_qr(m, n, used, y, y + m * k);
    return true;
  });
}

template <class T>
detail::Block* Svd::forward(const Options&, detail::Block* a) {
  detail::check_matrix(name, a->shape);
  const std::int64_t m = a->shape[0], n = a->shape[1], k = std::min(m, n);
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

namespace detail {
namespace {

/// Powers of two that bring the largest number of each column of a (m, n) near 1; empty if all
/// columns are of a moderate size, so that neither squares nor slopes can overflow.
template <class T>
Array<T> column_scales(Block* a) {
  constexpr int moderate = 32, most = std::numeric_limits<T>::max_exponent - 1;
  const std::int64_t m = a->shape[0], n = a->shape[1];
  auto scales = Array<T>::zeros({n});
  T* to = scales.mutate();
  for (std::int64_t i = 0; i < m * n; ++i) {
    to[i % n] = std::max(to[i % n], std::abs(a->data<T>()[i]));
  }
  bool any = false;
  for (std::int64_t j = 0; j < n; ++j) {
    const int exponent = to[j] > 0 && std::isfinite(to[j]) ? std::ilogb(to[j]) : 0;
    any |= std::abs(exponent) > moderate;
    to[j] = std::ldexp(T(1), -std::clamp(exponent, -most, most));
  }
  return any ? scales : Array<T>();
}

}  // namespace
}  // namespace detail

template <Real T>
Tensor<T> lstsq(const Operand<T>& a, const Operand<T>& b) {
  const Shape &p = Access::shape(a, "lstsq"), &q = Access::shape(b, "lstsq");
  const bool tall = p.rank() == 2 && p[0] >= p[1];
  const bool fits = tall && (q.rank() == 1 || q.rank() == 2) && q[0] == p[0];
  if (!fits) {
    detail::throw_shapes("lstsq", "a must be (m, n) with m >= n and b (m,) or (m, k)", p, q);
  }
  const auto solve = [&](const Operand<T>& columns) {
    const auto [f, r] = qr(columns);
    detail::check_full_rank("lstsq", r, p[0]);
    return triangular_solve(r, matmul(f, b, {.transpose_a = true}), {.upper = true});
  };
  const auto scales = detail::column_scales<T>(Access::contents(a).block);
  if (scales.empty()) return solve(a);
  const auto x = solve(a * scales);
  return x * (q.rank() == 1 ? scales : scales.reshape({p[1], 1}));
}
EBB_FOR_REALS(lstsq)

}  // namespace ebb::inline v0
