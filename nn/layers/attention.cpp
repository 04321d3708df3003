// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/attention.hpp"

#include <cmath>

#include "ebb/autodiff/ops.hpp"
#include "ebb/nn/initialisation.hpp"

namespace ebb::inline v0::nn {

void MultiheadAttentionSettings::each(Fields& field) {
  field("embed_dim", embed_dim);
  field("num_heads", num_heads);
  field("dropout", dropout);
  field("bias", bias);
}
void LearnedEncodingSettings::each(Fields& field) {
  field("max_length", max_length);
  field("features", features);
}

namespace {

const MultiheadAttentionSettings& checked(const MultiheadAttentionSettings& s) {
  detail::check_at_least("MultiheadAttention", "embed_dim", s.embed_dim, 1);
  detail::check_at_least("MultiheadAttention", "num_heads", s.num_heads, 1);
  if (s.embed_dim % s.num_heads != 0) {
    throw ArgumentError("MultiheadAttention: " + std::to_string(s.num_heads) + " heads of " +
                        std::to_string(s.embed_dim) + " features; the heads must be equal");
  }
  return s;
}

template <class T>
Linear<T> projection(const MultiheadAttentionSettings& s, Stream& stream) {
  Linear<T> layer({.in_features = s.embed_dim, .out_features = s.embed_dim, .bias = s.bias},
                  stream);
  if (s.bias) layer.bias.set_value(Array<T>::zeros({s.embed_dim}));
  return layer;
}

void check_sequence(std::string_view layer, const Shape& x, std::int64_t features) {
  if (x.rank() == 3 && x[2] == features) return;
  throw ShapeError(std::string(layer) + ": a sequence must be (n, t, " + std::to_string(features) +
                   "), not " + to_string(x));
}

/// (n, t, features) as (n, heads, t, features / heads).
template <class T>
Tensor<T> in_heads(const Tensor<T>& x, std::int64_t heads) {
  const Shape& s = x.shape();
  return transpose(reshape(x, {s[0], s[1], heads, s[2] / heads}), {0, 2, 1, 3});
}

/// Rows [part * features, ...) of the projections of query, key and value.
template <class T>
Tensor<T> projected(const MultiheadAttention<T>& layer, const Operand<T>& x, std::int64_t first,
                    std::int64_t count) {
  const std::int64_t e = layer.settings.embed_dim;
  const SliceRange rows{first * e, (first + count) * e};
  const Tensor<T> weight = slice(layer.in_proj_weight, 0, rows);
  if (!layer.settings.bias) return linear(x, weight, Array<T>::zeros({count * e}));
  return linear(x, weight, slice(layer.in_proj_bias, 0, rows));
}

template <class T>
Tensor<T> attend(auto& layer, const Operand<T>& query, const Operand<T>& memory, bool is_own,
                 const AttentionOptions& options) {
  return detail::in_layer(layer, query, [&] {
    const auto& s = layer.settings;
    const std::int64_t e = s.embed_dim;
    check_sequence(layer.name, query.shape(), e);
    check_sequence(layer.name, memory.shape(), e);
    Tensor<T> q, kv;
    if (is_own) {
      const Tensor<T> all = projected<T>(layer, query, 0, 3);
      q = slice(all, 2, {0, e});
      kv = slice(all, 2, {e, 3 * e});
    } else {
      q = projected<T>(layer, query, 0, 1);
      kv = projected<T>(layer, memory, 1, 2);
    }
    const Tensor<T> result = scaled_dot_product_attention(
        in_heads(q, s.num_heads), in_heads(slice(kv, 2, {0, e}), s.num_heads),
        in_heads(slice(kv, 2, {e, 2 * e}), s.num_heads), options);
    const Tensor<T> joined = reshape(transpose(result, {0, 2, 1, 3}), query.shape());
    return layer.out_proj(s.dropout > 0 ? layer.dropout(joined) : joined);
  });
}

}  // namespace

template <Real T>
MultiheadAttention<T>::MultiheadAttention(const MultiheadAttentionSettings& s, Stream& stream)
    : settings(checked(s)),
      in_proj_weight(xavier_uniform<T>({3 * s.embed_dim, s.embed_dim}, stream)),
      in_proj_bias(s.bias ? Variable<T>(Array<T>::zeros({3 * s.embed_dim})) : Variable<T>::none()),
      out_proj(projection<T>(s, stream)),
      dropout(s.dropout, stream) {}

template <Real T>
Tensor<T> MultiheadAttention<T>::operator()(const Operand<T>& x, const AttentionOptions& options) {
  return attend(*this, x, x, true, options);
}
template <Real T>
Tensor<T> MultiheadAttention<T>::operator()(const Operand<T>& x,
                                            const AttentionOptions& options) const {
  return attend(*this, x, x, true, options);
}
template <Real T>
Tensor<T> MultiheadAttention<T>::operator()(const Operand<T>& query, const Operand<T>& memory,
                                            const AttentionOptions& options) {
  return attend(*this, query, memory, false, options);
}
template <Real T>
Tensor<T> MultiheadAttention<T>::operator()(const Operand<T>& query, const Operand<T>& memory,
                                            const AttentionOptions& options) const {
  return attend(*this, query, memory, false, options);
}

template <Real T>
double MultiheadAttention<T>::operations(const Operand<T>&, const Tensor<T>& y) const {
  // Three projections, and the products with keys and values; out_proj has a row of its own.
  const double rows = double(y.shape()[0] * y.shape()[1]), e = double(settings.embed_dim);
  return rows * 2 * e * (3 * e + 2 * double(y.shape()[1]));
}

Array<bool> mask_of_lengths(const Array<std::int64_t>& lengths, std::int64_t steps) {
  const std::int64_t n = lengths.size();
  auto mask = Array<bool>::uninitialized({n, 1, 1, steps});
  bool* const m = mask.mutate();
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t length = lengths.begin()[i];
    if (length < 1 || length > steps) {
      throw ArgumentError("mask_of_lengths: length " + std::to_string(length) + " of sequence " +
                          std::to_string(i) + "; it is from 1 to " + std::to_string(steps));
    }
    for (std::int64_t t = 0; t < steps; ++t) m[i * steps + t] = t < length;
  }
  return mask;
}

template <Real T>
Tensor<T> SinusoidalEncoding::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] {
    const Shape& s = x.shape();
    if (s.rank() != 3) {
      throw ShapeError("SinusoidalEncoding: a sequence must be (n, t, features), not " +
                       to_string(s));
    }
    auto wave = Array<T>::uninitialized({s[1], s[2]});
    T* const w = wave.mutate();
    for (std::int64_t t = 0; t < s[1]; ++t) {
      for (std::int64_t f = 0; f < s[2]; ++f) {
        const double angle = double(t) / std::pow(10000.0, double(f / 2 * 2) / double(s[2]));
        w[t * s[2] + f] = T(f % 2 == 0 ? std::sin(angle) : std::cos(angle));
      }
    }
    return x + wave;
  });
}
template Tensor<float> SinusoidalEncoding::operator()(const Operand<float>&) const;
template Tensor<double> SinusoidalEncoding::operator()(const Operand<double>&) const;

namespace {

Shape checked(const LearnedEncodingSettings& s) {
  detail::check_at_least("LearnedEncoding", "max_length", s.max_length, 1);
  detail::check_at_least("LearnedEncoding", "features", s.features, 1);
  return {s.max_length, s.features};
}

}  // namespace

template <Real T>
LearnedEncoding<T>::LearnedEncoding(const LearnedEncodingSettings& s, Stream& stream)
    : settings(s), weight(normal<T>(checked(s), 0, 0.02, stream)) {}

template <Real T>
Tensor<T> LearnedEncoding<T>::operator()(const Operand<T>& x) const {
  return detail::in_layer(*this, x, [&] {
    check_sequence(name, x.shape(), settings.features);
    const std::int64_t steps = x.shape()[1];
    if (steps > settings.max_length) {
      throw ShapeError("LearnedEncoding: a sequence of " + std::to_string(steps) +
                       " steps; max_length is " + std::to_string(settings.max_length));
    }
    return x + slice(weight, 0, {0, steps});
  });
}

template struct MultiheadAttention<float>;
template struct MultiheadAttention<double>;
template struct LearnedEncoding<float>;
template struct LearnedEncoding<double>;

}  // namespace ebb::inline v0::nn
