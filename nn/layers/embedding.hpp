// SPDX-License-Identifier: BSD-3-Clause
// Vectors for whole numbers, such as the words of a text.
#pragma once
#include <optional>

#include "ebb/autodiff/values/random.hpp"
#include "ebb/nn/layers/layer.hpp"

namespace ebb::inline v0::nn {

struct EBB_API EmbeddingSettings {
  std::int64_t num_embeddings, embedding_dim;  ///< at least 1
  /// The index whose vector starts at zeros and gets no gradient.
  std::optional<std::int64_t> padding_idx = {};

  void each(Fields& field);
};

/// A vector for each index: indices of shape (...) give (..., embedding_dim). A step takes as long
/// as the rows that were drawn, for a rule that rests where the gradient is 0.
/// @pytorch counts a negative padding_idx from the end, and has max_norm, scale_grad_by_freq and
/// sparse.
template <Real T>
struct EBB_API Embedding {
  static constexpr std::string_view name = "Embedding";
  EmbeddingSettings settings;
  Variable<T> weight;  ///< (num_embeddings, embedding_dim)

  /// Starts at normal numbers with mean 0 and deviation 1.
  /// @throws ArgumentError for sizes below 1, and a padding index that is no row.
  explicit Embedding(const EmbeddingSettings& settings, Stream& stream = default_stream());
  EBB_INLINE Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim,
                       Stream& stream = default_stream())
      : Embedding(EmbeddingSettings{num_embeddings, embedding_dim}, stream) {}

  /// @throws ArgumentError for an index that is no row.
  Tensor<T> operator()(const Array<std::int64_t>& indices) const;

  EBB_INLINE void each(Parts& part) { part("weight", weight); }
};

}  // namespace ebb::inline v0::nn
