// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/networks/embedding.hpp"

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/ops/shapes.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {

template <Real T>
Tensor<T> embedding(const Array<std::int64_t>& indices, const Operand<T>& weight,
                    EmbeddingOptions options) {
  const Shape w = detail::Access::shape(weight, "embedding"), s = indices.shape();
  if (w.rank() != 2) detail::throw_shapes("embedding", "weight must be (rows, columns)", w);
  if (indices.empty()) detail::throw_empty_operand("embedding");
  detail::check_range("embedding", detail::Access::block(indices), w[0], &w);
  const auto flat = indices.reshape({indices.size()});
  Tensor<T> rows = gather_rows(weight, flat);
  if (const auto padding = options.padding_index) {
    if (*padding < 0 || *padding >= w[0]) {
      throw ArgumentError("embedding: padding_index = " + std::to_string(*padding) +
                          "; it is in [0, " + std::to_string(w[0]) + ")");
    }
    auto padded = Array<bool>::uninitialized({flat.size(), 1});
    bool* p = padded.mutate();
    for (std::int64_t i = 0; i < flat.size(); ++i) p[i] = flat[i] == *padding;
    rows = where(padded, rows.detach(), rows);
  }
  std::vector<std::int64_t> sizes(s.sizes().begin(), s.sizes().end());
  sizes.push_back(w[1]);
  return reshape(rows, Shape(sizes));
}

EBB_FOR_REALS(embedding)

}  // namespace ebb::inline v0
