// SPDX-License-Identifier: BSD-3-Clause
// Attention, forward and back, some queries of a head at a time: their scores stay in a cache.
#pragma once
#include <span>

#include "ebb/autodiff/values/tensor.hpp"

namespace ebb::inline v0::detail {

/// Options of the records of attention.
struct AttentionCall {
  bool causal = false;
  std::uint8_t needs = 0;  ///< for the pull: the inputs whose gradients it computes, one bit each
};

/// How many numbers the probabilities of a head take: whole vectors may be written past their end.
template <class T>
constexpr std::int64_t kept_of_head(std::int64_t queries, std::int64_t keys) {
  constexpr std::int64_t vector = 64 / int(sizeof(T));
  return (queries * keys / vector + 2) * vector;
}
/// The result (..., queries, v) for query (..., queries, d), key (..., keys, d) and value (...,
/// keys, v), whose first axes are equal; the mask broadcasts to (..., queries, keys).
/// `kept` has `kept_of_head` numbers for each head, which receive the probabilities; or none.
template <class T>
Block* run_attention(const AttentionCall& call, Block* query, Block* key, Block* value, Block* mask,
                     Block* kept);
/// The gradients that are needed, one after the other, from that of the result.
template <class T>
Block* pull_attention(const AttentionCall& call, Block* g, Block* query, Block* key, Block* value,
                      Block* mask, Block* kept);
/// These gradients in operations on tensors, made by a sweep over a restatement. `in` has what the
/// pull has.
template <class T>
Tensor<T> pull_attention_as_operations(const AttentionCall& call, std::span<const Tensor<T>> in);

}  // namespace ebb::inline v0::detail
