// SPDX-License-Identifier: BSD-3-Clause
// What the call of every layer has in common: errors say its path, and a summary can watch it.
#pragma once
#include <string>
#include <string_view>
#include <utility>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/scope.hpp"
#include "ebb/nn/model_ref.hpp"

namespace ebb::inline v0::nn {

/// Layers that can be described in a file, and built again from that: they have a name.
template <class Layer>
concept Named = requires {
  std::string_view(Layer::name);
};

namespace detail {

/// Sees the calls of layers of its thread during its life.
class EBB_API LayerObserver {
 public:
  LayerObserver();
  virtual ~LayerObserver();
  LayerObserver(const LayerObserver&) = delete;

  virtual void entered(std::string_view name, ConstModelRef layer) = 0;
  /// The number of floating-point operations does not count those of inner layers.
  virtual void left(const Shape& output, double operations) = 0;
  /// The innermost one of this thread, or null.
  static LayerObserver* current();

 private:
  LayerObserver* outer_;
};

/// The path of a layer in its model, by the labels of its parameters; empty if they have none.
EBB_API std::string path_of(ConstModelRef layer);
/// Whether an error was thrown inside of a scope that is closed by now, whose path it has.
EBB_API bool has_inner_path(const Error& error);

template <class Y>
EBB_INLINE const Shape& shape_of_result(const Y& y) {
  if constexpr (requires { y.shape(); }) {
    return y.shape();
  } else {
    return y.output.shape();
  }
}

/// f(), which is the call of a layer for x. Errors get the path of the layer: f runs once more in
/// its scope and throws again.
template <class Layer, class X, class F>
EBB_INLINE auto in_layer(const Layer& layer, [[maybe_unused]] const X& x, const F& f) {
  LayerObserver* const observer = LayerObserver::current();
  if (observer) [[unlikely]] {
    if constexpr (Named<Layer>) {
      observer->entered(Layer::name, layer);
    } else {
      observer->entered("", layer);
    }
  }
  auto y = [&]() EBB_LAMBDA {
    try {
      return f();
    } catch (const Error& error) {
      if (has_inner_path(error)) throw;
      const std::string path = path_of(layer);
      if (path.empty()) throw;
      const NameScope scope(path);
      return f();
    }
  }();
  if (observer) [[unlikely]] {
    double operations = 0;
    if constexpr (requires { layer.operations(x, y); }) operations = layer.operations(x, y);
    observer->left(shape_of_result(y), operations);
  }
  return y;
}

/// x, which becomes a leaf if it is a variable.
template <Real T>
EBB_API Tensor<T> unchanged(const Operand<T>& x);

/// A number of a setting. @throws ArgumentError, which names the layer, below a limit.
EBB_API void check_at_least(std::string_view layer, std::string_view setting, std::int64_t value,
                            std::int64_t least);

}  // namespace detail
}  // namespace ebb::inline v0::nn
