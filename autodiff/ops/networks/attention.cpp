// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/networks/attention.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ebb/autodiff/engine/identity.hpp"
#include "ebb/autodiff/ops/linear_algebra/batch.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

/// True where a query sees a key: (queries, keys). The last query sees the last key.
Array<bool> causal_mask(std::int64_t queries, std::int64_t keys) {
  auto mask = Array<bool>::uninitialized({queries, keys});
  bool* const m = mask.mutate();
  for (std::int64_t i = 0; i < queries; ++i) {
    for (std::int64_t k = 0; k < keys; ++k) m[i * keys + k] = k - (keys - queries) <= i;
  }
  return mask;
}

/// Attention in operations on tensors, of which the derivatives of its pull are made.
template <class T>
Tensor<T> restated(bool causal, const Tensor<T>& query, const Tensor<T>& key,
                   const Tensor<T>& value, const Array<bool>& mask) {
  const Shape& q = query.shape();
  const std::int64_t d = q[q.rank() - 1], queries = q[q.rank() - 2];
  Tensor<T> scores = matmul(query * (1 / std::sqrt(double(d))), key, {.transpose_b = true});
  const Tensor<T> out = -std::numeric_limits<T>::infinity();
  if (causal) {
    scores = where(causal_mask(queries, key.shape()[key.rank() - 2]), scores, out);
  }
  return matmul(softmax(where(mask, scores, out)), value);
}

}  // namespace

template <class T>
Tensor<T> pull_attention_as_operations(const AttentionCall& call, std::span<const Tensor<T>> in) {
  Records& tape = *current_records();
  std::vector<Tensor<T>> points;
  std::vector<GradientOf<T>> wanted;
  for (int k = 0; k < 3; ++k) {
    const Tensor<T>& x = in[std::size_t(k) + 1];
    points.push_back(identity_record(tape, Access::place(x).record, x));
    if (call.needs >> k & 1) wanted.push_back(points.back());
  }
  const auto mask = Access::array<bool>(retain(Access::block(in[4])));
  const Tensor<T> y = restated(call.causal, points[0], points[1], points[2], mask);
  std::vector<Tensor<T>> flat;
  for (const Tensor<T>& part : grad(y, wanted, {.create_graph = true}, &in[0])) {
    flat.push_back(reshape(part, {part.size(), 1}));
  }
  return concat(flat);
}
EBB_FOR_REALS(pull_attention_as_operations)

}  // namespace detail

namespace {

using detail::Access;
using detail::Matrices;

/// @throws ArgumentError for a row of a mask without a key.
void check_rows(const Array<bool>& mask) {
  const Shape& s = mask.shape();
  const std::int64_t keys = s.rank() > 0 ? s[s.rank() - 1] : 1;
  for (std::int64_t row = 0; keys > 0 && row < s.size() / keys; ++row) {
    const bool* const first = mask.begin() + row * keys;
    if (std::any_of(first, first + keys, [](bool takes_part) { return takes_part; })) continue;
    throw ArgumentError("attention: row " + std::to_string(row) + " of the mask " + to_string(s) +
                        " leaves out every key; a query needs one, so leave out the query after "
                        "the attention");
  }
}

/// @throws ShapeError for operands that do not fit each other.
void check_shapes(const Shape& q, const Shape& k, const Shape& v) {
  const int rank = q.rank();
  if (rank >= 2 && k.rank() == rank && v.rank() == rank && q[rank - 1] == k[rank - 1] &&
      k[rank - 2] == v[rank - 2] && k[rank - 2] >= 1) {
    return;
  }
  throw ShapeError(
      "attention: query must be (..., queries, d), key (..., keys, d) and value (..., keys, v), "
      "not " +
      to_string(q) + ", " + to_string(k) + " and " + to_string(v));
}

}  // namespace

template <Real T>
Tensor<T> scaled_dot_product_attention(const Operand<T>& query, const Operand<T>& key,
                                       const Operand<T>& value, const AttentionOptions& o) {
  constexpr std::string_view name = op::Attention::name;
  const Shape &q = Access::shape(query, name), &k = Access::shape(key, name),
              &v = Access::shape(value, name);
  check_shapes(q, k, v);
  const auto of = [&](const Shape& batch, std::int64_t rows, std::int64_t columns) {
    return detail::batch_of(name, batch, {rows, columns});
  };
  const std::int64_t d = q[q.rank() - 1], keys = k[k.rank() - 2], columns = v[v.rank() - 1];
  const Shape batch =
      detail::common_batch(name, of(detail::common_batch(name, q, k), q[q.rank() - 2], keys), v);
  Shape scores = of(batch, q[q.rank() - 2], keys);
  if (!o.mask.empty()) {
    scores = broadcast(name, scores, o.mask.shape());
    if (scores[scores.rank() - 1] != keys) {
      detail::throw_shapes(name, "the mask must broadcast to (..., queries, keys)", o.mask.shape(),
                           of(batch, q[q.rank() - 2], keys));
    }
    check_rows(o.mask);
  }
  const Matrices all(scores);
  const auto fitted = [&](const Operand<T>& x, const Shape& own, const Shape& shape) {
    return own == shape ? Access::as_tensor(x) : broadcast_to(x, shape);
  };
  // Probabilities that take at most twice the memory of query and result are kept for the gradient,
  // which saves a fifth of the time; others are computed again.
  const bool keeps = detail::current_records() != nullptr && keys <= 2 * (d + columns);
  const std::int64_t kept = keeps ? all.count() * detail::kept_of_head<T>(all.rows, keys) : 0;
  return detail::apply<op::Attention, T>(
      {.causal = o.causal}, fitted(query, q, of(all.batch, all.rows, d)),
      fitted(key, k, of(all.batch, keys, d)), fitted(value, v, of(all.batch, keys, columns)),
      o.mask.empty() ? Array<bool>(true) : o.mask, Array<T>::uninitialized({kept}));
}
EBB_FOR_REALS(scaled_dot_product_attention)

}  // namespace ebb::inline v0
