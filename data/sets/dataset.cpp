// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/sets/dataset.hpp"

#include <cmath>
#include <string>
#include <utility>

#include "ebb/autodiff/kernels/row_copy.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/binary_file.hpp"
#include "ebb/data/splits/split.hpp"

namespace ebb::inline v0::data {
namespace detail {

void check_indices(const char* operation, std::span<const std::int64_t> indices, std::int64_t n,
                   const char* what) {
  if (ebb::detail::are_inside(indices, n)) return;
  for (const std::int64_t index : indices) {
    if (index < 0 || index >= n) {
      throw ArgumentError(std::string(operation) + ": row " + std::to_string(index) + " of " +
                          what + " with " + count_of(n, "row"));
    }
  }
}

template <class T>
Array<T> take_rows(const char* operation, const Array<T>& array,
                   std::span<const std::int64_t> indices) {
  const std::int64_t n = array.shape()[0];
  check_indices(operation, indices, n, "an array");
  const Shape shape = array.shape().with(0, std::int64_t(indices.size()));
  auto rows = Array<T>::uninitialized(shape);
  if (shape.size() == 0) return rows;
  ebb::detail::copy_rows(reinterpret_cast<std::byte*>(rows.mutate()),
                         reinterpret_cast<const std::byte*>(array.data()),
                         std::size_t(array.size() / n) * sizeof(T), n, indices);
  return rows;
}

template <class T>
void prefetch_rows(const Array<T>& array, std::span<const std::int64_t> indices) {
  const std::int64_t n = array.shape()[0];
  ebb::detail::fetch_rows(reinterpret_cast<const std::byte*>(array.data()),
                          std::size_t(array.size() / n) * sizeof(T), n, indices);
}

void check_rows(const char* operation, const Shape& x, const Shape& y) {
  if (x.rank() > 0 && y.rank() > 0 && x[0] == y[0]) return;
  throw ShapeError(std::string(operation) + ": inputs of shape " + to_string(x) +
                   " and targets of shape " + to_string(y) +
                   "; both must have the same number of rows");
}

#define EBB_INSTANTIATE(T)                                                                  \
  template Array<T> take_rows(const char*, const Array<T>&, std::span<const std::int64_t>); \
  template void prefetch_rows(const Array<T>&, std::span<const std::int64_t>);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
EBB_INSTANTIATE(std::int64_t)
#undef EBB_INSTANTIATE

}  // namespace detail

template <Real T, class U>
TensorDataset<T, U>::TensorDataset(Array<T> inputs, Array<U> targets)
    : x(std::move(inputs)), y(std::move(targets)) {
  detail::check_rows("TensorDataset", x.shape(), y.shape());
}

template <Real T, class U>
Batch<T, U> TensorDataset<T, U>::rows(std::span<const std::int64_t> indices) const {
  return {detail::take_rows("TensorDataset", x, indices),
          detail::take_rows("TensorDataset", y, indices)};
}

template <Real T, class U>
void TensorDataset<T, U>::prefetch(std::span<const std::int64_t> indices) const {
  if (size() == 0) return;
  detail::prefetch_rows(x, indices);
  detail::prefetch_rows(y, indices);
}

template <Real T, class U>
Split<T, U> train_test_split(const Array<T>& x, const Array<U>& y, SplitOptions options) {
  const char* const name = "train_test_split";
  detail::check_rows(name, x.shape(), y.shape());
  const std::int64_t n = x.shape()[0];
  const std::string text =
      std::string(name) + ": a test fraction of " + ebb::detail::to_text(options.test);
  if (!(options.test > 0 && options.test < 1)) {
    throw ArgumentError(text + "; it must be inside (0, 1)");
  }
  const std::int64_t test = std::llround(options.test * double(n));
  if (test < 1 || test >= n) {
    throw ArgumentError(text + " leaves " + std::to_string(test) + " of " + std::to_string(n) +
                        " rows to test and " + std::to_string(n - test) +
                        " to train on; both need at least one");
  }
  const Parts split = split_rows(n, {.test = options.test, .seed = options.seed});
  return {{detail::take_rows(name, x, split.train), detail::take_rows(name, y, split.train)},
          {detail::take_rows(name, x, split.test), detail::take_rows(name, y, split.test)}};
}

#define EBB_INSTANTIATE(T, U)          \
  template struct TensorDataset<T, U>; \
  template EBB_API Split<T, U> train_test_split(const Array<T>&, const Array<U>&, SplitOptions);
EBB_INSTANTIATE(float, float)
EBB_INSTANTIATE(double, double)
EBB_INSTANTIATE(float, std::int64_t)
EBB_INSTANTIATE(double, std::int64_t)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::data
