// SPDX-License-Identifier: BSD-3-Clause
// Derivatives of functions, one call each. Calls nest: inside a recording they use its tape, and
// their results are recorded; otherwise they open a tape. The argument becomes a new leaf, so that
// `gradient([&](auto y) { return y * x; }, x)` is x.
//
// A function takes a tensor and returns a tensor; any lambda will do, generic or not. If its value
// does not depend on the argument, the derivatives are zeros.
#pragma once
#include <functional>
#include <vector>

#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/number.hpp"

namespace ebb::inline v0 {

template <Real T>
struct ValueAndGradient {
  Tensor<T> value;
  Tensor<T> gradient;
};

template <Real T>
struct ValueGradientAndHvp {
  Tensor<T> value;
  Tensor<T> gradient;
  Tensor<T> hvp;
};

namespace detail {

template <class T>
using FunctionOf = std::function<Tensor<T>(const Tensor<T>&)>;
template <class T>
using FunctionOfTensors = std::function<Tensor<T>(const std::vector<Tensor<T>>&)>;
template <class T>
using RowsFunction = std::function<Tensor<T>(std::int64_t row)>;

/// A number as the argument of a transform.
template <PlainNumber X>
EBB_INLINE auto scalar(X x) {
  using T = std::conditional_t<std::same_as<X, float>, float, double>;
  return Array<T>(T(x));
}

// The functions that the calls below share; `name` is that of the call, for errors.
template <Real T>
EBB_API ValueAndGradient<T> value_and_gradient(const char* name, const FunctionOf<T>& f,
                                               const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> directional_derivative(const FunctionOf<T>& f, const Operand<T>& x,
                                         const Operand<T>& direction);
template <Real T>
EBB_API Tensor<T> vjp(const FunctionOf<T>& f, const Operand<T>& x, const Operand<T>& v);
template <Real T>
EBB_API Tensor<T> jvp(const FunctionOf<T>& f, const Operand<T>& x, const Operand<T>& u);
template <Real T>
EBB_API Tensor<T> jacobian(const FunctionOf<T>& f, const Operand<T>& x);
template <Real T>
EBB_API Tensor<T> hessian(const FunctionOf<T>& f, const Operand<T>& x);
/// An argument as a tensor; the value of a variable if no tape records.
template <Real T>
EBB_API Tensor<T> argument(const Operand<T>& x);
template <Real T>
EBB_API std::vector<Tensor<T>> row_jacobian(const FunctionOfTensors<T>& f,
                                            const std::vector<Tensor<T>>& arguments);
template <Real T>
EBB_API ValueGradientAndHvp<T> value_gradient_and_hvp(const char* name, const FunctionOf<T>& f,
                                                      const Operand<T>& x, const Operand<T>& v);
template <Real T>
EBB_API std::vector<Array<T>> per_sample_gradients(const RowsFunction<T>& loss_of_row,
                                                   std::int64_t rows,
                                                   const std::vector<GradientOf<T>>& inputs);
template <Real T>
EBB_API std::vector<Array<T>> per_sample_gradients(const std::function<Tensor<T>()>& losses,
                                                   const std::vector<GradientOf<T>>& inputs);
/// @throws ShapeError unless x and y have the same number of rows.
EBB_API std::int64_t common_rows(const char* name, const Shape& x, const Shape& y);

}  // namespace detail

/// f(x) and its gradient, of the shape of x. f must return a single value.
template <class F, Real T>
EBB_INLINE ValueAndGradient<T> value_and_gradient(F&& f, const Operand<T>& x) {
  return detail::value_and_gradient<T>("value_and_gradient", std::ref(f), x);
}

/// f and its derivative at a number, taken as double unless it is a float.
template <class F, detail::PlainNumber X>
EBB_INLINE auto value_and_gradient(F&& f, X x) {
  return value_and_gradient(f, detail::scalar(x));
}

/// The gradient of f at x, of the shape of x. f must return a single value.
template <class F, Real T>
EBB_INLINE Tensor<T> gradient(F&& f, const Operand<T>& x) {
  return detail::value_and_gradient<T>("gradient", std::ref(f), x).gradient;
}

/// The derivative of f at a number, taken as double unless it is a float: `gradient(f, 0.5)`
template <class F, detail::PlainNumber X>
EBB_INLINE auto gradient(F&& f, X x) {
  return gradient(f, detail::scalar(x));
}

/// The slope of f at x in a direction of the shape of x: gradient . direction, a single value. It
/// is the change per unit of length if the direction has length 1.
template <class F, Real T>
EBB_INLINE Tensor<T> directional_derivative(F&& f, const Operand<T>& x,
                                            const Operand<T>& direction) {
  return detail::directional_derivative<T>(std::ref(f), x, direction);
}

/// v^T J, of the shape of x, for v of the shape of f(x). It takes one sweep.
template <class F, Real T>
EBB_INLINE Tensor<T> vjp(F&& f, const Operand<T>& x, const Operand<T>& v) {
  return detail::vjp<T>(std::ref(f), x, v);
}

/// J u, of the shape of f(x), for u of the shape of x. If every step of f is elementwise, J is
/// diagonal and one sweep computes it. Otherwise two reverse sweeps: the derivative of
/// v -> v^T J u, which is linear in v.
template <class F, Real T>
EBB_INLINE Tensor<T> jvp(F&& f, const Operand<T>& x, const Operand<T>& u) {
  return detail::jvp<T>(std::ref(f), x, u);
}

/// All partial derivatives: J[i..., j...] = df(x)[i...] / dx[j...], with the axes of f(x) followed
/// by those of x. It takes a direction for each element of f(x) or of x, whichever has fewer; a
/// sweep takes as many directions together as fit the cache, but one inside a recording.
/// @throws ShapeError for more than six axes in total.
template <class F, Real T>
EBB_INLINE Tensor<T> jacobian(F&& f, const Operand<T>& x) {
  return detail::jacobian<T>(std::ref(f), x);
}

/// The Jacobian of each row, (n, outputs, inputs), of an f from x (n, inputs) to f(x) (n, outputs),
/// whose rows must be independent: row i of f(x) depends on row i of x alone, as in a network
/// without batch normalisation, or its derivatives by the other rows are added to these. For f(x)
/// or x of shape (n,) the result lacks the axis of outputs or inputs; rows may have more axes. It
/// takes as many directions as there are outputs or inputs, whichever are fewer, for any n.
/// @throws ShapeError unless x and f(x) have n rows, and for more than six axes in total.
template <class F, Real T>
EBB_INLINE Tensor<T> row_jacobian(F&& f, const Operand<T>& x) {
  return detail::row_jacobian<T>([&f](const auto& points) { return Tensor<T>(f(points[0])); },
                                 {detail::argument<T>(x)})[0];
}

/// All second derivatives of f, which must return a single value, with the axes of x twice. It
/// takes a direction for each element of x, many together as in `jacobian`.
/// @throws ShapeError for more than six axes in total.
template <class F, Real T>
EBB_INLINE Tensor<T> hessian(F&& f, const Operand<T>& x) {
  return detail::hessian<T>(std::ref(f), x);
}

/// The second derivative of f at a number, taken as double unless it is a float.
template <class F, detail::PlainNumber X>
EBB_INLINE auto hessian(F&& f, X x) {
  return hessian(f, detail::scalar(x));
}

/// The product of the Hessian of f at x and v, of the shape of x, without forming the Hessian: the
/// gradient of gradient(f) . v (Pearlmutter 1994).
template <class F, Real T>
EBB_INLINE Tensor<T> hvp(F&& f, const Operand<T>& x, const Operand<T>& v) {
  return detail::value_gradient_and_hvp<T>("hvp", std::ref(f), x, v).hvp;
}

/// f(x), its gradient, and the product of its Hessian and v, from one recording: what a Newton
/// method by conjugate gradients computes in a step.
template <class F, Real T>
EBB_INLINE ValueGradientAndHvp<T> value_gradient_and_hvp(F&& f, const Operand<T>& x,
                                                         const Operand<T>& v) {
  return detail::value_gradient_and_hvp<T>("value_gradient_and_hvp", std::ref(f), x, v);
}

/// The gradient of the loss of each row alone: for every input, an array with one more axis in
/// front, for the n rows. `loss(x, y)` is called with one row after the other, each of shape (1,
/// ...), on a new tape. The gradients of variables and watched tensors do not change.
/// @throws ShapeError if x and y differ in rows, and if a loss is not a single value.
template <class F, Real T, class U>
EBB_INLINE std::vector<Array<T>> per_sample_gradients(
    const F& loss, const std::vector<GradientOf<std::type_identity_t<T>>>& inputs,
    const Array<T>& x, const Array<U>& y) {
  return detail::per_sample_gradients<T>(
      [&](std::int64_t row) {
        return Tensor<T>(loss(x.leading(row, row + 1), y.leading(row, row + 1)));
      },
      detail::common_rows("per_sample_gradients", x.shape(), y.shape()), inputs);
}

/// The gradient of the loss of each row alone, from one recording of all: `losses()` returns the n
/// losses of a batch, (n,). Every input gets an array with one more axis in front, for the n rows.
/// It takes a direction for each row, each through the whole batch, so that the time grows with the
/// square of n: less than half of that of a recording for each row for 16 small rows, more than it
/// from some fifty on. The gradients of the variables do not change.
/// @throws ShapeError unless the losses have one axis; TapeError for an input that is no variable.
template <class F>
requires std::invocable<const F&> EBB_INLINE auto per_sample_gradients(
    const F& losses,
    const std::vector<GradientOf<typename std::invoke_result_t<const F&>::value_type>>& inputs) {
  using T = typename std::invoke_result_t<const F&>::value_type;
  return detail::per_sample_gradients<T>(std::function<Tensor<T>()>(std::cref(losses)), inputs);
}

}  // namespace ebb::inline v0
