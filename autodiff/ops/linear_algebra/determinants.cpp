// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/linear_algebra/determinants.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include "ebb/autodiff/kernels/blas.hpp"
#include "ebb/autodiff/kernels/lapack.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace op {
namespace {

/// The singular value decomposition of a matrix a = u diag(s) vh. A determinant is that of diag(s)
/// times those of u and vh, so that its derivatives are those of diag(s) along turned directions.
template <class T>
struct SingularFactors {
  std::int64_t n;
  Array<T> u, s, vh;
  double sign;  ///< det(u) det(vh)

  SingularFactors(std::int64_t size, const T* a) : n(size) {
    auto used = Array<T>::uninitialized({n, n});
    u = vh = used;
    s = Array<T>::uninitialized({n});
    std::copy_n(a, n * n, used.mutate());
    if (!detail::decompose_singular(n, n, used.mutate(), u.mutate(), s.mutate(), vh.mutate())) {
      throw ArgumentError("det: the iteration of LAPACK for the cofactors did not converge; a is " +
                          to_string(used.shape()));
    }
    const double det = detail::determinant(detail::lu_factors<T>("det", u)) *
                       detail::determinant(detail::lu_factors<T>("det", vh));
    sign = det < 0 ? -1 : 1;
  }
  /// u^T x vh^T
  Array<T> turn(const T* x) const {
    auto left = Array<T>::uninitialized({n, n}), y = left;
    detail::product(true, false, n, n, n, u.data(), x, left.mutate(), false);
    detail::product(false, true, n, n, n, left.data(), vh.data(), y.mutate(), false);
    return y;
  }
  /// y = u x vh
  void turn_back(const Array<T>& x, T* y) const {
    auto left = Array<T>::uninitialized({n, n});
    detail::product(false, false, n, n, n, u.data(), x.data(), left.mutate(), false);
    detail::product(false, false, n, n, n, left.data(), vh.data(), y, false);
  }
};

/// 1 or -1.
double sign_of(const std::vector<std::size_t>& permutation) {
  double sign = 1;
  for (std::size_t i = 0; i < permutation.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) sign = permutation[j] > permutation[i] ? -sign : sign;
  }
  return sign;
}

/// The derivatives of the determinant of diag(s) by Leibniz' formula: of the factors of each term,
/// one is from each direction, one is the element that the gradient is for, and all others are on
/// the diagonal.
template <class T>
struct Expansion {
  const SingularFactors<T>& f;
  std::vector<Array<T>> directions;

  std::size_t order() const { return directions.size(); }
  /// The elements of the gradient (n, n).
  Array<T> gradient() const {
    std::vector<double> sums(std::size_t(f.n * f.n), 0);
    // The rows of the directions, then that of the element: all choices of different ones.
    std::vector<std::int64_t> rows(order() + 1, 0);
    for (std::size_t k = 0; k < rows.size();) {
      add(rows, sums.data());
      for (k = 0; k < rows.size() && ++rows[k] == f.n; ++k) rows[k] = 0;
    }
    auto y = Array<T>::uninitialized({f.n, f.n});
    std::transform(sums.begin(), sums.end(), y.mutate(), [](double x) { return T(x); });
    return y;
  }
  /// The terms of one choice of rows, for every order of their columns.
  void add(const std::vector<std::int64_t>& rows, double* sums) const {
    for (std::size_t k = 0; k < rows.size(); ++k) {
      if (std::find(rows.begin(), rows.begin() + std::ptrdiff_t(k), rows[k]) !=
          rows.begin() + std::ptrdiff_t(k)) {
        return;
      }
    }
    double others = f.sign;
    for (std::int64_t i = 0; i < f.n; ++i) {
      if (std::find(rows.begin(), rows.end(), i) == rows.end()) others *= double(f.s[i]);
    }
    std::vector<std::size_t> columns(rows.size());
    std::iota(columns.begin(), columns.end(), std::size_t(0));
    do {
      double term = others * sign_of(columns);
      for (std::size_t k = 0; k < order(); ++k) {
        term *= double(directions[k](rows[k], rows[columns[k]]));
      }
      sums[rows.back() * f.n + rows[columns.back()]] += term;
    } while (std::next_permutation(columns.begin(), columns.end()));
  }
};

}  // namespace

template <class T>
detail::Block* Cofactors::forward(const Options&, detail::Block* a) {
  const std::int64_t order = a->shape[0] - 1, count = a->shape[1], n = a->shape[2];
  detail::BlockHandle y(detail::allocate({count, n, n}, sizeof(T)));
  for (std::int64_t i = 0; i < count && n > 0; ++i) {
    const SingularFactors<T> f(n, a->data<T>() + i * n * n);
    Expansion<T> expansion{f, {}};
    for (std::int64_t k = 1; k <= order; ++k) {
      expansion.directions.push_back(f.turn(a->data<T>() + (k * count + i) * n * n));
    }
    f.turn_back(expansion.gradient(), y->data<T>() + i * n * n);
  }
  return y.take();
}
EBB_FOR_REALS(Cofactors::forward)

}  // namespace op

template <Real T>
Tensor<T> det(const Operand<T>& a) {
  return detail::apply<op::Det, T>({}, a, detail::lu_factors("det", a));
}
EBB_FOR_REALS(det)

namespace {

template <class T>
SignAndLog<T> sign_and_log(const char* name, const Operand<T>& a) {
  const auto factors = detail::lu_factors(name, a);
  const auto y = detail::apply<op::Slogdet, T>({}, a, factors);
  const Shape batch = detail::Matrices(factors.shape()).batch;
  const auto part = [&](std::int64_t i) { return reshape(slice(y, -1, {i, i + 1}), batch); };
  return {part(0), part(1)};
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
