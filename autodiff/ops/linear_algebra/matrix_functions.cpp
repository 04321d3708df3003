// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/fuse.hpp"
// included after fuse.hpp, so that the formulas find the functions of every number type
#include "ebb/autodiff/ops/linear_algebra/matrix_functions.hpp"

#include <algorithm>
#include <climits>
#include <cmath>
#include <limits>
#include <vector>

#include "ebb/autodiff/kernels/blas.hpp"
#include "ebb/autodiff/kernels/lapack.hpp"
#include "ebb/autodiff/ops/linear_algebra/factors.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace op {

template <class T>
detail::Block* Pinv::forward(const Options& o, detail::Block* a) {
  const detail::Matrices all(a->shape);
  const std::int64_t m = all.rows, n = all.columns, k = std::min(m, n);
  detail::BlockHandle y(detail::allocate(detail::batch_of(name, all.batch, {n, m}), sizeof(T)));
  const auto numbers = [](std::int64_t count) { return std::vector<T>(std::size_t(count)); };
  std::vector<T> used = numbers(m * n), u = numbers(m * k), s = numbers(k), vh = numbers(k * n);
  for (std::int64_t i = 0; k > 0 && i < all.count(); ++i) {
    std::copy_n(a->data<T>() + i * m * n, m * n, used.data());
    if (!detail::decompose_singular(m, n, used.data(), u.data(), s.data(), vh.data())) {
      throw ArgumentError("pinv: the iteration of LAPACK did not converge for " +
                          detail::name_of_matrix(all.batch, i));
    }
    const double bound = o.rcond * double(s[0]);
    for (std::int64_t j = 0; j < k; ++j) {
      const double value = double(s[std::size_t(j)]), factor = value <= bound ? 0 : 1 / value;
      T* const row = vh.data() + j * n;
      std::transform(row, row + n, row, [=](T v) { return T(double(v) * factor); });
    }
    detail::gemm(true, true, n, m, k, vh.data(), u.data(), y->data<T>() + i * n * m, false);
  }
  return y.take();
}

}  // namespace op

using detail::Access;

template <Real T>
Tensor<T> pinv(const Operand<T>& a, PinvOptions options) {
  const Shape& shape = Access::shape(a, "pinv");
  detail::check_matrix("pinv", shape);
  const detail::Matrices all(shape);
  const double eps = double(std::numeric_limits<T>::epsilon());
  const double rcond = options.rcond.value_or(double(std::max(all.rows, all.columns)) * eps);
  if (!(rcond >= 0)) {
    throw ArgumentError("pinv: rcond = " + detail::to_text(rcond) + "; it is at least 0");
  }
  return detail::apply<op::Pinv, T>({rcond}, a);
}
EBB_FOR_REALS(pinv)

template <Real T>
Tensor<T> matrix_power(const Operand<T>& a, std::int64_t k) {
  constexpr const char* name = "matrix_power";
  const Shape shape = Access::shape(a, name);
  detail::check_square(name, shape);
  const Tensor<T> one = detail::identity<T>(shape);
  if (k == 0) return where(Array<bool>::full(shape, true), one, a);  // with a gradient of zeros
  const Tensor<T> base = detail::dense<T>(a, name);
  Tensor<T> square = base;
  if (k < 0) {
    square = op::Solve::of<T>(
        {}, base, one, detail::regular_factors<T>(name, base, detail::lu_factors<T>(name, base)));
  }
  auto rest = k < 0 ? 0 - std::uint64_t(k) : std::uint64_t(k);
  Tensor<T> power;
  for (bool started = false;; square = matmul(square, square)) {
    if (rest & 1) power = started ? matmul(power, square) : square;
    started |= (rest & 1) != 0;
    rest >>= 1;
    if (rest == 0) return power;
  }
}
EBB_FOR_REALS(matrix_power)

namespace {

/// A matrix in double, divided by a power of two so that its norm, which is the largest sum of the
/// absolute values of a column, is at most 1: no product of such matrices overflows, and of any
/// number of them no more is lost than of one.
class Scaled {
 public:
  template <class T>
  Scaled(std::int64_t n, const T* a) : Scaled(n, {a, a + n * n}, 0) {}

  /// How many times the matrix has to be halved for the approximation, by steps 3 to 5 of algorithm
  /// 6.1 of Al-Mohy and Higham 2009: by the sizes of its powers, which for a matrix that is far
  /// from normal are much smaller than the powers of its size.
  int halvings() const {
    const double enough = std::log2(4.25);
    if (!(log2_norm() > enough)) return 0;
    const Scaled a2 = product(*this), a4 = a2.product(a2), a6 = a4.product(a2);
    const double d6 = a6.log2_norm() / 6, d8 = a4.product(a4).log2_norm() / 8,
                 d10 = a4.product(a6).log2_norm() / 10;
    const double d = std::min(std::max(d6, d8), std::max(d8, d10));
    if (!(d < std::numeric_limits<double>::infinity())) return 0;  // NaN
    const int s = std::max(0, int(std::ceil(std::max(d - enough, 0.0))));
    return s + more(s);
  }

 private:
  using Numbers = std::vector<double>;

  Scaled(std::int64_t n, Numbers a, int exponent) : n_(n), a_(std::move(a)), exponent_(exponent) {
    norm_ = norm();
    if (!(norm_ > 0 && norm_ < std::numeric_limits<double>::infinity())) return;
    const int own = std::ilogb(norm_) + 1;
    for (double& v : a_) v = std::ldexp(v, -own);
    norm_ = std::ldexp(norm_, -own);
    exponent_ += own;
  }
  double norm() const {
    double largest = 0;
    for (std::int64_t j = 0; j < n_; ++j) {
      double size = 0;
      for (std::int64_t i = 0; i < n_; ++i) size += std::abs(a_[std::size_t(i * n_ + j)]);
      if (!(size <= largest)) largest = size;
    }
    return largest;
  }
  double log2_norm() const { return std::log2(norm_) + exponent_; }
  Scaled product(const Scaled& b) const {
    Numbers y(a_.size());
    detail::gemm(false, false, n_, n_, n_, a_.data(), b.a_.data(), y.data(), false);
    return {n_, std::move(y), exponent_ + b.exponent_};
  }
  /// How many more halvings than s the first term that the approximation leaves out asks for: c
  /// |a|^27, where c = 1 / (27! binomial(26, 13)).
  int more(int s) const {
    constexpr double log2_c = -116.447;
    Numbers v(std::size_t(n_), 1), next(v);
    double log2_power = 0;
    for (int k = 0; k < 27; ++k) {
      double largest = 0;
      for (std::int64_t j = 0; j < n_; ++j) {
        double& to = next[std::size_t(j)];
        to = 0;
        for (std::int64_t i = 0; i < n_; ++i) {
          to += v[std::size_t(i)] * std::abs(a_[std::size_t(i * n_ + j)]);
        }
        largest = std::max(largest, to);
      }
      if (largest == 0) return 0;
      log2_power += std::log2(largest);
      for (std::int64_t j = 0; j < n_; ++j) v[std::size_t(j)] = next[std::size_t(j)] / largest;
    }
    const double excess =
        log2_c + log2_power - std::log2(norm_) + 26.0 * (exponent_ - s) + 53;  // over 2^-53
    return std::max(0, int(std::ceil(excess / 26)));
  }

  std::int64_t n_;
  Numbers a_;
  int exponent_;
  double norm_ = 0;
};

/// e^a of matrices that need no halving: the approximation of order 13 (Higham 2005).
template <class T>
Tensor<T> exp_of_small(const Tensor<T>& a) {
  constexpr const char* name = op::MatrixExp::name.data();
  const std::int64_t n = detail::Matrices(a.shape()).rows;
  const Tensor<T> one = detail::identity<T>(n);
  const Tensor<T> a2 = matmul(a, a), a4 = matmul(a2, a2), a6 = matmul(a4, a2);
  constexpr double first = 64764752532480000;  // of the coefficients of the numerator
  const auto odd_high = fuse(
      [](auto x6, auto x4, auto x2) {
        return x6 * (1.0 / first) + x4 * (16380.0 / first) + x2 * (40840800.0 / first);
      },
      a6, a4, a2);
  const auto odd_low = fuse(
      [](auto x6, auto x4, auto x2, auto x0) {
        return x6 * (33522128640.0 / first) + x4 * (10559470521600 / first) +
               x2 * (1187353796428800 / first) + x0 * 0.5;
      },
      a6, a4, a2, one);
  const auto even_high = fuse(
      [](auto x6, auto x4, auto x2) {
        return x6 * (182.0 / first) + x4 * (960960.0 / first) + x2 * (1323241920.0 / first);
      },
      a6, a4, a2);
  const auto even_low = fuse(
      [](auto x6, auto x4, auto x2, auto x0) {
        return x6 * (670442572800 / first) + x4 * (129060195264000 / first) +
               x2 * (7771770303897600 / first) + x0;
      },
      a6, a4, a2, one);
  const Tensor<T> odd = matmul(a, matmul(a6, odd_high) + odd_low);
  const Tensor<T> even = matmul(a6, even_high) + even_low;
  const Tensor<T> below = even - odd;
  const auto factors = detail::regular_factors<T>(name, below, detail::lu_factors<T>(name, below));
  return op::Solve::of<T>({}, below, even + odd, factors);
}

/// e^a by halvings and squares.
template <class T>
Tensor<T> exp_by_squares(const Tensor<T>& a) {
  const detail::Matrices all(a.shape());
  const Shape each = detail::batch_of(op::MatrixExp::name, all.batch, {1, 1});
  std::vector<int> halvings(std::size_t(all.count()));
  auto factors = Array<T>::uninitialized(each);
  int least = INT_MAX, most = 0;
  for (std::size_t i = 0; i < halvings.size(); ++i) {
    halvings[i] = Scaled(all.rows, a.data() + std::int64_t(i) * all.size()).halvings();
    factors.mutate()[i] = std::ldexp(T(1), -halvings[i]);
    least = std::min(least, halvings[i]);
    most = std::max(most, halvings[i]);
  }
  Tensor<T> y = exp_of_small(most == 0 ? a : a * factors);
  for (int k = 0; k < most; ++k) {
    const Tensor<T> squared = matmul(y, y);
    if (k < least) {
      y = squared;
      continue;
    }
    auto needs = Array<bool>::uninitialized(each);
    for (std::size_t i = 0; i < halvings.size(); ++i) needs.mutate()[i] = k < halvings[i];
    y = where(needs, squared, y);
  }
  return y;
}

/// Which matrices are upper triangles, as (..., 1, 1).
template <class T>
Array<bool> are_upper(const Tensor<T>& a) {
  const detail::Matrices all(a.shape());
  auto upper = Array<bool>::full(detail::batch_of(op::MatrixExp::name, all.batch, {1, 1}), true);
  for (std::int64_t at = 0; at < a.size(); ++at) {
    const std::int64_t i = at / all.columns % all.rows, j = at % all.columns;
    if (j < i && a.data()[at] != 0) upper.mutate()[at / all.size()] = false;
  }
  return upper;
}

}  // namespace

template <Real T>
Tensor<T> matrix_exp(const Operand<T>& a) {
  constexpr const char* name = op::MatrixExp::name.data();
  detail::check_square(name, Access::shape(a, name));
  const Tensor<T> whole = detail::dense<T>(a, name);
  const Array<bool> upper = are_upper(whole);
  if (std::find(upper.begin(), upper.end(), true) == upper.end()) return exp_by_squares(whole);
  // The pivots of an upper triangle are sought in rows, where a large number would take the place
  // of the diagonal, and leave rounding below it; those of a lower one stay where they are.
  const Tensor<T> y = exp_by_squares(where(upper, detail::swap_last(whole), whole));
  return where(upper, detail::swap_last(y), y);
}
EBB_FOR_REALS(matrix_exp)

}  // namespace ebb::inline v0
