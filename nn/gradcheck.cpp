// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/gradcheck.hpp"

#include "ebb/autodiff/functional_call.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/state.hpp"

namespace ebb::inline v0::nn {

GradientReport check_gradients(ModelRef model, const std::function<Tensor<double>()>& f,
                               const GradientCheckOptions& options) {
  std::vector<Variable<double>> variables;
  std::vector<std::string> names;
  std::vector<Array<double>> values;
  for (const Parameter& parameter : ebb::parameters(model)) {
    const auto* variable = parameter.get<double>();
    if (!variable || variable->is_frozen()) continue;
    variables.push_back(variable->share());
    names.push_back(parameter.name());
    values.push_back(variable->value());
  }
  if (variables.empty()) {
    throw ArgumentError(
        "check_gradients: the model has no trainable parameter of type double, in which it is "
        "checked");
  }
  const std::vector<data::StatePart> parts{{"model", model}};
  const data::NamedArrays state = data::detail::state_of(parts);
  const auto function = [&](std::span<const Tensor<double>> x) {
    data::detail::give_state(state, parts);
    return functional_call(variables, std::vector<Tensor<double>>(x.begin(), x.end()), f);
  };
  GradientReport report = ebb::check_gradients(function, values, options);
  data::detail::give_state(state, parts);
  if (!report && report.input >= 0 && std::size_t(report.input) < names.size())
    report.reason = names[std::size_t(report.input)] + ": " + report.reason;
  return report;
}

}  // namespace ebb::inline v0::nn
