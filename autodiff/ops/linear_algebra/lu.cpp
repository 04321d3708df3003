// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/linear_algebra/lu.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "ebb/autodiff/kernels/lapack.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
namespace {

/// The factors of one matrix: n rows of both triangles, then the exchanges of rows.
template <class T>
struct Factors {
  std::int64_t n;
  T* lu;

  /// Those of matrix i.
  static Factors of(const Shape& shape, T* all, std::int64_t i) {
    const std::int64_t n = shape[shape.rank() - 1];
    return {n, all + i * (n + 1) * n};
  }
  double pivot(std::int64_t i) const { return double(lu[i * n + i]); }
  std::int64_t swap(std::int64_t i) const { return std::int64_t(lu[n * n + i]) - 1; }
  std::vector<int> swaps() const {
    std::vector<int> all(lu + n * n, lu + (n + 1) * n);
    return all;
  }
  /// 1 or -1: each exchange of rows changes the sign of the determinant.
  double sign_of_swaps() const {
    double sign = 1;
    for (std::int64_t i = 0; i < n; ++i) sign = swap(i) == i ? sign : -sign;
    return sign;
  }
  std::int64_t zero_pivot() const {
    std::int64_t i = 0;
    while (i < n && pivot(i) != 0) ++i;
    return i;
  }
  void factor() {
    std::vector<int> exchanges(std::size_t(n), 0);
    factor_lu(n, lu, exchanges.data());
    std::copy(exchanges.begin(), exchanges.end(), lu + n * n);
  }
};

template <class T>
Factors<const T> factors_of(const Array<T>& factors, std::int64_t i) {
  return Factors<const T>::of(factors.shape(), factors.data(), i);
}

std::int64_t count_of(const Shape& factors) { return Matrices(factors).count(); }

/// The largest sum of the absolute values of a row.
template <class T>
double norm_of(std::int64_t n, const T* a) {
  double norm = 0;
  for (std::int64_t i = 0; i < n; ++i, a += n) {
    double sums[8] = {};  // that do not wait for one another
    std::int64_t j = 0;
    for (; j + 8 <= n; j += 8) {
      for (int k = 0; k < 8; ++k) sums[k] += std::abs(double(a[j + k]));
    }
    double sum =
        ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    for (; j < n; ++j) sum += std::abs(double(a[j]));
    norm = sum <= norm ? norm : sum;  // NaN is kept
  }
  return norm;
}

/// A bound of the same norm of the inverse: of M(u)^-1 M(l)^-1 ones, where M turns the signs so
/// that nothing cancels (Higham 2002, "Accuracy and Stability of Numerical Algorithms", 8.3).
template <class T>
double bound_of_inverse(std::int64_t n, const T* lu) {
  double y[32];
  for (std::int64_t i = 0; i < n; ++i) {
    double sum = 1;
    for (std::int64_t j = 0; j < i; ++j) sum += std::abs(double(lu[i * n + j])) * y[j];
    y[i] = sum / std::abs(double(lu[i * n + i]));
  }
  double largest = 0;
  for (std::int64_t i = n; i-- > 0;) {
    for (std::int64_t j = i + 1; j < n; ++j) y[i] += std::abs(double(lu[i * n + j])) * y[j];
    largest = std::max(largest, y[i]);
  }
  return largest;
}

/// 1 / (|a| |a^-1|), with the largest sum of a row for a norm; or a lower bound of it which is
/// `enough`. 0 if the factors have a pivot of 0 or are not finite; NaN if a is not finite.
template <class T>
double reciprocal_condition(const T* a, const Factors<const T>& factors, double enough) {
  const std::int64_t n = factors.n;
  if (n == 0) return 1;
  const double norm = norm_of(n, a);
  if (factors.zero_pivot() < n) return 0;
  // The bound is cheap, and good enough for most matrices that are small.
  if (n <= 32) {
    const double bound = 1 / norm / bound_of_inverse(n, factors.lu);
    if (bound >= enough) return bound;
  }
  if (std::isfinite(T(norm)) && std::isfinite(norm_of(n, factors.lu))) {
    return estimate_condition(n, factors.lu, T(norm));
  }
  const bool finite = std::all_of(a, a + n * n, [](T x) { return std::isfinite(x); });
  return finite ? 0 : std::numeric_limits<double>::quiet_NaN();
}

/// The exponents of powers of two by which rows and columns are divided.
struct Scales {
  std::vector<int> rows, columns;
};

/// Divides rows, then columns, so that the largest number of each is in [1, 2).
template <class T>
Scales equilibrate(std::int64_t n, T* a) {
  constexpr int none = std::numeric_limits<int>::min() / 4;
  const auto exponent = [](T x) { return x == 0 ? none : std::ilogb(x); };
  Scales s{std::vector<int>(std::size_t(n), none), std::vector<int>(std::size_t(n), none)};
  for (std::int64_t i = 0; i < n; ++i) {
    int& row = s.rows[std::size_t(i)];
    for (std::int64_t j = 0; j < n; ++j) row = std::max(row, exponent(a[i * n + j]));
    if (row == none) row = 0;
  }
  for (std::int64_t j = 0; j < n; ++j) {
    int& column = s.columns[std::size_t(j)];
    for (std::int64_t i = 0; i < n; ++i) {
      column = std::max(column, exponent(a[i * n + j]) - s.rows[std::size_t(i)]);
    }
    if (column < none / 2) column = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      a[i * n + j] = std::scalbn(a[i * n + j], -s.rows[std::size_t(i)] - column);
    }
  }
  return s;
}

/// Turns the factors l u p of r^-1 a c^-1 into those of a = r l u p c: with d = p c p^T they are
/// (r l d) (d^-1 u d) p. Returns false if they overflow.
template <class T>
bool scale_back(const Factors<T>& f, Scales s) {
  for (std::int64_t i = 0; i < f.n; ++i) {
    std::swap(s.columns[std::size_t(i)], s.columns[std::size_t(f.swap(i))]);
  }
  for (std::int64_t i = 0; i < f.n; ++i) {
    for (std::int64_t j = 0; j < f.n; ++j) {
      const int own = s.columns[std::size_t(i)];
      T& x = f.lu[i * f.n + j];
      x = std::scalbn(x, s.columns[std::size_t(j)] + (j <= i ? s.rows[std::size_t(i)] : -own));
    }
  }
  return std::isfinite(norm_of(f.n, f.lu));
}

/// Replaces the factors of a by those of a with other scales. Returns its reciprocal condition, or
/// NaN if the factors overflow.
template <class T>
double factor_scaled(const T* a, const Factors<T>& f) {
  std::vector<T> scaled(a, a + f.n * f.n);
  const Scales scales = equilibrate(f.n, scaled.data());
  Factors<T> own = f;
  std::copy(scaled.begin(), scaled.end(), own.lu);
  own.factor();
  const double condition = reciprocal_condition<T>(scaled.data(), {own.n, own.lu}, 1);
  return scale_back(own, scales) ? condition : std::numeric_limits<double>::quiet_NaN();
}

template <class T>
constexpr double eps = double(std::numeric_limits<T>::epsilon());

/// "about 1e-17" as text.
std::string roughly(double x) {
  char text[16];
  std::snprintf(text, sizeof text, "%.0g", x);
  return text;
}

[[noreturn]] void refuse(std::string_view name, const Shape& a, std::int64_t i,
                         std::int64_t zero_pivot, double condition, const char* consequence) {
  const Matrices all(a);
  std::string message(name);
  message.append(": ").append(name_of_matrix(all.batch, i));
  if (zero_pivot < all.rows) {
    message.append(" is singular: pivot ").append(std::to_string(zero_pivot));
    message.append(" of its LU factors is 0");
  } else if (std::isnan(condition)) {
    message.append(" has LU factors that overflow: divide it by a large number");
  } else {
    message.append(" is singular to working precision: its reciprocal condition is about ");
    message.append(roughly(condition));
  }
  if (*consequence) message.append("; ").append(consequence);
  throw ArgumentError(message.append("; a is ").append(to_string(a)));
}

}  // namespace

void check_square(std::string_view name, const Shape& a) {
  const int rank = a.rank();
  if (rank < 2 || a[rank - 1] != a[rank - 2]) throw_shapes(name, "a must be (..., n, n)", a);
}

Shape check_system(std::string_view name, const Shape& a, const Shape& b, const char* letter) {
  const int rank = a.rank(), columns = b.rank() == 1 ? 0 : 1;
  const bool square = rank >= 2 && a[rank - 1] == a[rank - 2];
  const bool fits = square && b.rank() >= 1 && b[b.rank() - 1 - columns] == a[rank - 1];
  if (!fits) {
    const std::string what(letter);
    throw_shapes(name, (what + " must be (..., n, n) and b (n,) or (..., n, k)").c_str(), a, b);
  }
  return common_batch(name, a, b);
}

template <class T>
Array<T> lu_factors(std::string_view name, const Operand<T>& a) {
  check_square(name, Access::shape(a, name));
  const Tensor<T> whole = dense(a);
  const Matrices all(whole.shape());
  auto factors = Array<T>::uninitialized(batch_of(name, all.batch, {all.rows + 1, all.columns}));
  T* const to = factors.mutate();
  for (std::int64_t i = 0; i < all.count(); ++i) {
    auto one = Factors<T>::of(factors.shape(), to, i);
    std::copy_n(whole.data() + i * all.size(), all.size(), one.lu);
    one.factor();
  }
  return factors;
}
EBB_FOR_REALS(lu_factors)

template <class T>
Array<T> regular_factors(std::string_view name, const Operand<T>& a, Array<T> factors,
                         const char* consequence) {
  const Tensor<T> whole = dense(a);
  const Matrices all(whole.shape());
  for (std::int64_t i = 0; i < all.count(); ++i) {
    const T* const from = whole.data() + i * all.size();
    const auto given = factors_of(factors, i);
    if (!(reciprocal_condition(from, given, eps<T>) < eps<T>)) continue;
    const std::int64_t zero = given.zero_pivot();
    const auto scaled = Factors<T>::of(factors.shape(), factors.mutate(), i);
    const double condition = factor_scaled(from, scaled);
    const std::int64_t still = scaled.zero_pivot();
    if (!(condition >= eps<T>) || still < all.rows) {
      refuse(name, whole.shape(), i, zero < all.rows ? zero : still, condition, consequence);
    }
  }
  return factors;
}
EBB_FOR_REALS(regular_factors)

template <class T>
bool are_well_conditioned(const Tensor<T>& a, const Array<T>& factors) {
  const Tensor<T> whole = dense<T>(a);
  const Matrices all(whole.shape());
  const double enough = 0.03 / double(all.rows) / double(all.rows);
  for (std::int64_t i = 0; i < all.count(); ++i) {
    const T* const from = whole.data() + i * all.size();
    if (!(reciprocal_condition(from, factors_of(factors, i), enough) >= enough)) return false;
  }
  return true;
}
EBB_FOR_REALS(are_well_conditioned)

template <class T>
Block* solve_block(bool transpose, Block* b, const Array<T>& factors) {
  const Matrices all(b->shape);
  BlockHandle y(allocate(b->shape, sizeof(T)));
  std::copy_n(b->data<T>(), b->shape.size(), y->data<T>());
  for (std::int64_t i = 0; i < all.count(); ++i) {
    const auto one = factors_of(factors, i);
    solve_lu(all.rows, all.columns, transpose, one.lu, one.swaps().data(),
             y->data<T>() + i * all.size());
  }
  return y.take();
}
EBB_FOR_REALS(solve_block)

template <class T>
double determinant(const Array<T>& factors, std::int64_t i) {
  const auto one = factors_of(factors, i);
  double product = one.sign_of_swaps();
  for (std::int64_t k = 0; k < one.n; ++k) product *= one.pivot(k);
  return product;
}
EBB_FOR_REALS(determinant)

template <class T>
void sign_and_log(const Array<T>& factors, T* result) {
  const std::int64_t count = count_of(factors.shape());
  for (std::int64_t i = 0; i < count; ++i, result += 2) {
    const auto one = factors_of(factors, i);
    double sign = one.sign_of_swaps(), log = 0;
    for (std::int64_t k = 0; k < one.n; ++k) {
      const double p = one.pivot(k);
      sign = p < 0 ? -sign : p > 0 ? sign : p * sign;  // 0 and NaN are kept
      log += std::log(std::abs(p));
    }
    result[0] = T(sign);
    result[1] = T(log);
  }
}
EBB_FOR_REALS(sign_and_log)

}  // namespace ebb::inline v0::detail
