// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/sets/sparse_dataset.hpp"

#include <algorithm>
#include <utility>

namespace ebb::inline v0::data {

template <Real T, class U>
SparseDataset<T, U>::SparseDataset(SparseRows<T> inputs, Array<U> targets)
    : x(std::move(inputs)), y(std::move(targets)) {
  detail::check_rows("SparseDataset", x.shape(), y.shape());
}

template <Real T, class U>
SparseBatch<T, U> SparseDataset<T, U>::rows(std::span<const std::int64_t> indices) const {
  auto targets = detail::take_rows("SparseDataset", y, indices);
  return {x.rows(indices), std::move(targets)};
}

template <Real T, class U>
void SparseDataset<T, U>::prefetch(std::span<const std::int64_t> indices) const {
  constexpr std::size_t most_rows = 256;  // more would push the first ones out again
  const std::int64_t* const ranges = x.ranges().data();
  const auto fetch = [](const auto* first, const auto* last) {
    for (; first < last; first += 64 / sizeof(*first)) __builtin_prefetch(first, 0, 2);
  };
  for (const std::int64_t i : indices.first(std::min(indices.size(), most_rows))) {
    if (i < 0 || i >= size()) continue;
    const std::int64_t begin = ranges[2 * i], end = ranges[2 * i + 1];
    fetch(x.shared_indices().data() + begin, x.shared_indices().data() + end);
    fetch(x.shared_values().data() + begin, x.shared_values().data() + end);
  }
}

template struct SparseDataset<float, float>;
template struct SparseDataset<double, double>;
template struct SparseDataset<float, std::int64_t>;
template struct SparseDataset<double, std::int64_t>;

}  // namespace ebb::inline v0::data
