// SPDX-License-Identifier: BSD-3-Clause
// Attention, and what says where a part of a sequence stands.
#pragma once
#include "ebb/autodiff/operations/networks.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/nn/layers/dropout.hpp"
#include "ebb/nn/layers/linear.hpp"

namespace ebb::inline v0::nn {

using ebb::AttentionOptions;
using ebb::scaled_dot_product_attention;

struct EBB_API MultiheadAttentionSettings {
  std::int64_t embed_dim;  ///< at least 1
  std::int64_t num_heads;  ///< divides embed_dim
  double dropout = 0;      ///< in [0, 1]: of the result of each head
  bool bias = true;

  void each(Fields& field);
};

/// Attention in several heads, each over its part of the features (Vaswani et al. 2017, section
/// 3.2.2): sequences (n, t, embed_dim), the batch first.
/// @pytorch has batch_first=False as the default, drops attention weights in place of results, and
/// has kdim, vdim, add_bias_kv and add_zero_attn. Its masks are true where a key is left out.
template <Real T>
struct EBB_API MultiheadAttention {
  static constexpr std::string_view name = "MultiheadAttention";
  MultiheadAttentionSettings settings;
  Variable<T> in_proj_weight;  ///< (3 embed_dim, embed_dim): of query, key and value
  Variable<T> in_proj_bias;    ///< (3 embed_dim,); none without one
  Linear<T> out_proj;
  Dropout dropout;

  /// Weights start as by Xavier, biases at 0.
  /// @throws ArgumentError for settings out of their range.
  explicit MultiheadAttention(const MultiheadAttentionSettings& settings,
                              Stream& stream = default_stream());

  /// Of a sequence to itself.
  /// @throws ShapeError for x other than (n, t, embed_dim), and a mask that does not fit.
  Tensor<T> operator()(const Operand<T>& x, const AttentionOptions& options = {});
  Tensor<T> operator()(const Operand<T>& x, const AttentionOptions& options = {}) const;
  /// Of queries (n, t, embed_dim) to another sequence (n, s, embed_dim).
  Tensor<T> operator()(const Operand<T>& query, const Operand<T>& memory,
                       const AttentionOptions& options = {});
  Tensor<T> operator()(const Operand<T>& query, const Operand<T>& memory,
                       const AttentionOptions& options = {}) const;

  EBB_INLINE void each(Parts& part) {
    part("in_proj_weight", in_proj_weight);
    if (settings.bias) part("in_proj_bias", in_proj_bias);
    part("out_proj", out_proj);
    part("dropout", dropout);
  }
  double operations(const Operand<T>& x, const Tensor<T>& y) const;
};

/// A mask for keys of sequences of these lengths, the longest of which is `steps`: (n, 1, 1,
/// steps), true before the end.
/// @throws ArgumentError for a length below 1 or above `steps`.
EBB_API Array<bool> mask_of_lengths(const Array<std::int64_t>& lengths, std::int64_t steps);

/// Adds sines and cosines of the position to x (n, t, features) (Vaswani et al. 2017, section 3.5):
/// feature 2 i has sin(t / 10000^(2 i / features)), and the next one the cosine. It has no parts.
struct EBB_API SinusoidalEncoding {
  static constexpr std::string_view name = "SinusoidalEncoding";
  /// @throws ShapeError if x is not (n, t, features).
  template <Real T>
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts&) {}
};

struct EBB_API LearnedEncodingSettings {
  std::int64_t max_length, features;  ///< at least 1

  void each(Fields& field);
};
/// Adds a vector that is learned for each position to x (n, t, features).
template <Real T>
struct EBB_API LearnedEncoding {
  static constexpr std::string_view name = "LearnedEncoding";
  LearnedEncodingSettings settings;
  Variable<T> weight;  ///< (max_length, features)

  /// Starts at normal numbers with deviation 0.02 (Radford et al. 2018).
  explicit LearnedEncoding(const LearnedEncodingSettings& settings,
                           Stream& stream = default_stream());
  /// @throws ShapeError if x is not (n, t, features) with t up to max_length.
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts& part) { part("weight", weight); }
};

}  // namespace ebb::inline v0::nn
