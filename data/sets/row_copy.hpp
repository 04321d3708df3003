// SPDX-License-Identifier: BSD-3-Clause
// Rows of bytes from one place to another, as fast as memory gives them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace ebb::inline v0::data::detail {

/// So many rows ahead of the one that is copied are asked for.
constexpr std::size_t rows_ahead = 16;

/// Shuffled rows lie anywhere in memory, where the hardware does not look ahead. To the second
/// cache: the first one has no room for so many requests.
inline void fetch_row(const std::byte* row, std::size_t bytes) {
  constexpr std::size_t line = 64;
  for (std::size_t k = 0; k < bytes; k += line) __builtin_prefetch(row + k, 0, 2);
}

/// A row in pieces that need no call; the last piece overlaps the one before it.
inline void copy_row(std::byte* out, const std::byte* in, std::size_t bytes) {
  constexpr std::size_t piece = 64;
  if (bytes < piece || bytes > 4096) {
    std::memcpy(out, in, bytes);
    return;
  }
  for (std::size_t k = 0; k + piece <= bytes; k += piece) std::memcpy(out + k, in + k, piece);
  std::memcpy(out + bytes - piece, in + bytes - piece, piece);
}

/// Copies the rows with these indices, which are known to be there, side by side.
void copy_rows(std::byte* out, const std::byte* in, std::size_t bytes,
               std::span<const std::int64_t> indices);

/// Asks the memory for the first of these rows; those outside of [0, n) are passed over.
void fetch_rows(const std::byte* in, std::size_t bytes, std::int64_t n,
                std::span<const std::int64_t> indices);

}  // namespace ebb::inline v0::data::detail
