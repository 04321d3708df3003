// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/stack.hpp"

#include <algorithm>
#include <iterator>

#include "ebb/autodiff/values/instances.hpp"
#include "ebb/data/files/json.hpp"
#include "ebb/nn/layers/activations.hpp"
#include "ebb/nn/layers/attention.hpp"
#include "ebb/nn/layers/convolution.hpp"
#include "ebb/nn/layers/dropout.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/nn/layers/normalisation.hpp"
#include "ebb/nn/layers/pooling.hpp"
#include "ebb/nn/layers/recurrent.hpp"
#include "ebb/nn/layers/transformer.hpp"

namespace ebb::inline v0::nn {

void detail::refuse_layer(const char* what) {
  throw ArgumentError(std::string("AnyModule: ") + what);
}

template <Real T>
AnyModule<T>::AnyModule(AnyModule&& other) noexcept
    : layer_(std::exchange(other.layer_, nullptr)), calls_(other.calls_) {}
template <Real T>
AnyModule<T>& AnyModule<T>::operator=(AnyModule&& other) noexcept {
  std::swap(layer_, other.layer_);
  std::swap(calls_, other.calls_);
  return *this;
}
template <Real T>
AnyModule<T>::~AnyModule() {
  if (layer_) calls_->destroy(layer_);
}

template <Real T>
void* AnyModule<T>::held() const {
  if (!layer_) {
    detail::refuse_layer("it is empty, as it was moved from; use the one that it was moved to");
  }
  return layer_;
}
template <Real T>
Tensor<T> AnyModule<T>::operator()(const Operand<T>& x) {
  return calls_->call(held(), detail::unchanged(x));
}
template <Real T>
Tensor<T> AnyModule<T>::operator()(const Operand<T>& x) const {
  return calls_->call_const(held(), detail::unchanged(x));
}
template <Real T>
void AnyModule<T>::each(Parts& part) {
  calls_->each(held(), part);
}
template <Real T>
AnyModule<T> AnyModule<T>::clone() const {
  return calls_->clone(held());
}
template <Real T>
std::string_view AnyModule<T>::name() const {
  return calls_->name;
}
template <Real T>
void AnyModule<T>::visit_settings(Fields& field) const {
  calls_->settings(held(), field);
}

template <Real T>
Stack<T>& Stack<T>::add(AnyModule<T> layer) {
  layers_.push_back(std::move(layer));
  return *this;
}

template <Real T>
const AnyModule<T>& Stack<T>::operator[](std::size_t position) const {
  if (position < layers_.size()) return layers_[position];
  throw ArgumentError("Stack: there is no layer " + std::to_string(position) + " of " +
                      std::to_string(layers_.size()));
}
template <Real T>
AnyModule<T>& Stack<T>::operator[](std::size_t position) {
  return const_cast<AnyModule<T>&>(std::as_const(*this)[position]);
}

namespace {

template <class T>
Tensor<T> call_all(auto& layers, const Operand<T>& x) {
  Tensor<T> y = detail::unchanged(x);
  for (auto& layer : layers) y = layer(y);
  return y;
}

}  // namespace

template <Real T>
Tensor<T> Stack<T>::operator()(const Operand<T>& x) {
  return detail::in_layer(*this, x, [&] { return call_all(layers_, x); });
}
template <Real T>
Tensor<T> Stack<T>::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] { return call_all(layers_, x); });
}

template <Real T>
void Stack<T>::each(Parts& part) {
  for (std::size_t i = 0; i < layers_.size(); ++i) part(std::to_string(i), layers_[i]);
}

template <Real T>
Stack<T> Stack<T>::clone() const {
  Stack copy;
  for (const AnyModule<T>& layer : layers_) copy.add(layer.clone());
  detail::tie_as(*this, copy);
  return copy;
}

template <Real T>
LayerTypes<T>::LayerTypes() {
  const auto add_all = [this]<class... Layers>(std::tuple<Layers...>*) {
    (this->template add<Layers>(), ...);
  };
  using Plain = std::tuple<Identity, ReLU, ReLU6, SELU, SiLU, Mish, Sigmoid, LogSigmoid, Tanh,
                           Softplus, Softsign, Hardsigmoid, Hardswish, GELU, LeakyReLU, ELU,
                           Hardtanh, Softmax, LogSoftmax, PReLU<T>>;
  using Others =
      std::tuple<Linear<T>, Conv1d<T>, Conv2d<T>, ConvTranspose1d<T>, ConvTranspose2d<T>, MaxPool1d,
                 MaxPool2d, AvgPool1d, AvgPool2d, AdaptiveAvgPool1d, AdaptiveAvgPool2d,
                 GlobalAvgPool, GlobalMaxPool, BatchNorm1d<T>, BatchNorm2d<T>, LayerNorm<T>,
                 RMSNorm<T>, GroupNorm<T>, Dropout, Flatten, MultiheadAttention<T>,
                 TransformerEncoderLayer<T>, SinusoidalEncoding, LearnedEncoding<T>>;
  add_all(static_cast<Plain*>(nullptr));
  add_all(static_cast<Others*>(nullptr));
}

template <Real T>
void LayerTypes<T>::put(std::string name, Make make) {
  constexpr std::string_view around[] = {"Stack", "Residual", "LastState", "Outputs"};
  if (std::find(std::begin(around), std::end(around), name) != std::end(around) ||
      types_.contains(name))
    throw ArgumentError("LayerTypes: there is a layer named \"" + name + "\" already");
  types_.emplace(std::move(name), std::move(make));
}

template <Real T>
std::unique_ptr<AnyModule<T>> LayerTypes<T>::make(std::string_view name, Fields& settings,
                                                  Stream& stream) const {
  const auto found = types_.find(name);
  if (found == types_.end()) return nullptr;
  return std::make_unique<AnyModule<T>>(found->second(settings, stream));
}

template <Real T>
std::vector<std::string> LayerTypes<T>::names() const {
  std::vector<std::string> names;
  for (const auto& [name, make] : types_) names.push_back(name);
  return names;
}

namespace {

using data::detail::Json;

template <class T>
Json in_json(const AnyModule<T>& layer, const std::string& where);

template <class T>
Json in_json(const Stack<T>& stack, const char* type, const std::string& where) {
  Json list = Json::array();
  for (std::size_t i = 0; i < stack.size(); ++i)
    list.push_back(in_json(stack[i], where + ": layer " + std::to_string(i)));
  return {{"type", type}, {"layers", std::move(list)}};
}

/// Calls f with each type of a recurrent layer, until it returns true.
template <class T>
bool any_recurrent(const auto& f) {
  return f(std::type_identity<LSTM<T>>()) || f(std::type_identity<GRU<T>>()) ||
         f(std::type_identity<RNN<T>>());
}

/// The description of a Shell, LastState or Outputs, of a recurrent layer of the library; null for
/// anything else.
template <class T, template <class> class Shell>
Json recurrent_in_json(const AnyModule<T>& layer, const std::string& where) {
  Json json;
  any_recurrent<T>([&]<class Layer>(std::type_identity<Layer>) {
    const auto* const shell = layer.template get<Shell<Layer>>();
    if (!shell) return false;
    Json inner{{"type", Layer::name}};
    data::detail::JsonWriter<Fields> writer(inner, where);
    auto settings = shell->layer.settings;  // `each` reads and writes
    settings.each(writer);
    json = {{"type", shell->name}, {"layer", std::move(inner)}};
    return true;
  });
  return json;
}

template <class T>
Json in_json(const AnyModule<T>& layer, const std::string& where) {
  if (Json json = recurrent_in_json<T, LastState>(layer, where); !json.is_null()) return json;
  if (Json json = recurrent_in_json<T, Outputs>(layer, where); !json.is_null()) return json;
  if (const auto* stack = layer.template get<Stack<T>>()) return in_json(*stack, "Stack", where);
  if (const auto* residual = layer.template get<Residual<Stack<T>>>())
    return in_json(residual->layer(), "Residual", where);
  const bool is_compiled = layer.name() == "Sequential" || layer.name() == "Residual" ||
                           layer.name() == "LastState" || layer.name() == "Outputs";
  if (layer.name().empty() || is_compiled) {
    throw ArgumentError(where +
                        (layer.name().empty() ? " has a type without a name"
                                              : " is known when it is compiled only") +
                        "; a Stack of named layers, a Residual of a Stack, and LastState and "
                        "Outputs of an LSTM, GRU or RNN have descriptions");
  }
  Json json{{"type", layer.name()}};
  data::detail::JsonWriter<Fields> writer(json, where);
  layer.visit_settings(writer);
  return json;
}

/// Reads the settings of a layer; one that is left out keeps its default.
class SettingsReader : public data::detail::JsonReader<Fields> {
 public:
  SettingsReader(const Json& json, const std::string& where)
      : JsonReader<Fields>(json, where), json_(json) {}

  /// What was left out, for messages.
  std::string left_out;

 protected:
  void value(const std::string& name, Fields::Value value) override {
    if (json_.contains(name)) return JsonReader<Fields>::value(name, value);
    left_out.append(left_out.empty() ? "; left out: " : ", ").append(name);
  }

 private:
  const Json& json_;
};

template <class T>
struct Builder {
  Stream& stream;
  const LayerTypes<T>& types;

  AnyModule<T> layer(const Json& json, const std::string& where) const {
    if (!json.is_object())
      throw FileError(where + " must be an object such as {\"type\":\"ReLU\"}");
    SettingsReader reader(json, where);
    std::string type;
    static_cast<void>(reader.find("type"));
    reader("type", type);
    if (type == "Stack") return stack(json, where);
    if (type == "Residual") return Residual<Stack<T>>(stack(json, where));
    if (type == "LastState") return recurrent<LastState>(json, where);
    if (type == "Outputs") return recurrent<Outputs>(json, where);
    std::unique_ptr<AnyModule<T>> made =
        made_by(reader, [&] { return types.make(type, reader, stream); });
    if (made) return std::move(*made);
    any_recurrent<T>([&]<class Layer>(std::type_identity<Layer>) {
      if (type == Layer::name) {
        throw FileError(where + ": \"" + type +
                        "\" returns outputs and a state; put it in a LastState or Outputs, which "
                        "return one tensor: {\"type\":\"LastState\",\"layer\":{\"type\":\"" +
                        type + "\", ...}}");
      }
      return false;
    });
    throw FileError(where + ": there is no layer \"" + type +
                    "\"; add one of your own by LayerTypes::add");
  }
  /// A layer that f makes by the settings of a reader, all of which it must know.
  static std::unique_ptr<AnyModule<T>> made_by(SettingsReader& reader, const auto& f) {
    std::unique_ptr<AnyModule<T>> made;
    try {
      made = f();
    } catch (const ArgumentError& error) {
      if (!reader.left_out.empty()) reader.expect_end();  // a misspelt name is one that is left out
      reader.fail(error.what() + reader.left_out);
    }
    if (made) reader.expect_end();
    return made;
  }
  /// A Shell, LastState or Outputs, of a recurrent layer.
  template <template <class> class Shell>
  AnyModule<T> recurrent(const Json& json, const std::string& where) const {
    data::detail::JsonReader<Fields> outer(json, where);
    outer.find("type");
    const Json& inner = outer.find("layer");
    outer.expect_end();
    outer.refuse_unless(inner.is_object(), "\"layer\" must be an object");
    SettingsReader reader(inner, where + ": its layer");
    std::string type;
    static_cast<void>(reader.find("type"));
    reader("type", type);
    std::unique_ptr<AnyModule<T>> made;
    any_recurrent<T>([&]<class Layer>(std::type_identity<Layer>) {
      if (type != Layer::name) return false;
      made = made_by(reader, [&] {
        std::remove_cvref_t<decltype(std::declval<Layer&>().settings)> settings{};
        settings.each(reader);
        return std::make_unique<AnyModule<T>>(Shell<Layer>(Layer(settings, stream)));
      });
      return true;
    });
    reader.refuse_unless(bool(made), "\"" + type + "\" is no LSTM, GRU or RNN");
    return std::move(*made);
  }
  Stack<T> stack(const Json& json, const std::string& where) const {
    data::detail::JsonReader<Fields> reader(json, where);
    reader.find("type");
    const Json& list = reader.find("layers");
    reader.expect_end();
    reader.refuse_unless(list.is_array(), "\"layers\" must be a list");
    Stack<T> stack;
    for (std::size_t i = 0; i < list.size(); ++i)
      stack.add(layer(list[i], where + ": layer " + std::to_string(i)));
    return stack;
  }
};

}  // namespace

template <Real T>
std::string describe(const Stack<T>& model) {
  return in_json(model, "Stack", "describe").dump();
}
EBB_OVERLOAD_FOR_REALS(describe, std::string(const Stack<T>&))

template <Real T>
Stack<T> build(const std::string& description, Stream& stream, const LayerTypes<T>& types) {
  const data::detail::JsonLimits limits{.what = "a description",
                                        .origin = "a description is one that nn::describe gave",
                                        .depth = 64};
  const Json json = data::detail::parse_json("build", description, limits);
  const Builder<T> builder{stream, types};
  AnyModule<T> model = builder.layer(json, "build");
  Stack<T>* const stack = model.template get<Stack<T>>();
  if (!stack) throw FileError("build: the outermost layer must be a Stack");
  return std::move(*stack);
}
EBB_OVERLOAD_FOR_REALS(build, Stack<T>(const std::string&, Stream&, const LayerTypes<T>&))

template <Real T>
Stack<T> build(const std::string& description, const LayerTypes<T>& types) {
  return build<T>(description, default_stream(), types);
}
EBB_OVERLOAD_FOR_REALS(build, Stack<T>(const std::string&, const LayerTypes<T>&))

template class AnyModule<float>;
template class AnyModule<double>;
template class Stack<float>;
template class Stack<double>;
template class LayerTypes<float>;
template class LayerTypes<double>;

}  // namespace ebb::inline v0::nn
