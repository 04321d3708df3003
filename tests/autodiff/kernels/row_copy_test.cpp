// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/kernels/row_copy.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "ebb/autodiff/values/array.hpp"
#include "ebb/autodiff/values/random.hpp"

using namespace ebb;

namespace {

/// Whether row i of `out` is row indices[i] of `in`, for every i.
bool are_copies(const std::byte* out, const std::byte* in, std::size_t bytes,
                const std::vector<std::int64_t>& indices) {
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const std::byte* row = in + std::size_t(indices[i]) * bytes;
    if (!std::equal(row, row + bytes, out + i * bytes)) return false;
  }
  return true;
}

std::vector<std::byte> random_bytes(std::size_t count) {
  Stream stream(1);
  std::vector<std::byte> bytes(count);
  for (std::byte& b : bytes) b = std::byte(stream.next() & 255);
  return bytes;
}

std::vector<std::int64_t> random_rows(std::size_t count, std::int64_t rows) {
  Stream stream(2);
  std::vector<std::int64_t> indices(count);
  for (std::int64_t& index : indices) index = std::int64_t(stream.below(std::uint64_t(rows)));
  return indices;
}

}  // namespace

TEST_SUITE_BEGIN("kernels");

TEST_CASE("rows of any size at any address are copied, and nothing beside them is written") {
  constexpr std::int64_t rows = 60;
  const auto indices = random_rows(40, rows);
  std::vector<std::size_t> sizes{4095, 4096, 4097, 9000};  // the last ones are beyond a cache, too
  for (std::size_t bytes = 0; bytes <= 600; ++bytes) sizes.push_back(bytes);
  for (const std::size_t bytes : sizes) {
    for (const std::size_t shift : {0U, 1U, 4U}) {
      CAPTURE(bytes);
      CAPTURE(shift);
      const auto in = random_bytes(shift + std::size_t(rows) * bytes);
      std::vector<std::byte> out(shift + indices.size() * bytes + 64, std::byte(77));
      detail::copy_rows(out.data() + shift, in.data() + shift, bytes, rows, indices);
      CHECK(are_copies(out.data() + shift, in.data() + shift, bytes, indices));
      const auto end = out.end() - 64;
      CHECK(std::all_of(end, out.end(), [](std::byte b) { return b == std::byte(77); }));
      CHECK(std::all_of(out.begin(), out.begin() + std::ptrdiff_t(shift),
                        [](std::byte b) { return b == std::byte(77); }));
    }
  }
}

TEST_CASE("rows that are written past the caches are copies, too") {
  constexpr std::int64_t rows = 3000, count = 40000;
  const auto indices = random_rows(count, rows);
  for (const std::int64_t bytes :
       {256, 288, 260}) {  // whole vectors of every set, of some, of none
    CAPTURE(bytes);
    const auto in = random_bytes(std::size_t(rows * bytes));
    auto out = Array<float>::zeros({count, bytes / 4});
    auto* to = reinterpret_cast<std::byte*>(out.mutate());
    detail::copy_rows(to, in.data(), std::size_t(bytes), rows, indices);
    CHECK(are_copies(to, in.data(), std::size_t(bytes), indices));
  }
}

TEST_CASE("one index that is outside is seen, wherever it stands") {
  std::vector<std::int64_t> indices = random_rows(37, 9);
  indices[36] = 8;
  CHECK(detail::are_inside(indices, 9));
  CHECK(detail::are_inside({}, 0));
  CHECK_FALSE(detail::are_inside(indices, 8));
  CHECK_FALSE(detail::are_inside(indices, 0));
  for (const std::int64_t index : {std::int64_t(9), std::int64_t(-1), INT64_MAX, INT64_MIN}) {
    for (std::int64_t& at : indices) {
      const std::int64_t before = std::exchange(at, index);
      CHECK_FALSE(detail::are_inside(indices, 9));
      at = before;
    }
  }
}

TEST_SUITE_END();
