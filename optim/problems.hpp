// SPDX-License-Identifier: BSD-3-Clause
// Functions with known minima, to try methods on. Each is an object that is called with an array, a
// tensor or a variable of its shape, and knows a start, an optimum and its value there.
#pragma once
#include <cstdint>

#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"

namespace ebb::inline v0::optim::problems {

/// x . A x / 2 with the eigenvalues of A at equal ratios from 1 / condition to 1, in a basis that
/// is turned by reflections, so that no axis is an eigenvector.
struct EBB_API Quadratic {
  std::int64_t size = 2;
  double condition = 10;  ///< at least 1

  Array<double> matrix() const;
  Array<double> start() const { return Array<double>::ones({size}); }
  Array<double> optimum() const { return Array<double>::zeros({size}); }
  static constexpr double minimum = 0;
  /// The largest and the smallest eigenvalue: the Lipschitz constant of the gradient, and the
  /// constant of strong convexity.
  double lipschitz() const { return 1; }
  double convexity() const { return 1 / condition; }
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const {
    const auto a = matrix();
    auto narrow = Array<T>::uninitialized(a.shape());
    for (std::int64_t i = 0; i < a.size(); ++i) narrow.mutate()[i] = T(a[i]);
    return T(0.5) * dot(x, matmul(narrow, x));
  }
};

/// A function of a few numbers with a start and an optimum.
#define EBB_PROBLEM(least, from, to)                              \
  static Array<double> start() { return Array<double>::of from; } \
  static Array<double> optimum() { return Array<double>::of to; } \
  static constexpr double minimum = least;

/// sum of 100 (x_(i+1) - x_i^2)^2 + (1 - x_i)^2 (Rosenbrock 1960): a bent valley.
struct Rosenbrock {
  EBB_PROBLEM(0, ({-1.2, 1}), ({1, 1}))
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const {
    const std::int64_t n = x.shape()[0];
    const auto low = slice(x, 0, {0, n - 1}), high = slice(x, 0, {1, n});
    return sum(T(100) * square(high - square(low)) + square(T(1) - low));
  }
};

/// (1.5 - x + x y)^2 + (2.25 - x + x y^2)^2 + (2.625 - x + x y^3)^2 (Beale 1958).
struct Beale {
  EBB_PROBLEM(0, ({1, 1}), ({3, 0.5}))
  template <Real T>
  Tensor<T> operator()(const Operand<T>& p) const {
    const auto x = p[0], y = p[1];
    return square(T(1.5) - x + x * y) + square(T(2.25) - x + x * square(y)) +
           square(T(2.625) - x + x * y * square(y));
  }
};

/// (x^2 + y - 11)^2 + (x + y^2 - 7)^2 (Himmelblau 1972): four minima of 0, one of them at (3, 2).
struct Himmelblau {
  EBB_PROBLEM(0, ({2.5, 2.5}), ({3, 2}))
  template <Real T>
  Tensor<T> operator()(const Operand<T>& p) const {
    const auto x = p[0], y = p[1];
    return square(square(x) + y - T(11)) + square(x + square(y) - T(7));
  }
};

/// (x_1 + 10 x_2)^2 + 5 (x_3 - x_4)^2 + (x_2 - 2 x_3)^4 + 10 (x_1 - x_4)^4 (Powell 1962): the
/// Hessian is singular at the optimum.
struct PowellSingular {
  EBB_PROBLEM(0, ({3, -1, 0, 1}), ({0, 0, 0, 0}))
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const {
    return square(x[0] + T(10) * x[1]) + T(5) * square(x[2] - x[3]) +
           square(square(x[1] - T(2) * x[2])) + T(10) * square(square(x[0] - x[3]));
  }
};

/// 100 (x_1^2 - x_2)^2 + (x_1 - 1)^2 + 90 (x_3^2 - x_4)^2 + (x_3 - 1)^2 + 10.1 ((x_2 - 1)^2 +
/// (x_4 - 1)^2) + 19.8 (x_2 - 1) (x_4 - 1) (Colville 1968, called Wood's function).
struct Wood {
  EBB_PROBLEM(0, ({-3, -1, -3, -1}), ({1, 1, 1, 1}))
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const {
    const auto one = T(1);
    return T(100) * square(square(x[0]) - x[1]) + square(x[0] - one) +
           T(90) * square(square(x[2]) - x[3]) + square(x[2] - one) +
           T(10.1) * (square(x[1] - one) + square(x[3] - one)) +
           T(19.8) * (x[1] - one) * (x[3] - one);
  }
};

/// (x + 2 y - 7)^2 + (2 x + y - 5)^2, Booth's function.
struct Booth {
  EBB_PROBLEM(0, ({-5, 5}), ({1, 3}))
  template <Real T>
  Tensor<T> operator()(const Operand<T>& p) const {
    const auto x = p[0], y = p[1];
    return square(x + T(2) * y - T(7)) + square(T(2) * x + y - T(5));
  }
};

/// (x^2 - 1)^2 + x / 4 + y^2 / 2: two wells, the deeper one on the left, and a saddle between them.
struct TwoWells {
  EBB_PROBLEM(-0.25379123722046887, ({-1.2, 1}), ({-1.0298959850506604, 0}))
  template <Real T>
  Tensor<T> operator()(const Operand<T>& p) const {
    const auto x = p[0], y = p[1];
    return square(square(x) - T(1)) + x * T(0.25) + square(y) * T(0.5);
  }
};

/// The mean logistic loss of made-up rows x (n, d), with labels that a known weight has drawn, plus
/// penalty / 2 |w|^2: strongly convex, with no closed form.
struct EBB_API Logistic {
  std::int64_t rows = 200, size = 3;
  double penalty = 0.01;  ///< at least 0

  Array<double> features() const;
  Array<double> labels() const;  ///< 0 and 1
  Array<double> start() const { return Array<double>::zeros({size}); }
  template <Real T>
  Tensor<T> operator()(const Operand<T>& w) const {
    const auto z = matmul(cast_to<T>(features()), w);
    return bce_with_logits(z, cast_to<T>(labels())) + T(penalty / 2) * sum(square(w));
  }

 private:
  template <Real T>
  static Array<T> cast_to(const Array<double>& x) {
    auto y = Array<T>::uninitialized(x.shape());
    for (std::int64_t i = 0; i < x.size(); ++i) y.mutate()[i] = T(x[i]);
    return y;
  }
};

#undef EBB_PROBLEM

}  // namespace ebb::inline v0::optim::problems
