// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/layer.hpp"

#include <cxxabi.h>

#include <cstdlib>

#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::nn::detail {
namespace {

constinit thread_local LayerObserver* current_observer = nullptr;

/// The name of a type as it is declared, without what is around it and its arguments.
std::string declared_name(const std::type_info& type) {
  int status = 0;
  char* const text = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  if (!text) return {};
  const std::string full(text);
  std::free(text);
  int depth = 0;
  std::size_t first = 0, last = full.size();
  for (std::size_t i = 0; i < full.size(); ++i) {
    const char c = full[i];
    if ((c == '<' || c == '(') && depth++ == 0) last = i;
    if (c == '>' || c == ')') --depth;
    if (c == ':' && depth == 0) {
      first = i + 1;
      last = full.size();
    }
  }
  return full.substr(first, last - first);
}

}  // namespace

LayerObserver::LayerObserver() : outer_(std::exchange(current_observer, this)) {}
LayerObserver::~LayerObserver() { current_observer = outer_; }
LayerObserver* LayerObserver::current() { return current_observer; }

bool LayerObserver::enter(const std::type_info& type, std::string_view name, const void* address,
                          ConstModelRef layer) {
  // A layer may have the address of its first part, which is of another type.
  if (!open_.empty() && open_.back().address == address && *open_.back().type == type) return false;
  open_.push_back({&type, address});
  entered(name.empty() ? declared_name(type) : std::string(name), layer);
  return true;
}
void LayerObserver::leave(const Shape& output, double operations) {
  open_.pop_back();
  left(output, operations);
}

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
