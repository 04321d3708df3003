// SPDX-License-Identifier: BSD-3-Clause
// Layers one after another, known when the program runs, and their description as a text.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "ebb/nn/layers/layer.hpp"
#include "ebb/nn/layers/sequential.hpp"
#include "ebb/nn/state.hpp"

namespace ebb::inline v0::nn {

template <Real T>
class AnyModule;

namespace detail {

template <class T>
inline constexpr bool is_shell<AnyModule<T>> = true;

/// What is done with a layer whose type is forgotten.
template <class T>
struct LayerCalls {
  const std::type_info* type;
  std::string_view name;
  Tensor<T> (*call)(void* layer, const Tensor<T>& x);
  Tensor<T> (*call_const)(const void* layer, const Tensor<T>& x);
  void (*each)(void* layer, Parts& part);
  void (*settings)(const void* layer, Fields& field);
  AnyModule<T> (*clone)(const void* layer);
  void (*destroy)(void* layer);
};
[[noreturn]] EBB_API void refuse_layer(const char* what);

// Every unit has functions of its own, so that units of different flags share none.

template <class T, class Layer>
static Tensor<T> call_of(void* layer, const Tensor<T>& x) {
  return detail::call_between(*static_cast<Layer*>(layer), x);
}
template <class T, class Layer>
static Tensor<T> const_call_of(const void* layer, const Tensor<T>& x) {
  if constexpr (std::is_invocable_v<const Layer&, const Tensor<T>&>) {
    return detail::call_between(*static_cast<const Layer*>(layer), x);
  } else {
    refuse_layer("a const model was called, and the operator() of this layer is not const");
  }
}
template <class Layer>
static void parts_of(void* layer, Parts& part) {
  if constexpr (HasParts<Layer>) {
    static_cast<Layer*>(layer)->each(part);
  } else {
    static_assert(std::is_empty_v<Layer>,
                  "a layer with members says what it consists of: `void each(ebb::Parts& part) { "
                  "part(\"weight\", weight); }`");
  }
}
template <class Layer>
static void settings_of(const void* layer, Fields& field) {
  if constexpr (HasSettings<Layer>) {
    auto copy = static_cast<const Layer*>(layer)->settings;  // `each` reads and writes
    copy.each(field);
  }
}
template <class T, class Layer>
static AnyModule<T> clone_of(const void* from) {
  const Layer& layer = *static_cast<const Layer*>(from);
  if constexpr (requires {
                  { layer.clone() } -> std::same_as<Layer>;
                }) {
    return layer.clone();
  } else if constexpr (HasParts<Layer> &&
                       (HasSettings<Layer> || std::is_default_constructible_v<Layer>)) {
    return nn::clone(layer);
  } else if constexpr (std::is_empty_v<Layer> && std::is_copy_constructible_v<Layer>) {
    return Layer(layer);
  } else {
    refuse_layer("clone copies layers that have settings, a `clone() const`, or no arguments");
  }
}
template <class Layer>
static void destroy_layer(void* layer) {
  delete static_cast<Layer*>(layer);
}
template <class T, class Layer>
static const LayerCalls<T> layer_calls{
    &typeid(Layer),   name_of<Layer>(),    &call_of<T, Layer>,  &const_call_of<T, Layer>,
    &parts_of<Layer>, &settings_of<Layer>, &clone_of<T, Layer>, &destroy_layer<Layer>};

}  // namespace detail

/// Any layer from tensors to tensors, behind one type.
template <Real T>
class EBB_API AnyModule {
 public:
  template <class Layer>
  requires(!std::is_same_v<Layer, AnyModule>) EBB_INLINE AnyModule(Layer layer)
      : layer_(new Layer(std::move(layer))), calls_(&detail::layer_calls<T, Layer>) {
    using Result = decltype(detail::call(std::declval<Layer&>(), std::declval<const Tensor<T>&>()));
    detail::check_one_tensor<Result>();
  }
  AnyModule(AnyModule&& other) noexcept;
  AnyModule& operator=(AnyModule&& other) noexcept;
  ~AnyModule();

  Tensor<T> operator()(const Operand<T>& x);
  /// @throws ArgumentError if the layer has no operator() that is const.
  Tensor<T> operator()(const Operand<T>& x) const;
  void each(Parts& part);
  /// @throws ArgumentError for a layer that `nn::clone` does not copy.
  AnyModule clone() const;

  /// The name of its type, such as "Linear"; empty for a type without one.
  std::string_view name() const;
  /// The layer, if it has this type; otherwise null: `module.get<Linear<float>>()`.
  template <class Layer>
  EBB_INLINE Layer* get() {
    return *calls_->type == typeid(Layer) ? static_cast<Layer*>(held()) : nullptr;
  }
  template <class Layer>
  EBB_INLINE const Layer* get() const {
    return *calls_->type == typeid(Layer) ? static_cast<const Layer*>(held()) : nullptr;
  }
  /// Visits the settings of the layer, if it has any.
  void visit_settings(Fields& field) const;

 private:
  /// @throws ArgumentError after a move.
  void* held() const;

  void* layer_;  // owned; null after a move
  const detail::LayerCalls<T>* calls_;
};

/// Calls layers one after another, which are known when the program runs:
/// `Stack<float>(Linear<float>(4, 8), ReLU(), Linear<float>(8, 1))`. Their names are "0", "1", ...
template <Real T>
class EBB_API Stack {
 public:
  static constexpr std::string_view name = "Stack";

  template <class... Layers>
  requires(!(sizeof...(Layers) == 1 &&
             (std::is_same_v<Layers, Stack> && ...))) explicit Stack(Layers... layers) {
    (add(std::move(layers)), ...);
  }

  Stack& add(AnyModule<T> layer);
  EBB_INLINE std::size_t size() const { return layers_.size(); }
  /// The layer at a position. @throws ArgumentError if there is none.
  AnyModule<T>& operator[](std::size_t position);
  const AnyModule<T>& operator[](std::size_t position) const;

  Tensor<T> operator()(const Operand<T>& x);
  /// @throws ArgumentError for a layer that has no operator() that is const.
  Tensor<T> operator()(const Operand<T>& x) const;
  void each(Parts& part);
  /// @throws ArgumentError for a layer that `nn::clone` does not copy.
  Stack clone() const;

 private:
  std::vector<AnyModule<T>> layers_;
};

/// The types of layers that a description may name.
template <Real T>
class EBB_API LayerTypes {
 public:
  /// All layers of the library from tensors to tensors.
  LayerTypes();
  /// A layer of your own with a `name`; if it has `settings`, with a constructor that takes them,
  /// and perhaps a Stream.
  /// @throws ArgumentError for a name that is there.
  template <class Layer>
  LayerTypes& add() {
    static_assert(Named<Layer>,
                  "a layer that is built by name has one: `static constexpr "
                  "std::string_view name = \"MyLayer\";`");
    put(std::string(Layer::name), [](Fields& field, Stream& stream) -> AnyModule<T> {
      if constexpr (detail::HasSettings<Layer>) {
        std::remove_cvref_t<decltype(std::declval<Layer&>().settings)> settings{};
        settings.each(field);
        if constexpr (std::is_constructible_v<Layer, decltype((settings)), Stream&>) {
          return Layer(settings, stream);
        } else if constexpr (std::is_constructible_v<Layer, decltype((settings))>) {
          return Layer(settings);
        } else {
          return Layer{settings};
        }
      } else {
        return Layer();
      }
    });
    return *this;
  }

  /// A layer with the settings that are read from fields, or null for a name that is not known.
  std::unique_ptr<AnyModule<T>> make(std::string_view name, Fields& settings, Stream& stream) const;
  std::vector<std::string> names() const;

 private:
  using Make = std::function<AnyModule<T>(Fields&, Stream&)>;
  void put(std::string name, Make make);

  std::map<std::string, Make, std::less<>> types_;
};

/// A JSON text that says what a model consists of, without its weights:
/// {"type":"Stack","layers":[{"type":"Linear","in_features":4,"out_features":8,"bias":true},...]}.
/// @throws ArgumentError for a layer without a name.
template <Real T>
EBB_API std::string describe(const Stack<T>& model);

/// A model with new weights from its description. Settings that it leaves out have their defaults.
/// @throws FileError for a text that is no JSON, and for a layer or a setting that is not known, or
/// refused by the layer; it says where.
template <Real T>
EBB_API Stack<T> build(const std::string& description, Stream& stream = default_stream(),
                       const LayerTypes<T>& types = {});
template <Real T>
EBB_API Stack<T> build(const std::string& description, const LayerTypes<T>& types);

}  // namespace ebb::inline v0::nn
