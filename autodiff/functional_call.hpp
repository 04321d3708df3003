// SPDX-License-Identifier: BSD-3-Clause
// A model as a function of its parameters: for gradients through an update of them, as
// hypergradients and meta-learning need.
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

/// While it lives, the variables stand for the values on this thread.
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

/// f(), where every operation takes values[i] for variables[i], recorded where that value is. What
/// a Variable itself tells, `value()` for one, stays as it was; calls nest.
/// @throws ShapeError unless there is a value of the same shape for every variable.
template <Real T, class F>
EBB_INLINE auto functional_call(const std::vector<Variable<T>>& variables,
                                const std::vector<Tensor<std::type_identity_t<T>>>& values, F&& f) {
  const detail::Substitution<T> substitution(variables, values);
  return std::forward<F>(f)();
}

/// The same for all parameters of a model, in the order of `parameters`.
template <Module M, class F>
EBB_INLINE auto functional_call(M& module,
                                const std::vector<Tensor<typename M::value_type>>& values, F&& f) {
  return functional_call(parameters<typename M::value_type>(module), values, std::forward<F>(f));
}

}  // namespace ebb::inline v0
