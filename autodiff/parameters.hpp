// SPDX-License-Identifier: BSD-3-Clause
// Visits the parts of a model. A model is a struct with a function `each(visitor)`, which calls the
// visitor with the name of each part and the part: a Variable, or another such struct.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "ebb/autodiff/formula/formula.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {
namespace detail {

struct AnyVisitor {
  void operator()(std::string_view, auto&&) const {}
};

template <class T>
constexpr bool is_variable = false;
template <Real T>
constexpr bool is_variable<Variable<T>> = true;

}  // namespace detail

/// A struct whose parts can be visited.
template <class M>
concept Module = requires(M& module) {
  module.each(detail::AnyVisitor{});
};

inline namespace EBB_UNIT {

/// Calls f(name, variable) for every parameter, with dotted names such as "encoder.0.weight".
template <Module M, class F>
void for_each_parameter(M& module, F&& f, const std::string& prefix = {}) {
  module.each([&](std::string_view name, auto& part) {
    using Part = std::remove_cvref_t<decltype(part)>;
    const std::string full = prefix + std::string(name);
    if constexpr (detail::is_variable<Part>) {
      f(full, part);
    } else if constexpr (Module<Part>) {
      for_each_parameter(part, f, full + ".");
    }
  });
}

/// Handles to the parameters of a model, in the order of `each`.
template <Real T, Module M>
std::vector<Variable<T>> parameters(M& module) {
  std::vector<Variable<T>> all;
  for_each_parameter(module, [&](const std::string&, auto& variable) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(variable)>, Variable<T>>) {
      all.push_back(variable.share());
    }
  });
  return all;
}

/// The number of elements of all parameters.
template <Module M>
std::int64_t count(M& module) {
  std::int64_t total = 0;
  for_each_parameter(module, [&](const std::string&, auto& variable) { total += variable.size(); });
  return total;
}

}  // namespace EBB_UNIT

}  // namespace ebb::inline v0
