// SPDX-License-Identifier: BSD-3-Clause
// What the call of every layer has in common: errors say its path, and a summary can watch it.
#pragma once
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

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

  /// A call begins. False if it is under way: what calls layers announces them, and many do so
  /// themselves. A type without a name has that of its declaration.
  bool enter(const std::type_info& type, std::string_view name, const void* address,
             ConstModelRef layer);
  /// It has ended. The number of floating-point operations does not count those of inner layers.
  void leave(const Shape& output, double operations);
  /// The innermost one of this thread, or null.
  static LayerObserver* current();

 protected:
  virtual void entered(std::string_view name, ConstModelRef layer) = 0;
  virtual void left(const Shape& output, double operations) = 0;

 private:
  struct Open {
    const std::type_info* type;
    const void* address;
  };
  LayerObserver* outer_;
  std::vector<Open> open_;  // calls that are under way
};

/// The path of a layer in its model, by the labels of its parameters; empty if they have none.
EBB_API std::string path_of(ConstModelRef layer);
/// Whether an error was thrown inside of a scope that is closed by now, whose path it has.
EBB_API bool has_inner_path(const Error& error);

/// A tensor, or what has one as `output`.
template <class Y>
constexpr bool is_result = requires(const Y& y) {
  y.shape().rank();
}
|| requires(const Y& y) { y.output.shape().rank(); };
template <class Y>
EBB_INLINE const Shape& shape_of_result(const Y& y) {
  if constexpr (requires { y.shape(); }) {
    return y.shape();
  } else {
    return y.output.shape();
  }
}

template <class Layer>
constexpr std::string_view name_of() {
  if constexpr (Named<Layer>) return Layer::name;
  return {};
}

}  // namespace detail

/// f(), which is the call of a layer for x: `return nn::in_layer(*this, x, [&] { return x * factor;
/// });` in an operator(). A summary gets a row of it, and errors the path of the layer: f runs once
/// more in its scope and throws again. Layers of the library do this, and containers do it for the
/// layers that they call.
template <class Layer, class X, class F>
EBB_INLINE auto in_layer(const Layer& layer, [[maybe_unused]] const X& x, const F& f) {
  static_assert(detail::is_result<decltype(f())>,
                "in_layer: a layer returns a tensor, or what has one as its `output`");
  detail::LayerObserver* observer = detail::LayerObserver::current();
  if (observer) [[unlikely]] {
    if (!observer->enter(typeid(Layer), detail::name_of<Layer>(), &layer, layer))
      observer = nullptr;
  }
  auto y = [&]() EBB_LAMBDA {
    try {
      return f();
    } catch (const Error& error) {
      if (detail::has_inner_path(error)) throw;
      const std::string path = detail::path_of(layer);
      if (path.empty()) throw;
      const NameScope scope(path);
      return f();
    }
  }();
  if (observer) [[unlikely]] {
    double operations = 0;
    if constexpr (requires { layer.operations(x, y); }) operations = layer.operations(x, y);
    observer->leave(detail::shape_of_result(y), operations);
  }
  return y;
}

namespace detail {

using nn::in_layer;

/// x, which becomes a leaf if it is a variable.
template <Real T>
EBB_API Tensor<T> unchanged(const Operand<T>& x);

/// A number of a setting. @throws ArgumentError, which names the layer, below a limit.
EBB_API void check_at_least(std::string_view layer, std::string_view setting, std::int64_t value,
                            std::int64_t least);

}  // namespace detail
}  // namespace ebb::inline v0::nn
