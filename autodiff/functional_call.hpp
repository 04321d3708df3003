// SPDX-License-Identifier: BSD-3-Clause
// A model as a function of its parameters, for gradients through an update of them, such as
// hypergradients and meta-learning.
#pragma once
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "ebb/autodiff/parameters.hpp"
#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {
namespace detail {

/// During its life, operations of this thread use the values in place of the variables.
template <Real T>
class EBB_API Substitution {
 public:
  Substitution(std::span<const Variable<T>> variables, const std::vector<Tensor<T>>& values);
  EBB_INLINE ~Substitution() {}
  Substitution(const Substitution&) = delete;

 private:
  std::vector<Tensor<T>> values_;
  std::vector<Substitutes::Entry> entries_;
  std::optional<SubstitutesFrame> frame_;
};

}  // namespace detail

/// Calls f() so that every operation uses values[i] in place of variables[i], recorded as the value
/// is. Members of a Variable, such as `value()`, are not changed. Calls nest.
/// @throws ShapeError unless every variable has a value of its shape.
template <Real T, class F>
EBB_INLINE auto functional_call(const std::vector<Variable<T>>& variables,
                                const std::vector<Tensor<std::type_identity_t<T>>>& values, F&& f) {
  const detail::Substitution<T> substitution(variables, values);
  return std::forward<F>(f)();
}

/// Calls f() with values in place of all parameters of a model, in the order of `parameters`.
/// @throws ShapeError unless every parameter has a value of its shape.
template <Module M, class F>
EBB_INLINE auto functional_call(M& module,
                                const std::vector<Tensor<typename M::value_type>>& values, F&& f) {
  return functional_call(parameters<typename M::value_type>(module), values, std::forward<F>(f));
}

}  // namespace ebb::inline v0
