// SPDX-License-Identifier: BSD-3-Clause
// LAPACK and triangular solves: what they make of matrices that are not symmetric, put together
// again by plain loops in a higher precision.
#include "ebb/autodiff/kernels/lapack.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ebb/autodiff/kernels/blas.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/ops/sample.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// op(a) b in long double.
template <class T>
Array<double> product(const Array<T>& a, const Array<T>& b, bool ta = false) {
  const std::int64_t m = a.shape()[ta ? 1 : 0], k = a.shape()[ta ? 0 : 1], n = b.shape()[1];
  auto y = Array<double>::uninitialized({m, n});
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      long double s = 0;
      for (std::int64_t p = 0; p < k; ++p) s += (long double)(ta ? a(p, i) : a(i, p)) * b(p, j);
      y.mutate()[i * n + j] = double(s);
    }
  }
  return y;
}

template <class T>
Array<T> unit(std::int64_t n) {
  auto one = Array<T>::zeros({n, n});
  for (std::int64_t i = 0; i < n; ++i) one.mutate()[i * n + i] = 1;
  return one;
}

template <class T>
Array<T> spread_of(const Shape& shape) {
  return cast<T>(op::spread(shape)).array();
}

template <class T>
constexpr double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-13;

template <class T>
void check_lu(std::int64_t n) {
  auto a = spread_of<T>({n, n});
  for (std::int64_t i = 0; i < n; ++i) a.mutate()[i * n + (i + 1) % n] += T(n);  // rows move
  auto lu = a;
  std::vector<int> swaps(static_cast<std::size_t>(n));
  REQUIRE(detail::factor_lu(n, lu.mutate(), swaps.data()) == n);
  for (const bool transpose : {false, true}) {
    CAPTURE(transpose);
    const auto b = spread_of<T>({n, 3});
    auto x = b;
    detail::solve_lu(n, 3, transpose, lu.data(), swaps.data(), x.mutate());
    CHECK_AGREES(close(product(a, x, transpose), b, tolerance<T>, tolerance<T>));
  }
}

template <class T>
void check_triangles(std::int64_t n) {
  auto a = spread_of<T>({n, n});
  for (std::int64_t i = 0; i < n; ++i) a.mutate()[i * n + i] = T(n);
  for (int bits = 0; bits < 8; ++bits) {
    CAPTURE(bits);
    const detail::Triangle t{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
    auto half = a;
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        if (i != j && (i < j) != t.upper) half.mutate()[i * n + j] = 0;
        if (i == j && t.unit) half.mutate()[i * n + j] = 1;
        if (i != j) half.mutate()[i * n + j] /= T(n);  // the inverse of a unit triangle stays small
      }
    }
    auto given = half;  // the other half must not be read
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        if ((i != j && (i < j) != t.upper) || (i == j && t.unit)) {
          given.mutate()[i * n + j] = T(NAN);
        }
      }
    }
    const auto b = spread_of<T>({n, 2});
    auto x = b;
    detail::solve_triangle(t, n, 2, given.data(), x.mutate());
    CHECK_AGREES(close(product(half, x, t.transpose), b, tolerance<T>, tolerance<T>));
  }
}

template <class T>
void check_qr(std::int64_t m, std::int64_t n) {
  const std::int64_t k = std::min(m, n);
  const auto a = spread_of<T>({m, n});
  auto used = a, q = Array<T>::uninitialized({m, k}), r = Array<T>::uninitialized({k, n});
  detail::factor_qr(m, n, used.mutate(), q.mutate(), r.mutate());
  CHECK_AGREES(close(product(q, r), a, tolerance<T>, tolerance<T>));
  CHECK_AGREES(close(product(q, q, true), unit<T>(k), tolerance<T>, tolerance<T>));
  for (std::int64_t i = 0; i < k; ++i) {
    CHECK(r(i, i) >= 0);
    for (std::int64_t j = 0; j < i; ++j) CHECK(r(i, j) == 0);
  }
}

template <class T>
void check_svd(std::int64_t m, std::int64_t n) {
  const std::int64_t k = std::min(m, n);
  const auto a = spread_of<T>({m, n});
  auto used = a, u = Array<T>::uninitialized({m, k}), vh = Array<T>::uninitialized({k, n});
  auto s = Array<T>::uninitialized({k});
  REQUIRE(detail::decompose_singular(m, n, used.mutate(), u.mutate(), s.mutate(), vh.mutate()));
  CHECK(std::is_sorted(s.begin(), s.end(), std::greater<T>()));
  CHECK_AGREES(close(product(u, u, true), unit<T>(k), tolerance<T>, tolerance<T>));
  CHECK_AGREES(close(product(transpose(vh).array(), transpose(vh).array(), true), unit<T>(k),
                     tolerance<T>, tolerance<T>));
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < k; ++j) u.mutate()[i * k + j] *= s[j];
  }
  CHECK_AGREES(close(product(u, vh), a, tolerance<T>, tolerance<T>));
}

template <class T>
void check_symmetric(std::int64_t n) {
  const auto x = spread_of<T>({n, n});
  const auto a = (Tensor<T>(x) + transpose(x)).array();
  auto v = a, w = Array<T>::uninitialized({n});
  REQUIRE(detail::decompose_symmetric(n, v.mutate(), w.mutate()));
  CHECK(std::is_sorted(w.begin(), w.end()));
  CHECK_AGREES(close(product(v, v, true), unit<T>(n), tolerance<T>, tolerance<T>));
  CHECK_AGREES(close(product(a, v), (Tensor<T>(v) * w).array(), tolerance<T>, 4 * tolerance<T>));
}

template <class T>
void check_cholesky(std::int64_t n) {
  auto a = spread_of<T>({n, n});
  for (std::int64_t i = 0; i < n; ++i) {
    a.mutate()[i * n + i] = T(2 * n);
    for (std::int64_t j = i + 1; j < n; ++j) a.mutate()[i * n + j] = T(NAN);  // never read
  }
  auto l = a;
  REQUIRE(detail::factor_cholesky(n, l.mutate()) == n);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      long double s = 0;
      for (std::int64_t p = 0; p <= j; ++p) s += (long double)(l(i, p)) * l(j, p);
      CHECK(std::abs(double(s - a(i, j))) <= double(n) * tolerance<T>);
    }
  }
}

template <class T>
void check_all() {
  for (const std::int64_t n : {1, 2, 5, 40}) {
    CAPTURE(n);
    check_lu<T>(n);
    check_triangles<T>(n);
    check_symmetric<T>(n);
    check_cholesky<T>(n);
    for (const std::int64_t m : {1, 3, 7, 50}) {
      CAPTURE(m);
      check_qr<T>(m, n);
      check_svd<T>(m, n);
    }
  }
}

}  // namespace

TEST_SUITE("lapack") {

TEST_CASE("factors of row-major matrices multiply to the matrix") {
  check_all<double>();
  check_all<float>();
}

TEST_CASE("a matrix without factors is found at its pivot") {
  std::vector<int> swaps(3);
  auto singular = Array<double>::of({{1, 2, 3}, {2, 4, 7}, {3, 6, 5}});
  CHECK(detail::factor_lu(3, singular.mutate(), swaps.data()) == 2);
  auto indefinite = Array<double>::of({{4, 0, 0}, {2, 1, 0}, {0, 0, 1}});
  CHECK(detail::factor_cholesky(3, indefinite.mutate()) == 1);
  CHECK_THROWS_WITH_AS(detail::blas_size(std::int64_t(1) << 31),
                       "a matrix with 2147483648 rows or columns is beyond the 32-bit integers of "
                       "OpenBLAS",
                       ShapeError);
}

}  // TEST_SUITE("lapack")
