// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/stack_file.hpp"

#include <algorithm>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"
#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/files/json.hpp"
#include "ebb/data/formats/safetensors.hpp"

namespace ebb::inline v0::nn {
namespace {

using data::detail::Json;

constexpr const char* format_key = "ebb.stack";  // its text is the version of the format
constexpr const char* newest_version = "1";
constexpr const char* layers_key = "layers";

/// Of an honest file, more than the elements that layers have and files do not: the ones and zeros
/// in place of weights, as of a LayerNorm without them.
constexpr double slack = 1 << 20;

/// A number that is not below 0, so that one layer takes nothing away from another; 1 for what is
/// none, which `build` refuses.
double factor_of(const Json& json) {
  return json.is_number() ? std::max(0.0, json.get<double>()) : 1;
}
/// The product of a setting, a number or a list of them.
double product_of(const Json& layer, const char* setting) {
  const auto found = layer.find(setting);
  if (found == layer.end()) return 1;
  if (!found->is_array()) return factor_of(*found);
  double product = 1;
  for (const Json& factor : *found) product *= factor_of(factor);
  return product;
}

/// The elements of the weights of an LSTM, GRU or RNN; 0 for other layers.
double recurrent_elements_of(const Json& layer) {
  const auto type = layer.find("type");
  if (type == layer.end() || !type->is_string()) return 0;
  const std::string name = type->template get<std::string>();
  const double gates = name == "LSTM" ? 4 : name == "GRU" ? 3 : name == "RNN" ? 1 : 0;
  const auto both = layer.find("bidirectional");
  const double directions = both != layer.end() && *both == true ? 2 : 1;
  const double hidden = product_of(layer, "hidden_size");
  const double first = product_of(layer, "input_size") + hidden;
  const double next =
      std::max(0.0, product_of(layer, "num_layers") - 1) * (directions + 1) * hidden;
  return gates * directions * hidden * (first + next);
}

/// At least a quarter of the elements of the layers of the library, as their settings say. It is
/// known before anything is built.
double elements_of(const Json& layer) {
  if (!layer.is_object()) return 0;
  double sum = 0;
  const auto layers = layer.find("layers");
  if (layers != layer.end() && layers->is_array()) {
    for (const Json& inner : *layers) sum += elements_of(inner);
  }
  if (const auto inner = layer.find("layer"); inner != layer.end()) sum += elements_of(*inner);
  const auto product = [&](auto... settings) { return (product_of(layer, settings) * ... * 1); };
  const auto has = [&](const char* setting) { return layer.contains(setting); };
  if (has("in_features")) sum += product("in_features", "out_features");
  if (has("in_channels")) {
    sum += product("in_channels", "out_channels", "kernel_size") / std::max(1.0, product("groups"));
  }
  if (has("embed_dim")) sum += product("embed_dim", "embed_dim");
  if (has("d_model")) sum += product("d_model", "d_model") + product("d_model", "dim_feedforward");
  sum += recurrent_elements_of(layer);
  if (has("max_length")) sum += product("max_length", "features");
  for (const char* one : {"normalized_shape", "num_features", "num_channels", "num_parameters"}) {
    if (has(one)) sum += product(one);
  }
  return sum;
}

std::int64_t size_of(const data::NamedArrays& arrays) {
  std::int64_t size = 0;
  for (const std::string& name : arrays.names())
    size += std::visit([](const auto& array) { return array.size(); }, arrays.at(name));
  return size;
}

}  // namespace

template <Real T>
Stack<T> detail::build_within(const std::string& description, std::int64_t elements,
                              const LayerTypes<T>& types) {
  const data::detail::JsonLimits limits{.what = "a description",
                                        .origin = "a description is one that nn::describe gave",
                                        .depth = 64};
  const Json json = data::detail::parse_json("build", description, limits);
  if (!(elements_of(json) <= double(elements) + slack)) {
    throw FileError("build: the layers have more weights than the " + std::to_string(elements) +
                    " numbers that there are");
  }
  Stream stream(0);
  return build<T>(description, stream, types);
}

template <Real T>
Stack<T> detail::stack_of(const std::string& where, const std::string& description,
                          const data::NamedArrays& state, const LayerTypes<T>& types) {
  try {
    Stack<T> stack = build_within<T>(description, size_of(state), types);
    load_state(stack, state);
    return stack;
  } catch (const Error& error) {
    throw FileError(where + ": " + error.what());
  }
}

template <Real T>
void save_stack(const std::string& path, const Stack<T>& model) {
  data::NamedArrays arrays = state(model);
  arrays.metadata = {{format_key, newest_version}, {layers_key, describe(model)}};
  data::write_safetensors(path, arrays);
}

template <Real T>
Stack<T> load_stack(const std::string& path, const LayerTypes<T>& types) {
  const data::NamedArrays arrays = data::read_safetensors(path);
  const auto version = arrays.metadata.find(format_key);
  if (version == arrays.metadata.end()) {
    throw FileError(path + (arrays.metadata.contains("ebb.model")
                                ? ": this is a model file of save_model; nn::Predictor and "
                                  "nn::load_model read it"
                                : ": this file of safetensors does not say its layers; save_stack "
                                  "writes such that do, and nn::load reads weights into a model"));
  }
  if (version->second != newest_version) {
    throw FileError(path + ": version " + data::detail::quoted(version->second) +
                    " of the format; this library reads version " + newest_version);
  }
  const auto layers = arrays.metadata.find(layers_key);
  if (layers == arrays.metadata.end())
    throw FileError(path + ": the metadata has no " + data::detail::quoted(layers_key));
  return detail::stack_of<T>(path, layers->second, arrays, types);
}

#define EBB_STACKS(T)                                                                \
  template EBB_API void save_stack(const std::string&, const Stack<T>&);             \
  template EBB_API Stack<T> load_stack(const std::string&, const LayerTypes<T>&);    \
  template EBB_API Stack<T> detail::build_within(const std::string&, std::int64_t,   \
                                                 const LayerTypes<T>&);              \
  template EBB_API Stack<T> detail::stack_of(const std::string&, const std::string&, \
                                             const data::NamedArrays&, const LayerTypes<T>&);
EBB_STACKS(float)
EBB_STACKS(double)
#undef EBB_STACKS

}  // namespace ebb::inline v0::nn
