// SPDX-License-Identifier: BSD-3-Clause
// The blocks of a Transformer (Vaswani et al. 2017).
#pragma once
#include <string>
#include <vector>

#include "ebb/nn/layers/attention.hpp"
#include "ebb/nn/layers/normalisation.hpp"

namespace ebb::inline v0::nn {

/// Of encoder and decoder layers.
struct EBB_API TransformerSettings {
  std::int64_t d_model;                 ///< features, at least 1
  std::int64_t nhead;                   ///< divides d_model
  std::int64_t dim_feedforward = 2048;  ///< at least 1
  double dropout = 0.1;                 ///< in [0, 1]
  std::string activation = "relu";      ///< or "gelu"
  double layer_norm_eps = 1e-5;
  bool norm_first = false;  ///< normalises what enters a part, not the sum after it
  bool bias = true;

  void each(Fields& field);
};

/// Attention of a sequence to itself and a network of two layers, each added to its input and
/// normalised: (n, t, d_model) to the same shape.
/// @pytorch has batch_first=False as the default.
template <Real T>
struct EBB_API TransformerEncoderLayer {
  static constexpr std::string_view name = "TransformerEncoderLayer";
  TransformerSettings settings;
  MultiheadAttention<T> self_attn;
  Linear<T> linear1, linear2;
  LayerNorm<T> norm1, norm2;
  Dropout dropout, dropout1, dropout2;

  /// @throws ArgumentError for settings out of their range.
  explicit TransformerEncoderLayer(const TransformerSettings& settings,
                                   Stream& stream = default_stream());

  /// @throws ShapeError for x other than (n, t, d_model), and a mask that does not fit.
  Tensor<T> operator()(const Operand<T>& x, const AttentionOptions& options = {});
  Tensor<T> operator()(const Operand<T>& x, const AttentionOptions& options = {}) const;

  EBB_INLINE void each(Parts& part) {
    part("self_attn", self_attn);
    part("linear1", linear1);
    part("linear2", linear2);
    part("norm1", norm1);
    part("norm2", norm2);
    part("dropout", dropout);
    part("dropout1", dropout1);
    part("dropout2", dropout2);
  }
};

/// As an encoder layer, with a second attention, to the result of an encoder: x (n, t, d_model) and
/// memory (n, s, d_model) give (n, t, d_model). A query sees only what is before it, unless its
/// options say otherwise.
/// @pytorch has no mask as the default; here the attention to the sequence itself is causal.
template <Real T>
struct EBB_API TransformerDecoderLayer {
  static constexpr std::string_view name = "TransformerDecoderLayer";
  TransformerSettings settings;
  MultiheadAttention<T> self_attn, multihead_attn;
  Linear<T> linear1, linear2;
  LayerNorm<T> norm1, norm2, norm3;
  Dropout dropout, dropout1, dropout2, dropout3;

  /// @throws ArgumentError for settings out of their range.
  explicit TransformerDecoderLayer(const TransformerSettings& settings,
                                   Stream& stream = default_stream());

  /// @throws ShapeError for other features, and masks that do not fit.
  Tensor<T> operator()(const Operand<T>& x, const Operand<T>& memory,
                       const AttentionOptions& own = {.causal = true},
                       const AttentionOptions& to_memory = {});
  Tensor<T> operator()(const Operand<T>& x, const Operand<T>& memory,
                       const AttentionOptions& own = {.causal = true},
                       const AttentionOptions& to_memory = {}) const;

  EBB_INLINE void each(Parts& part) {
    part("self_attn", self_attn);
    part("multihead_attn", multihead_attn);
    part("linear1", linear1);
    part("linear2", linear2);
    part("norm1", norm1);
    part("norm2", norm2);
    part("norm3", norm3);
    part("dropout", dropout);
    part("dropout1", dropout1);
    part("dropout2", dropout2);
    part("dropout3", dropout3);
  }
};

/// Encoder layers one after another: "layers.0", "layers.1", ...
template <Real T>
struct EBB_API TransformerEncoder {
  static constexpr std::string_view name = "TransformerEncoder";
  std::vector<TransformerEncoderLayer<T>> layers;

  /// @throws ArgumentError for less than one layer, and settings out of their range.
  TransformerEncoder(const TransformerSettings& settings, std::int64_t num_layers,
                     Stream& stream = default_stream());

  /// @throws ShapeError as a layer.
  Tensor<T> operator()(const Operand<T>& x, const AttentionOptions& options = {});
  Tensor<T> operator()(const Operand<T>& x, const AttentionOptions& options = {}) const;
  EBB_INLINE void each(Parts& part) { part("layers", layers); }
  TransformerEncoder clone() const;
};

/// Decoder layers one after another: "layers.0", "layers.1", ...
template <Real T>
struct EBB_API TransformerDecoder {
  static constexpr std::string_view name = "TransformerDecoder";
  std::vector<TransformerDecoderLayer<T>> layers;

  /// @throws ArgumentError for less than one layer, and settings out of their range.
  TransformerDecoder(const TransformerSettings& settings, std::int64_t num_layers,
                     Stream& stream = default_stream());

  /// @throws ShapeError as a layer.
  Tensor<T> operator()(const Operand<T>& x, const Operand<T>& memory,
                       const AttentionOptions& own = {.causal = true},
                       const AttentionOptions& to_memory = {});
  Tensor<T> operator()(const Operand<T>& x, const Operand<T>& memory,
                       const AttentionOptions& own = {.causal = true},
                       const AttentionOptions& to_memory = {}) const;
  EBB_INLINE void each(Parts& part) { part("layers", layers); }
  TransformerDecoder clone() const;
};

}  // namespace ebb::inline v0::nn
