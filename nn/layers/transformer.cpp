// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/transformer.hpp"

#include "ebb/autodiff/ops.hpp"
#include "ebb/nn/state.hpp"

namespace ebb::inline v0::nn {

void TransformerSettings::each(Fields& field) {
  field("d_model", d_model);
  field("nhead", nhead);
  field("dim_feedforward", dim_feedforward);
  field("dropout", dropout);
  field("activation", activation);
  field("layer_norm_eps", layer_norm_eps);
  field("norm_first", norm_first);
  field("bias", bias);
}

namespace {

const TransformerSettings& checked(std::string_view layer, const TransformerSettings& s) {
  if (s.activation == "relu" || s.activation == "gelu") return s;
  throw ArgumentError(std::string(layer) + ": activation = \"" + s.activation +
                      "\"; it is \"relu\" or \"gelu\"");
}

MultiheadAttentionSettings attention_of(const TransformerSettings& s) {
  return {.embed_dim = s.d_model, .num_heads = s.nhead, .dropout = s.dropout, .bias = s.bias};
}
LinearSettings widening(const TransformerSettings& s) {
  return {.in_features = s.d_model, .out_features = s.dim_feedforward, .bias = s.bias};
}
LinearSettings narrowing(const TransformerSettings& s) {
  return {.in_features = s.dim_feedforward, .out_features = s.d_model, .bias = s.bias};
}
LayerNormSettings norm_of(const TransformerSettings& s) {
  return {.normalized_shape = {s.d_model}, .eps = s.layer_norm_eps, .bias = s.bias};
}

/// x and the part f of a block, added and normalised.
template <class T, class F>
Tensor<T> added(const TransformerSettings& s, const Tensor<T>& x, const auto& norm, auto& dropout,
                const F& f) {
  if (s.norm_first) return x + dropout(f(norm(x)));
  return norm(x + dropout(f(x)));
}

/// The network of two layers of a block.
template <class T>
Tensor<T> feed_forward(auto& block, const Tensor<T>& x) {
  const Tensor<T> hidden = block.linear1(x);
  const bool is_relu = block.settings.activation == "relu";
  return block.linear2(block.dropout(is_relu ? relu(hidden) : gelu(hidden)));
}

template <class T>
Tensor<T> encode(auto& block, const Operand<T>& x, const AttentionOptions& options) {
  return detail::in_layer(block, x, [&] {
    const auto& s = block.settings;
    const Tensor<T> y = added(s, detail::unchanged(x), block.norm1, block.dropout1,
                              [&](const Tensor<T>& in) { return block.self_attn(in, options); });
    return added(s, y, block.norm2, block.dropout2,
                 [&](const Tensor<T>& in) { return feed_forward(block, in); });
  });
}

template <class T>
Tensor<T> decode(auto& block, const Operand<T>& x, const Operand<T>& memory,
                 const AttentionOptions& own, const AttentionOptions& to_memory) {
  return detail::in_layer(block, x, [&] {
    const auto& s = block.settings;
    const Tensor<T> y = added(s, detail::unchanged(x), block.norm1, block.dropout1,
                              [&](const Tensor<T>& in) { return block.self_attn(in, own); });
    const Tensor<T> z = added(s, y, block.norm2, block.dropout2, [&](const Tensor<T>& in) {
      return block.multihead_attn(in, memory, to_memory);
    });
    return added(s, z, block.norm3, block.dropout3,
                 [&](const Tensor<T>& in) { return feed_forward(block, in); });
  });
}

/// As many layers as asked for, which start from different draws.
template <class Layer>
std::vector<Layer> repeated(std::string_view name, const TransformerSettings& settings,
                            std::int64_t count, Stream& stream) {
  detail::check_at_least(name, "num_layers", count, 1);
  std::vector<Layer> layers;
  for (std::int64_t i = 0; i < count; ++i) layers.emplace_back(settings, stream);
  return layers;
}

/// A model of as many layers with the state of another one.
template <class Model>
Model copy_of(const Model& model) {
  Stream stream(0);
  Model copy(model.layers.front().settings, std::int64_t(model.layers.size()), stream);
  copy_state(model, copy);
  detail::tie_as(model, copy);
  return copy;
}

}  // namespace

template <Real T>
TransformerEncoderLayer<T>::TransformerEncoderLayer(const TransformerSettings& s, Stream& stream)
    : settings(checked(name, s)),
      self_attn(attention_of(s), stream),
      linear1(widening(s), stream),
      linear2(narrowing(s), stream),
      norm1(norm_of(s)),
      norm2(norm_of(s)),
      dropout(s.dropout, stream),
      dropout1(s.dropout, stream),
      dropout2(s.dropout, stream) {}

template <Real T>
Tensor<T> TransformerEncoderLayer<T>::operator()(const Operand<T>& x,
                                                 const AttentionOptions& options) {
  return encode(*this, x, options);
}
template <Real T>
Tensor<T> TransformerEncoderLayer<T>::operator()(const Operand<T>& x,
                                                 const AttentionOptions& options) const {
  return encode(*this, x, options);
}

template <Real T>
TransformerDecoderLayer<T>::TransformerDecoderLayer(const TransformerSettings& s, Stream& stream)
    : settings(checked(name, s)),
      self_attn(attention_of(s), stream),
      multihead_attn(attention_of(s), stream),
      linear1(widening(s), stream),
      linear2(narrowing(s), stream),
      norm1(norm_of(s)),
      norm2(norm_of(s)),
      norm3(norm_of(s)),
      dropout(s.dropout, stream),
      dropout1(s.dropout, stream),
      dropout2(s.dropout, stream),
      dropout3(s.dropout, stream) {}

template <Real T>
Tensor<T> TransformerDecoderLayer<T>::operator()(const Operand<T>& x, const Operand<T>& memory,
                                                 const AttentionOptions& own,
                                                 const AttentionOptions& to_memory) {
  return decode(*this, x, memory, own, to_memory);
}
template <Real T>
Tensor<T> TransformerDecoderLayer<T>::operator()(const Operand<T>& x, const Operand<T>& memory,
                                                 const AttentionOptions& own,
                                                 const AttentionOptions& to_memory) const {
  return decode(*this, x, memory, own, to_memory);
}

namespace {

template <class T>
Tensor<T> encode_all(auto& model, const Operand<T>& x, const AttentionOptions& options) {
  return detail::in_layer(model, x, [&] {
    Tensor<T> y = detail::unchanged(x);
    for (auto& layer : model.layers) y = layer(y, options);
    return y;
  });
}
template <class T>
Tensor<T> decode_all(auto& model, const Operand<T>& x, const Operand<T>& memory,
                     const AttentionOptions& own, const AttentionOptions& to_memory) {
  return detail::in_layer(model, x, [&] {
    Tensor<T> y = detail::unchanged(x);
    for (auto& layer : model.layers) y = layer(y, memory, own, to_memory);
    return y;
  });
}

}  // namespace

template <Real T>
TransformerEncoder<T>::TransformerEncoder(const TransformerSettings& settings,
                                          std::int64_t num_layers, Stream& stream)
    : layers(repeated<TransformerEncoderLayer<T>>(name, settings, num_layers, stream)) {}
template <Real T>
Tensor<T> TransformerEncoder<T>::operator()(const Operand<T>& x, const AttentionOptions& options) {
  return encode_all(*this, x, options);
}
template <Real T>
Tensor<T> TransformerEncoder<T>::operator()(const Operand<T>& x,
                                            const AttentionOptions& options) const {
  return encode_all(*this, x, options);
}
template <Real T>
TransformerEncoder<T> TransformerEncoder<T>::clone() const {
  return copy_of(*this);
}

template <Real T>
TransformerDecoder<T>::TransformerDecoder(const TransformerSettings& settings,
                                          std::int64_t num_layers, Stream& stream)
    : layers(repeated<TransformerDecoderLayer<T>>(name, settings, num_layers, stream)) {}
template <Real T>
Tensor<T> TransformerDecoder<T>::operator()(const Operand<T>& x, const Operand<T>& memory,
                                            const AttentionOptions& own,
                                            const AttentionOptions& to_memory) {
  return decode_all(*this, x, memory, own, to_memory);
}
template <Real T>
Tensor<T> TransformerDecoder<T>::operator()(const Operand<T>& x, const Operand<T>& memory,
                                            const AttentionOptions& own,
                                            const AttentionOptions& to_memory) const {
  return decode_all(*this, x, memory, own, to_memory);
}
template <Real T>
TransformerDecoder<T> TransformerDecoder<T>::clone() const {
  return copy_of(*this);
}

template struct TransformerEncoderLayer<float>;
template struct TransformerEncoderLayer<double>;
template struct TransformerDecoderLayer<float>;
template struct TransformerDecoderLayer<double>;
template struct TransformerEncoder<float>;
template struct TransformerEncoder<double>;
template struct TransformerDecoder<float>;
template struct TransformerDecoder<double>;

}  // namespace ebb::inline v0::nn
