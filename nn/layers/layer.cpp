// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/layer.hpp"

#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::nn::detail {
namespace {

constinit thread_local LayerObserver* current_observer = nullptr;

}  // namespace

LayerObserver::LayerObserver() : outer_(std::exchange(current_observer, this)) {}
LayerObserver::~LayerObserver() { current_observer = outer_; }
LayerObserver* LayerObserver::current() { return current_observer; }

std::string path_of(ConstModelRef layer) {
  for (const Parameter& parameter : ebb::parameters(layer)) {
    const std::string label =
        parameter.visit([](const auto& variable) { return variable.label(); });
    if (!label.ends_with(parameter.name())) continue;
    const std::string path = label.substr(0, label.size() - parameter.name().size());
    if (path.ends_with('.')) return path.substr(0, path.size() - 1);
  }
  return {};
}

bool has_inner_path(const Error& error) {
  const std::string_view text = error.what();
  const std::size_t start = text.rfind("(in ");
  if (start == text.npos || !text.ends_with(')')) return false;
  return text.substr(start + 4, text.size() - start - 5) != NameScope::path();
}

template <Real T>
Tensor<T> unchanged(const Operand<T>& x) {
  return ebb::detail::Access::as_tensor(x);
}
EBB_FOR_REALS(unchanged)

void check_at_least(std::string_view layer, std::string_view setting, std::int64_t value,
                    std::int64_t least) {
  if (value >= least) return;
  throw ArgumentError(std::string(layer) + ": " + std::string(setting) + " = " +
                      std::to_string(value) + "; it is at least " + std::to_string(least));
}

}  // namespace ebb::inline v0::nn::detail
