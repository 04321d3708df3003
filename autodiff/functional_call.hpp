// SPDX-License-Identifier: BSD-3-Clause
// A model as a function of its parameters, for gradients through an update of them, such as
// hypergradients and meta-learning.
#pragma once
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "ebb/autodiff/parts.hpp"
#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {
namespace detail {

/// During its life, operations of this thread use the values in place of the variables.
template <Real T>
class EBB_API FunctionalCall {
 public:
  FunctionalCall(std::span<const Variable<T>> variables, const std::vector<Tensor<T>>& values);
  EBB_INLINE ~FunctionalCall() {}
  FunctionalCall(const FunctionalCall&) = delete;

 private:
  std::vector<Tensor<T>> values_;
  std::vector<Substitution::Entry> entries_;
  std::optional<SubstitutionScope> scope_;
};

}  // namespace detail

/// Calls f() so that every operation uses values[i] in place of variables[i], recorded as the value
/// is. Members of a Variable, such as `value()`, are not changed. Calls nest.
/// @throws ShapeError unless every variable has a value of its shape.
template <Real T, class F>
EBB_INLINE auto functional_call(const std::vector<Variable<T>>& variables,
                                const std::vector<Tensor<std::type_identity_t<T>>>& values, F&& f) {
  const detail::FunctionalCall<T> call(variables, values);
  return std::forward<F>(f)();
}

/// Calls f() with values in place of all parameters of element type T of a model, in the order of
/// `parameters<T>(model)`. Parameters of the other type stay as they are.
/// @throws ShapeError unless every parameter of type T has a value of its shape.
template <class M, Real T, class F>
requires(!detail::List<M>) EBB_INLINE
    auto functional_call(M& model, const std::vector<Tensor<T>>& values, F&& f) {
  return functional_call(parameters<T>(model), values, std::forward<F>(f));
}

template <class M, Real T, class F>
requires(!detail::List<M>) EBB_INLINE
    auto functional_call(M& model, std::initializer_list<Tensor<T>> values, F&& f) {
  return functional_call(model, std::vector<Tensor<T>>(values), std::forward<F>(f));
}

}  // namespace ebb::inline v0
