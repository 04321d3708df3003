// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/dataset.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "ebb/autodiff/error.hpp"

namespace ebb::inline v0::data {
namespace {

/// Rows of a size that the compiler knows, so that a copy is one instruction.
template <class Row>
void copy_small(std::byte* out, const std::byte* in, std::span<const std::int64_t> indices) {
  for (std::size_t i = 0; i < indices.size(); ++i) {
    std::memcpy(out + i * sizeof(Row), in + std::size_t(indices[i]) * sizeof(Row), sizeof(Row));
  }
}

/// So many rows ahead of the one that is copied are asked for.
constexpr std::size_t rows_ahead = 16;

/// Shuffled rows lie anywhere in memory, where the hardware does not look ahead. To the second
/// cache: the first one has no room for so many requests.
void fetch_row(const std::byte* row, std::size_t bytes) {
  constexpr std::size_t line = 64;
  for (std::size_t k = 0; k < bytes; k += line) __builtin_prefetch(row + k, 0, 2);
}

/// A row in pieces that need no call; the last piece overlaps the one before it.
void copy_row(std::byte* out, const std::byte* in, std::size_t bytes) {
  constexpr std::size_t piece = 64;
  if (bytes < piece || bytes > 4096) {
    std::memcpy(out, in, bytes);
    return;
  }
  for (std::size_t k = 0; k + piece <= bytes; k += piece) std::memcpy(out + k, in + k, piece);
  std::memcpy(out + bytes - piece, in + bytes - piece, piece);
}

void copy_rows(std::byte* out, const std::byte* in, std::size_t bytes,
               std::span<const std::int64_t> indices) {
  if (bytes == 4) return copy_small<std::uint32_t>(out, in, indices);
  if (bytes == 8) return copy_small<std::uint64_t>(out, in, indices);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (i + rows_ahead < indices.size()) {
      fetch_row(in + std::size_t(indices[i + rows_ahead]) * bytes, bytes);
    }
    copy_row(out + i * bytes, in + std::size_t(indices[i]) * bytes, bytes);
  }
}

}  // namespace

namespace detail {

template <class T>
Array<T> take_rows(const char* operation, const Array<T>& array,
                   std::span<const std::int64_t> indices) {
  const std::int64_t n = array.shape()[0];
  for (const std::int64_t index : indices) {
    if (index < 0 || index >= n) [[unlikely]] {
      throw ArgumentError(std::string(operation) + ": row " + std::to_string(index) +
                          " of an array with " + std::to_string(n) + " rows");
    }
  }
  const Shape shape = array.shape().with(0, std::int64_t(indices.size()));
  auto rows = Array<T>::uninitialized(shape);
  if (shape.size() == 0) return rows;
  copy_rows(reinterpret_cast<std::byte*>(rows.mutate()),
            reinterpret_cast<const std::byte*>(array.data()),
            std::size_t(array.size() / n) * sizeof(T), indices);
  return rows;
}

template <class T>
void expect_rows(const Array<T>& array, std::span<const std::int64_t> indices) {
  const std::int64_t n = array.shape()[0];
  const std::size_t bytes = std::size_t(array.size() / n) * sizeof(T);
  const auto* data = reinterpret_cast<const std::byte*>(array.data());
  for (const std::int64_t index : indices.first(std::min(indices.size(), rows_ahead))) {
    if (index >= 0 && index < n) fetch_row(data + std::size_t(index) * bytes, bytes);
  }
}

void check_rows(const char* operation, const Shape& x, const Shape& y) {
  if (x.rank() > 0 && y.rank() > 0 && x[0] == y[0]) return;
  throw ShapeError(std::string(operation) + ": inputs of shape " + to_string(x) +
                   " and targets of shape " + to_string(y) +
                   "; both must have the same number of rows");
}

#define EBB_INSTANTIATE(T)                                                                  \
  template Array<T> take_rows(const char*, const Array<T>&, std::span<const std::int64_t>); \
  template void expect_rows(const Array<T>&, std::span<const std::int64_t>);
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
void TensorDataset<T, U>::expect(std::span<const std::int64_t> indices) const {
  if (size() == 0) return;
  detail::expect_rows(x, indices);
  detail::expect_rows(y, indices);
}

template struct TensorDataset<float>;
template struct TensorDataset<double>;
template struct TensorDataset<float, std::int64_t>;
template struct TensorDataset<double, std::int64_t>;

}  // namespace ebb::inline v0::data
