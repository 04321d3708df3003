// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/layers/embedding.hpp"

#include <algorithm>

#include "ebb/autodiff/ops.hpp"
#include "ebb/nn/initialisation.hpp"

namespace ebb::inline v0::nn {

void EmbeddingSettings::each(Fields& field) {
  field("num_embeddings", num_embeddings);
  field("embedding_dim", embedding_dim);
  std::int64_t index = padding_idx.value_or(-1);
  field("padding_idx", index);
  padding_idx = index < 0 ? std::nullopt : std::optional(index);
}

namespace {

template <class T>
Array<T> start(const EmbeddingSettings& s, Stream& stream) {
  detail::check_at_least("Embedding", "num_embeddings", s.num_embeddings, 1);
  detail::check_at_least("Embedding", "embedding_dim", s.embedding_dim, 1);
  Array<T> rows = normal<T>({s.num_embeddings, s.embedding_dim}, 0, 1, stream);
  if (!s.padding_idx) return rows;
  if (*s.padding_idx < 0 || *s.padding_idx >= s.num_embeddings) {
    throw ArgumentError("Embedding: padding_idx = " + std::to_string(*s.padding_idx) +
                        " is none of the " + std::to_string(s.num_embeddings) + " rows");
  }
  std::fill_n(rows.mutate() + *s.padding_idx * s.embedding_dim, s.embedding_dim, T(0));
  return rows;
}

}  // namespace

template <Real T>
Embedding<T>::Embedding(const EmbeddingSettings& s, Stream& stream)
    : settings(s), weight(start<T>(s, stream)) {}

template <Real T>
Tensor<T> Embedding<T>::operator()(const Array<std::int64_t>& indices) const {
  return detail::in_layer(*this, indices, [&] {
    return embedding(indices, weight, {.padding_index = settings.padding_idx});
  });
}

template struct Embedding<float>;
template struct Embedding<double>;

}  // namespace ebb::inline v0::nn
