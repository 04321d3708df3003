// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/functional_call.hpp"

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::detail {

constinit thread_local const Substitution* current_substitution = nullptr;

const Substitution::Entry* Substitution::find(const void* cell) {
  for (const Substitution* call = current_substitution; call; call = call->outer) {
    for (const Entry& entry : call->entries) {
      if (entry.cell == cell) return &entry;
    }
  }
  return nullptr;
}

template <Real T>
FunctionalCall<T>::FunctionalCall(std::span<const Variable<T>> variables,
                                  const std::vector<Tensor<T>>& values)
    : values_(values) {
  if (variables.size() != values.size()) {
    throw ShapeError("functional_call: " + std::to_string(values.size()) + " values for " +
                     std::to_string(variables.size()) + " variables");
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Variable<T>& variable = variables[i];
    if (values[i].empty() || !(values[i].shape() == variable.shape())) {
      throw ShapeError("functional_call: value " + std::to_string(i) +
                       (values[i].empty() ? " is an empty tensor"
                                          : " has shape " + to_string(values[i].shape())) +
                       ", but its variable " +
                       (variable.label().empty() ? "" : '"' + variable.label() + "\" ") +
                       "has shape " + to_string(variable.shape()));
    }
    entries_.push_back({Access::cell(variable), sizeof(T) == 8, Access::block(values_[i]),
                        Access::place(values_[i])});
  }
  scope_.emplace(entries_);
}

template class FunctionalCall<float>;
template class FunctionalCall<double>;

}  // namespace ebb::inline v0::detail
