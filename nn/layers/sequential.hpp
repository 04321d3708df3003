// SPDX-License-Identifier: BSD-3-Clause
// Layers one after another, known when the program is compiled.
#pragma once
#include <tuple>
#include <type_traits>

#include "ebb/autodiff/ops.hpp"
#include "ebb/nn/layers/layer.hpp"
#include "ebb/nn/state.hpp"

namespace ebb::inline v0::nn {
namespace detail {

/// What recurrent layers return.
template <class Y>
concept HasState = requires(const Y& y) {
  y.output;
  y.state;
};

/// True for what only holds a layer, which has no call of its own.
template <class Layer>
constexpr bool is_shell = false;

/// The call of a layer, which is announced for it: one of your own need not do so.
template <class Layer, class X>
EBB_INLINE auto announced(Layer& layer, const X& x) {
  if constexpr (HasParts<std::remove_const_t<Layer>> && !is_shell<std::remove_const_t<Layer>>) {
    if constexpr (is_result<decltype(layer(x))>) {
      return nn::in_layer(layer, x, [&]() EBB_LAMBDA { return layer(x); });
    } else {
      return layer(x);
    }
  } else {
    return layer(x);
  }
}

/// One line of advice where a layer cannot be called.
template <class Layer, class X>
EBB_INLINE auto call(Layer& layer, const X& x) {
  static_assert(std::is_invocable_v<Layer&, const X&>,
                "a layer does not take what the one before it returns; a layer that changes in a "
                "call, such as Dropout, needs an operator() of the model that is not const");
  if constexpr (std::is_invocable_v<Layer&, const X&>) {
    return announced(layer, x);
  } else {
    return x;
  }
}

/// One line of advice where the result of a layer is a tensor and a state, once for each type.
template <class Y>
EBB_INLINE void check_one_tensor() {
  static_assert(!HasState<Y>,
                "this layer returns outputs and a state, as LSTM, GRU and RNN do: put "
                "nn::LastState(layer) or nn::Outputs(layer) in its place, which return one tensor");
}
/// The call of a layer whose result another one takes.
template <class Layer, class X>
EBB_INLINE auto call_between(Layer& layer, const X& x) {
  auto y = call(layer, x);
  check_one_tensor<decltype(y)>();
  if constexpr (HasState<decltype(y)>) {
    return y.output;
  } else {
    return y;
  }
}

/// Visits a layer. A function without members has no parts.
template <class Layer>
EBB_INLINE void visit_layer(Parts& part, std::string_view name, Layer& layer) {
  if constexpr (HasParts<Layer> || !std::is_empty_v<Layer>) part(name, layer);
}

/// A copy of a layer, or of a function without members.
template <class Layer>
EBB_INLINE Layer copied(const Layer& layer) {
  if constexpr (HasParts<Layer>) {
    return nn::clone(layer);
  } else {
    return layer;
  }
}

}  // namespace detail

/// Calls layers one after another: `Sequential(Linear<float>(4, 8), ReLU(), Linear<float>(8, 1))`.
/// A layer is whatever can be called with the result of the one before it, also a lambda without
/// captures: `[](const auto& x) { return sin(x); }`. Their names are "0", "1", ...
template <class... Layers>
class Sequential {
 public:
  static constexpr std::string_view name = "Sequential";

  explicit Sequential(Layers... layers) : layers_(std::move(layers)...) {}

  template <class X>
  EBB_INLINE auto operator()(const X& x) {
    return detail::in_layer(*this, x, [&]() EBB_LAMBDA { return from<0>(layers_, x); });
  }
  template <class X>
  EBB_INLINE auto operator()(const X& x) const {
    return detail::in_layer(*this, x, [&]() EBB_LAMBDA { return from<0>(layers_, x); });
  }

  EBB_INLINE static constexpr std::size_t size() { return sizeof...(Layers); }
  /// The layer at a position: `model.layer<1>()`.
  template <std::size_t i>
  EBB_INLINE auto& layer() {
    return std::get<i>(layers_);
  }
  template <std::size_t i>
  EBB_INLINE const auto& layer() const {
    return std::get<i>(layers_);
  }

  EBB_INLINE void each(Parts& part) {
    std::apply(
        [&](auto&... layers) EBB_LAMBDA {
          std::size_t position = 0;
          (detail::visit_layer(part, std::to_string(position++), layers), ...);
        },
        layers_);
  }
  EBB_INLINE Sequential clone() const {
    Sequential copy = std::apply([](const Layers&... layers)
                                     EBB_LAMBDA { return Sequential(detail::copied(layers)...); },
                                 layers_);
    detail::tie_as(*this, copy);
    return copy;
  }

 private:
  template <std::size_t i, class X>
  EBB_INLINE static auto from(auto& layers, const X& x) {
    if constexpr (i + 1 < sizeof...(Layers)) {
      return from<i + 1>(layers, detail::call_between(std::get<i>(layers), x));
    } else {
      return detail::call(std::get<i>(layers), x);
    }
  }

  std::tuple<Layers...> layers_;
};

/// x + layer(x), so that a deep model starts near the identity (He et al. 2016).
template <class Layer>
class Residual {
 public:
  static constexpr std::string_view name = "Residual";

  explicit Residual(Layer layer) : layer_(std::move(layer)) {}

  /// @throws ShapeError if the layer changes the shape.
  template <Real T>
  EBB_INLINE Tensor<T> operator()(const Operand<T>& x) {
    return detail::in_layer(*this, x, [&]() EBB_LAMBDA {
      return add(x, detail::call_between(layer_, detail::unchanged(x)));
    });
  }
  template <Real T>
  EBB_INLINE Tensor<T> operator()(const Operand<T>& x) const {
    return detail::in_layer(*this, x, [&]() EBB_LAMBDA {
      return add(x, detail::call_between(layer_, detail::unchanged(x)));
    });
  }
  EBB_INLINE Layer& layer() { return layer_; }
  EBB_INLINE const Layer& layer() const { return layer_; }
  EBB_INLINE void each(Parts& part) { detail::visit_layer(part, "layer", layer_); }
  EBB_INLINE Residual clone() const { return Residual(detail::copied(layer_)); }

 private:
  template <class T>
  EBB_INLINE static Tensor<T> add(const Operand<T>& x, const Tensor<T>& y) {
    if (!(x.shape() == y.shape())) {
      throw ShapeError("Residual: the layer must keep the shape of x, not " + to_string(x.shape()) +
                       " and " + to_string(y.shape()));
    }
    return x + y;
  }

  Layer layer_;
};

struct EBB_API FlattenSettings {
  std::int64_t start_axis = 1, end_axis = -1;
  void each(Fields& field);
};
/// Joins axes into one: x (n, c, h, w) gives (n, c h w).
/// @pytorch calls the settings start_dim and end_dim.
struct EBB_API Flatten {
  static constexpr std::string_view name = "Flatten";
  FlattenSettings settings;
  explicit Flatten(const FlattenSettings& s = {}) : settings(s) {}
  /// @throws ArgumentError for axes that x lacks, and for a start after the end.
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts&) {}
};

}  // namespace ebb::inline v0::nn
