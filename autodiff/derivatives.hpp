// SPDX-License-Identifier: BSD-3-Clause
// Derivatives of functions, one call each. They nest: inside a recording they use its tape and
// their results are recorded; elsewhere they open a tape of their own.
#pragma once
#include <optional>

#include "ebb/autodiff/tape.hpp"

namespace ebb::inline v0 {
namespace detail {

/// A tape for a transform: the one that records, or a new one.
class EBB_API TransformTape {
 public:
  TransformTape();
  bool nested() const { return !own_; }
  /// A fresh place for an argument.
  template <Real T>
  Tensor<T> point(const Operand<T>& x) const;

 private:
  std::optional<Tape> own_;
};

/// The gradient of y at a point, or zeros where y does not depend on it.
template <Real T>
EBB_API Tensor<T> gradient_or_zeros(const Tensor<T>& y, const Tensor<T>& point,
                                    GradOptions options);

}  // namespace detail

template <Real T>
struct ValueAndGradient {
  Tensor<T> value;
  Tensor<T> gradient;
};

/// f(x) and its gradient, of x's shape, for an f that maps a tensor to a single value.
template <class F, Real T>
ValueAndGradient<T> value_and_gradient(F&& f, const Operand<T>& x) {
  const detail::TransformTape tape;
  const Tensor<T> point = tape.point(x);
  const Tensor<T> y = f(point);
  auto g = detail::gradient_or_zeros(y, point, {.create_graph = tape.nested()});
  return {tape.nested() ? y : y.detach(), std::move(g)};
}

/// The gradient of f at x, of x's shape, for an f that maps a tensor to a single value.
template <class F, Real T>
Tensor<T> gradient(F&& f, const Operand<T>& x) {
  return value_and_gradient(std::forward<F>(f), x).gradient;
}

/// The Hessian of f at x times v, without forming it: the gradient of gradient(f) . v (Pearlmutter
/// 1994). v has the shape of x.
template <class F, Real T>
Tensor<T> hvp(F&& f, const Operand<T>& x, const Operand<T>& v) {
  const detail::TransformTape tape;
  const Tensor<T> point = tape.point(x);
  const Tensor<T> g = detail::gradient_or_zeros(Tensor<T>(f(point)), point, {.create_graph = true});
  return detail::gradient_or_zeros(sum(g * v), point, {.create_graph = tape.nested()});
}

}  // namespace ebb::inline v0
