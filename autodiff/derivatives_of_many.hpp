// SPDX-License-Identifier: BSD-3-Clause
// Derivatives of functions of several arguments, and of a model's parameters:
//
//     auto [gx, gy] = gradient([](auto x, auto y) { return sum(x * exp(y)); }, x, y);
//     auto g = gradient([&] { return mse_loss(model(x), y); }, model);
//
// The arguments are taken as one vector of all their elements, P in number, so that what
// derivatives.hpp says holds here, too.
#pragma once
#include <array>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/functional_call.hpp"
#include "ebb/autodiff/parts.hpp"

namespace ebb::inline v0 {

/// The value of a function of several arguments, and its gradient with respect to each.
template <Real T, std::size_t n>
struct ValueAndGradients {
  Tensor<T> value;
  std::array<Tensor<T>, n> gradients;
};
/// The value of a function of a list of arguments, and its gradient with respect to each.
template <Real T>
struct ValueAndGradientList {
  Tensor<T> value;
  std::vector<Tensor<T>> gradients;
};

/// The value of a function of several arguments, its gradient, and the product of its Hessian and a
/// vector for each.
template <Real T, std::size_t n>
struct ValueGradientsAndHvps {
  Tensor<T> value;
  std::array<Tensor<T>, n> gradients, hvps;
};
/// The value of a function of a list of arguments, its gradient, and the product of its Hessian and
/// a list of vectors.
template <Real T>
struct ValueGradientAndHvpLists {
  Tensor<T> value;
  std::vector<Tensor<T>> gradients, hvps;
};

namespace detail {

template <class T>
using Tensors = std::vector<Tensor<T>>;
template <class T>
using FunctionOfList = std::function<Tensor<T>(const Tensors<T>&)>;

template <Real T>
EBB_API ValueAndGradientList<T> value_and_gradient(const char* name, const FunctionOfList<T>& f,
                                                   const Tensors<T>& x);
template <Real T>
EBB_API Tensors<T> vjp(const FunctionOfList<T>& f, const Tensors<T>& x, const Operand<T>& v);
template <Real T>
EBB_API Tensor<T> jvp(const FunctionOfList<T>& f, const Tensors<T>& x, const Tensors<T>& u);
template <Real T>
EBB_API Tensor<T> directional_derivative(const FunctionOfList<T>& f, const Tensors<T>& x,
                                         const Tensors<T>& direction);
template <Real T>
EBB_API Tensors<T> jacobian(const FunctionOfList<T>& f, const Tensors<T>& x);
template <Real T>
EBB_API Tensor<T> hessian(const FunctionOfList<T>& f, const Tensors<T>& x);
/// The Hessian as a block for each pair of arguments, row by row.
template <Real T>
EBB_API Tensors<T> hessian_blocks(const FunctionOfList<T>& f, const Tensors<T>& x);
template <Real T>
EBB_API ValueGradientAndHvpLists<T> value_gradient_and_hvp(const char* name,
                                                           const FunctionOfList<T>& f,
                                                           const Tensors<T>& x,
                                                           const Tensors<T>& v);

/// Operands of one element type, at least two.
template <class X, class... Rest>
concept SeveralOperands = AnyOperand<X> && sizeof...(Rest) > 0 &&
                          (std::same_as<typename X::value_type, typename Rest::value_type> && ...);

/// f(x[0], x[1], ...) as a function of a list of n tensors.
template <class T, std::size_t n, class F>
FunctionOfList<T> spread(F& f) {
  return [&f](const Tensors<T>& x) {
    return [&]<std::size_t... k>(std::index_sequence<k...>)->Tensor<T> { return f(x[k]...); }
    (std::make_index_sequence<n>{});
  };
}
/// A list of known length as an array, which structured bindings take apart.
template <std::size_t n, class T>
std::array<Tensor<T>, n> as_array(Tensors<T> list) {
  std::array<Tensor<T>, n> array;
  std::move(list.begin(), list.end(), array.begin());
  return array;
}
template <class X, std::size_t n>
Tensors<typename X::value_type> as_list(const X (&x)[n]) {
  Tensors<typename X::value_type> list;
  for (const X& part : x) list.push_back(argument<typename X::value_type>(part));
  return list;
}

/// The parameters of a model, of the element type of the value of f, and f as a function of them.
template <class F, class M>
struct OfModel {
  using T = typename std::invoke_result_t<F&>::value_type;

  OfModel(F& f, M& model) : variables(parameters<T>(model)) {
    for (const Variable<T>& variable : variables) values.push_back(argument<T>(variable));
    function = [this, &f](const Tensors<T>& x) -> Tensor<T> {
      return functional_call(variables, x, f);
    };
  }
  OfModel(const OfModel&) = delete;

  std::vector<Variable<T>> variables;
  Tensors<T> values;
  FunctionOfList<T> function;
};

}  // namespace detail

// Several arguments of one element type. The function is called with as many tensors.

/// f(x, ...) and its gradient with respect to each argument. f must return a single value.
template <class F, class X, class... Rest>
requires detail::SeveralOperands<X, Rest...>
auto value_and_gradient(F&& f, const X& x, const Rest&... rest) {
  using T = typename X::value_type;
  constexpr std::size_t n = 1 + sizeof...(Rest);
  auto result =
      detail::value_and_gradient<T>("value_and_gradient", detail::spread<T, n>(f),
                                    {detail::argument<T>(x), detail::argument<T>(rest)...});
  return ValueAndGradients<T, n>{result.value, detail::as_array<n>(std::move(result.gradients))};
}
/// The gradients of f with respect to each argument. f must return a single value.
template <class F, class X, class... Rest>
requires detail::SeveralOperands<X, Rest...>
auto gradient(F&& f, const X& x, const Rest&... rest) {
  using T = typename X::value_type;
  constexpr std::size_t n = 1 + sizeof...(Rest);
  return detail::as_array<n>(
      detail::value_and_gradient<T>("gradient", detail::spread<T, n>(f),
                                    {detail::argument<T>(x), detail::argument<T>(rest)...})
          .gradients);
}
/// The Jacobians of f with respect to each argument.
template <class F, class X, class... Rest>
requires detail::SeveralOperands<X, Rest...>
auto jacobian(F&& f, const X& x, const Rest&... rest) {
  using T = typename X::value_type;
  constexpr std::size_t n = 1 + sizeof...(Rest);
  return detail::as_array<n>(detail::jacobian<T>(
      detail::spread<T, n>(f), {detail::argument<T>(x), detail::argument<T>(rest)...}));
}
/// The Jacobians of each row of f(x, ...) by the same row of each argument: (n, outputs, inputs).
/// All have n rows, which must be independent: see `row_jacobian(f, x)`.
template <class F, class X, class... Rest>
requires detail::SeveralOperands<X, Rest...>
auto row_jacobian(F&& f, const X& x, const Rest&... rest) {
  using T = typename X::value_type;
  constexpr std::size_t n = 1 + sizeof...(Rest);
  return detail::as_array<n>(detail::row_jacobian<T>(
      detail::spread<T, n>(f), {detail::argument<T>(x), detail::argument<T>(rest)...}));
}
/// The blocks of the Hessian: `hessian(f, x, y)[0][1]` has the derivatives by x and y, with the
/// axes of x followed by those of y.
template <class F, class X, class... Rest>
requires detail::SeveralOperands<X, Rest...>
auto hessian(F&& f, const X& x, const Rest&... rest) {
  using T = typename X::value_type;
  constexpr std::size_t n = 1 + sizeof...(Rest);
  auto list = detail::hessian_blocks<T>(detail::spread<T, n>(f),
                                        {detail::argument<T>(x), detail::argument<T>(rest)...});
  std::array<std::array<Tensor<T>, n>, n> blocks;
  for (std::size_t i = 0; i < n * n; ++i) blocks[i / n][i % n] = std::move(list[i]);
  return blocks;
}
/// v^T J for each of several arguments: `vjp(f, {x, y}, v)`
template <class F, detail::AnyOperand X, std::size_t n>
requires(n > 1) auto vjp(F&& f, const X (&x)[n], const Operand<typename X::value_type>& v) {
  using T = typename X::value_type;
  return detail::as_array<n>(detail::vjp<T>(detail::spread<T, n>(f), detail::as_list(x), v));
}
/// J u for a tangent of each argument: `jvp(f, {x, y}, {u, w})`
template <class F, detail::AnyOperand X, detail::AnyOperand U, std::size_t n>
requires(n > 1) auto jvp(F&& f, const X (&x)[n], const U (&u)[n]) {
  using T = typename X::value_type;
  return detail::jvp<T>(detail::spread<T, n>(f), detail::as_list(x), detail::as_list(u));
}
/// The slope of f in a direction of each argument: `directional_derivative(f, {x, y}, {u, w})`
template <class F, detail::AnyOperand X, detail::AnyOperand U, std::size_t n>
requires(n > 1) auto directional_derivative(F&& f, const X (&x)[n], const U (&u)[n]) {
  using T = typename X::value_type;
  return detail::directional_derivative<T>(detail::spread<T, n>(f), detail::as_list(x),
                                           detail::as_list(u));
}
/// The product of the Hessian and a vector for each argument: `hvp(f, {x, y}, {v, w})`
template <class F, detail::AnyOperand X, detail::AnyOperand V, std::size_t n>
requires(n > 1) auto hvp(F&& f, const X (&x)[n], const V (&v)[n]) {
  using T = typename X::value_type;
  return detail::as_array<n>(detail::value_gradient_and_hvp<T>("hvp", detail::spread<T, n>(f),
                                                               detail::as_list(x),
                                                               detail::as_list(v))
                                 .hvps);
}
/// f(x, ...), its gradients, and the product of the Hessian and a vector for each argument:
/// `value_gradient_and_hvp(f, {x, y}, {v, w})`
template <class F, detail::AnyOperand X, detail::AnyOperand V, std::size_t n>
requires(n > 1) auto value_gradient_and_hvp(F&& f, const X (&x)[n], const V (&v)[n]) {
  using T = typename X::value_type;
  auto lists = detail::value_gradient_and_hvp<T>("value_gradient_and_hvp", detail::spread<T, n>(f),
                                                 detail::as_list(x), detail::as_list(v));
  return ValueGradientsAndHvps<T, n>{lists.value, detail::as_array<n>(std::move(lists.gradients)),
                                     detail::as_array<n>(std::move(lists.hvps))};
}

// Lists whose length is known at run time. The function is called with a list.

/// f(x) and its gradient with respect to each tensor of the list x.
template <class F, Real T>
ValueAndGradientList<T> value_and_gradient(F&& f, const std::vector<Tensor<T>>& x) {
  return detail::value_and_gradient<T>("value_and_gradient", std::ref(f), x);
}
/// The gradients of f with respect to each tensor of the list x.
template <class F, Real T>
std::vector<Tensor<T>> gradient(F&& f, const std::vector<Tensor<T>>& x) {
  return detail::value_and_gradient<T>("gradient", std::ref(f), x).gradients;
}
/// The Jacobians of f with respect to each tensor of the list x.
template <class F, Real T>
std::vector<Tensor<T>> jacobian(F&& f, const std::vector<Tensor<T>>& x) {
  return detail::jacobian<T>(std::ref(f), x);
}
/// All second derivatives of f by the elements of the list x, in its order: (P, P).
template <class F, Real T>
Tensor<T> hessian(F&& f, const std::vector<Tensor<T>>& x) {
  return detail::hessian<T>(std::ref(f), x);
}
/// v^T J for each tensor of the list x, for v of the shape of f(x).
template <class F, Real T>
std::vector<Tensor<T>> vjp(F&& f, const std::vector<Tensor<T>>& x, const Operand<T>& v) {
  return detail::vjp<T>(std::ref(f), x, v);
}
/// J u, of the shape of f(x), for a list u of the shapes of x.
template <class F, Real T>
Tensor<T> jvp(F&& f, const std::vector<Tensor<T>>& x, const std::vector<Tensor<T>>& u) {
  return detail::jvp<T>(std::ref(f), x, u);
}
/// The slope of f in a direction, a list u of the shapes of x.
template <class F, Real T>
Tensor<T> directional_derivative(F&& f, const std::vector<Tensor<T>>& x,
                                 const std::vector<Tensor<T>>& u) {
  return detail::directional_derivative<T>(std::ref(f), x, u);
}
/// The product of the Hessian and a list v of the shapes of x.
template <class F, Real T>
std::vector<Tensor<T>> hvp(F&& f, const std::vector<Tensor<T>>& x,
                           const std::vector<Tensor<T>>& v) {
  return detail::value_gradient_and_hvp<T>("hvp", std::ref(f), x, v).hvps;
}
/// f(x), its gradients, and the product of the Hessian and a list v of the shapes of x.
template <class F, Real T>
ValueGradientAndHvpLists<T> value_gradient_and_hvp(F&& f, const std::vector<Tensor<T>>& x,
                                                   const std::vector<Tensor<T>>& v) {
  return detail::value_gradient_and_hvp<T>("value_gradient_and_hvp", std::ref(f), x, v);
}

// The parameters of a model, in the order of `parameters<T>(model)`, where T is the element type of
// f(), which is called without arguments. The gradients of its Variables do not change.

/// f() and its gradient with respect to each parameter. f must return a single value.
template <class F, HasParts M>
auto value_and_gradient(F&& f, M& model) {
  const detail::OfModel<F, M> of(f, model);
  return detail::value_and_gradient("value_and_gradient", of.function, of.values);
}
/// The gradients of f with respect to each parameter. f must return a single value.
template <class F, HasParts M>
auto gradient(F&& f, M& model) {
  const detail::OfModel<F, M> of(f, model);
  return detail::value_and_gradient("gradient", of.function, of.values).gradients;
}
/// The Jacobians of f with respect to each parameter.
template <class F, HasParts M>
auto jacobian(F&& f, M& model) {
  const detail::OfModel<F, M> of(f, model);
  return detail::jacobian(of.function, of.values);
}
/// All second derivatives of f by the elements of all parameters: (P, P).
template <class F, HasParts M>
auto hessian(F&& f, M& model) {
  const detail::OfModel<F, M> of(f, model);
  return detail::hessian(of.function, of.values);
}
/// v^T J for each parameter, for v of the shape of f().
template <class F, HasParts M, Real T>
auto vjp(F&& f, M& model, const Operand<T>& v) {
  const detail::OfModel<F, M> of(f, model);
  return detail::vjp(of.function, of.values, v);
}
/// J u, of the shape of f(), for a list u of the shapes of the parameters.
template <class F, HasParts M, Real T>
auto jvp(F&& f, M& model, const std::vector<Tensor<T>>& u) {
  const detail::OfModel<F, M> of(f, model);
  return detail::jvp(of.function, of.values, u);
}
/// The slope of f() in a direction, a list u of the shapes of the parameters.
template <class F, HasParts M, Real T>
auto directional_derivative(F&& f, M& model, const std::vector<Tensor<T>>& u) {
  const detail::OfModel<F, M> of(f, model);
  return detail::directional_derivative(of.function, of.values, u);
}
/// The product of the Hessian and a list v of the shapes of the parameters.
template <class F, HasParts M, Real T>
auto hvp(F&& f, M& model, const std::vector<Tensor<T>>& v) {
  const detail::OfModel<F, M> of(f, model);
  return detail::value_gradient_and_hvp("hvp", of.function, of.values, v).hvps;
}
/// f(), its gradients, and the product of the Hessian and a list v of the shapes of the parameters.
template <class F, HasParts M, Real T>
auto value_gradient_and_hvp(F&& f, M& model, const std::vector<Tensor<T>>& v) {
  const detail::OfModel<F, M> of(f, model);
  return detail::value_gradient_and_hvp("value_gradient_and_hvp", of.function, of.values, v);
}

}  // namespace ebb::inline v0
