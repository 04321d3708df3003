// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/parts.hpp"

#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {

Parameter::Parameter(const Parameter& other)
    : name_(other.name_),
      variable_(
          std::visit([](const auto& variable) -> decltype(variable_) { return variable.share(); },
                     other.variable_)) {}
Parameter::Parameter(Parameter&&) noexcept = default;
Parameter& Parameter::operator=(Parameter other) noexcept {
  name_ = std::move(other.name_);
  variable_ = std::move(other.variable_);
  return *this;
}
Parameter::~Parameter() = default;

const Shape& Parameter::shape() const {
  return visit([](const auto& variable) -> const Shape& { return variable.shape(); });
}
bool Parameter::has_gradient() const {
  return visit([](const auto& variable) { return variable.has_gradient(); });
}
void Parameter::zero_grad() {
  visit([](auto& variable) { variable.zero_grad(); });
}

namespace detail {

ParameterFinder::ParameterFinder() = default;
ParameterFinder::~ParameterFinder() = default;

/// Names are what files and errors tell variables apart by.
Parameters ParameterFinder::take() {
  std::unordered_set<std::string_view> names;
  for (const Parameter& parameter : found_) {
    if (names.insert(parameter.name()).second) continue;
    throw ArgumentError("parameters: two Variables have the name \"" + parameter.name() +
                        "\"; give each a name of its own in `each`");
  }
  return std::move(found_);
}

void ParameterFinder::part(const std::string& path, Part part) {
  const auto find = [&](const auto* variable) {
    if (cells_.insert(Access::cell(*variable)).second) found_.emplace_back(path, *variable);
  };
  if (auto** single = std::get_if<Variable<float>*>(&part)) find(*single);
  if (auto** wide = std::get_if<Variable<double>*>(&part)) find(*wide);
}

void ParameterFinder::value(const std::string&, Value) {}

void label(const Parameters& parameters) {
  for (Parameter parameter : parameters) {
    parameter.visit([&](auto& variable) {
      if (variable.label().empty()) variable.set_label(parameter.name());
    });
  }
}

template <Real T>
std::vector<Variable<T>> variables_of(const Parameters& parameters) {
  std::vector<Variable<T>> variables;
  for (const Parameter& parameter : parameters) {
    if (const auto* variable = parameter.get<T>()) variables.push_back(variable->share());
  }
  return variables;
}
EBB_FOR_REALS(variables_of)

}  // namespace detail

std::int64_t count(const Parameters& parameters) {
  std::int64_t total = 0;
  for (const Parameter& parameter : parameters) total += parameter.size();
  return total;
}

}  // namespace ebb::inline v0
