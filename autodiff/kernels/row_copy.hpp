// SPDX-License-Identifier: BSD-3-Clause
// Rows by index, as fast as memory gives them: operations and data sets take theirs here.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0::detail {

/// How many rows before its turn a row is asked for.
constexpr std::size_t rows_ahead = 16;
/// Longer rows than this, in bytes, are not asked for: within them the hardware looks ahead.
constexpr std::size_t longest_fetched = 4096;

/// Asks the memory for a row, since the hardware does not foresee rows in any order. To the second
/// cache: the first one has no room for so many requests.
EBB_INLINE void fetch_row(const std::byte* row, std::size_t bytes) {
  constexpr std::size_t line = 64;
  for (std::size_t k = 0; k < bytes; k += line) __builtin_prefetch(row + k, 0, 2);
}

/// The first and the last `Size` bytes of a row of at most twice as many: all of it.
template <std::size_t Size>
EBB_INLINE void copy_ends(std::byte* to, const std::byte* from, std::size_t bytes) {
  std::byte first[Size], last[Size];
  std::memcpy(first, from, Size);
  std::memcpy(last, from + bytes - Size, Size);
  std::memcpy(to, first, Size);
  std::memcpy(to + bytes - Size, last, Size);
}

/// 64 bytes in registers of `Width` bytes.
template <std::size_t Width>
EBB_INLINE void copy_line(std::byte* to, const std::byte* from) {
  typedef float Register __attribute__((vector_size(Width), aligned(1), may_alias));
  EBB_UNROLL
  for (std::size_t k = 0; k < 64; k += Width) {
    *reinterpret_cast<Register*>(to + k) = *reinterpret_cast<const Register*>(from + k);
  }
}

/// One row, in pieces that need no call; the last piece overlaps the one before it.
template <std::size_t Width = 16>
EBB_INLINE void copy_row(std::byte* to, const std::byte* from, std::size_t bytes) {
  if (bytes > longest_fetched) {
    std::memcpy(to, from, bytes);
  } else if (bytes >= 64) {
    for (std::size_t k = 0; k + 64 <= bytes; k += 64) copy_line<Width>(to + k, from + k);
    copy_line<Width>(to + bytes - 64, from + bytes - 64);
  } else if (bytes >= 32) {
    copy_ends<32>(to, from, bytes);
  } else if (bytes >= 16) {
    copy_ends<16>(to, from, bytes);
  } else if (bytes >= 8) {
    copy_ends<8>(to, from, bytes);
  } else if (bytes >= 4) {
    copy_ends<4>(to, from, bytes);
  } else {
    for (std::size_t k = 0; k < bytes; ++k) to[k] = from[k];
  }
}

/// Copies rows of `bytes` bytes side by side: out[i] = in[indices[i]], each index in [0, rows).
/// Addresses need no alignment.
EBB_API void copy_rows(std::byte* out, const std::byte* in, std::size_t bytes, std::int64_t rows,
                       std::span<const std::int64_t> indices);

/// True if all indices are in [0, rows). One that is not must be looked for.
EBB_API bool are_inside(std::span<const std::int64_t> indices, std::int64_t rows);

/// Asks the memory for the first of these rows; indices outside of [0, rows) are passed over.
void fetch_rows(const std::byte* in, std::size_t bytes, std::int64_t rows,
                std::span<const std::int64_t> indices);

/// y[index[i]] += x[i] for `count` rows of `size` elements, one row after another.
template <class T>
void add_rows(T* y, const T* x, const std::int64_t* index, std::int64_t count, std::int64_t size);

}  // namespace ebb::inline v0::detail
