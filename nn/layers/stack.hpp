// SPDX-License-Identifier: BSD-3-Clause
// Layers one after another, known when the program runs, and their description as a text.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "ebb/nn/layers/layer.hpp"
#include "ebb/nn/layers/sequential.hpp"
#include "ebb/nn/state.hpp"

namespace ebb::inline v0::nn {

/// Any layer from tensors to tensors, behind one type.
template <Real T>
class EBB_API AnyModule {
 public:
  template <class Layer>
  requires(!std::is_same_v<Layer, AnyModule>) AnyModule(Layer layer)
      : held_(std::make_unique<Held<Layer>>(std::move(layer))) {}

  Tensor<T> operator()(const Operand<T>& x) { return held_->call(detail::unchanged(x)); }
  /// @throws ArgumentError if the layer has no operator() that is const.
  Tensor<T> operator()(const Operand<T>& x) const {
    return std::as_const(*held_).call(detail::unchanged(x));
  }
  void each(Parts& part) { held_->each(part); }
  /// @throws ArgumentError for a layer that `nn::clone` does not copy.
  AnyModule clone() const { return held_->clone(); }

  /// The name of its type, such as "Linear"; empty for a type without one.
  std::string_view name() const { return held_->name(); }
  /// The layer, if it has this type; otherwise null: `module.get<Linear<float>>()`.
  template <class Layer>
  Layer* get() {
    auto* const held = dynamic_cast<Held<Layer>*>(held_.get());
    return held ? &held->layer : nullptr;
  }
  template <class Layer>
  const Layer* get() const {
    const auto* const held = dynamic_cast<const Held<Layer>*>(held_.get());
    return held ? &held->layer : nullptr;
  }
  /// Visits the settings of the layer, if it has any.
  void visit_settings(Fields& field) const { held_->settings(field); }

 private:
  struct Holder {
    virtual ~Holder() = default;
    virtual Tensor<T> call(const Tensor<T>& x) = 0;
    virtual Tensor<T> call(const Tensor<T>& x) const = 0;
    virtual void each(Parts& part) = 0;
    virtual AnyModule clone() const = 0;
    virtual std::string_view name() const = 0;
    virtual void settings(Fields& field) const = 0;
  };
  [[noreturn]] static void refuse(const char* what);

  template <class Layer>
  struct Held final : Holder {
    explicit Held(Layer&& l) : layer(std::move(l)) {}
    Tensor<T> call(const Tensor<T>& x) override { return detail::call(layer, x); }
    Tensor<T> call(const Tensor<T>& x) const override {
      if constexpr (std::is_invocable_v<const Layer&, const Tensor<T>&>) {
        return layer(x);
      } else {
        refuse("a const model was called, and the operator() of this layer is not const");
      }
    }
    void each(Parts& part) override {
      if constexpr (HasParts<Layer>) {
        layer.each(part);
      } else {
        static_assert(std::is_empty_v<Layer>,
                      "a layer with members says what it consists of: `void each(ebb::Parts& part) "
                      "{ part(\"weight\", weight); }`");
      }
    }
    AnyModule clone() const override {
      if constexpr (requires {
                      { layer.clone() } -> std::same_as<Layer>;
                    }) {
        return layer.clone();
      } else if constexpr (HasParts<Layer> &&
                           (detail::HasSettings<Layer> || std::is_default_constructible_v<Layer>)) {
        return nn::clone(layer);
      } else if constexpr (std::is_empty_v<Layer> && std::is_copy_constructible_v<Layer>) {
        return Layer(layer);
      } else {
        refuse("clone copies layers that have settings, a `clone() const`, or no arguments");
      }
    }
    std::string_view name() const override {
      if constexpr (Named<Layer>) return Layer::name;
      return {};
    }
    void settings(Fields& field) const override {
      if constexpr (detail::HasSettings<Layer>) {
        auto copy = layer.settings;  // one `each` is for reading and writing
        copy.each(field);
      }
    }
    Layer layer;
  };

  std::unique_ptr<Holder> held_;
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

  Stack& add(AnyModule<T> layer) {
    layers_.push_back(std::move(layer));
    return *this;
  }
  std::size_t size() const { return layers_.size(); }
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

/// A model with new weights from its description.
/// @throws FileError for a text that is no JSON, and for a layer or a setting that is missing, not
/// known, or refused by the layer; it says where.
template <Real T>
EBB_API Stack<T> build(const std::string& description, Stream& stream = default_stream(),
                       const LayerTypes<T>& types = {});

}  // namespace ebb::inline v0::nn
