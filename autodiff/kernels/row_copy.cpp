// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/kernels/row_copy.hpp"

#include <algorithm>

#include "ebb/autodiff/formula/lanes.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
namespace {

/// Rows of a size that the compiler knows, so that a copy is one instruction.
template <std::size_t Bytes>
void copy_small(std::byte* out, const std::byte* in, std::span<const std::int64_t> indices) {
  for (std::size_t i = 0; i < indices.size(); ++i) {
    std::memcpy(out + i * Bytes, in + std::size_t(indices[i]) * Bytes, Bytes);
  }
}

/// One row past the caches; both ends of `to` are aligned to lanes.
template <class L>
EBB_INLINE void stream_row(std::byte* to, const std::byte* from, std::size_t bytes) {
  for (std::size_t k = 0; k < bytes; k += sizeof(L)) {
    L::load(reinterpret_cast<const float*>(from + k)).stream(reinterpret_cast<float*>(to + k));
  }
}

/// The most whole lines of 64 bytes of a row with a loop for just so many.
constexpr int most_lines = 8;

/// A row of `lines` whole lines and at most a part of one. A loop over them would end with a jump
/// that is not foreseen, and the rows after it would then not be on their way.
template <class L, int lines>
EBB_INLINE void copy_lines(std::byte* to, const std::byte* from, std::size_t bytes) {
  detail::unrolled<lines>([&](auto k) EBB_LAMBDA {
    copy_line<sizeof(L)>(to + 64 * std::size_t(k), from + 64 * std::size_t(k));
  });
  copy_line<sizeof(L)>(to + bytes - 64, from + bytes - 64);
}
template <int lines>
EBB_INLINE void fetch_lines(const std::byte* row, std::size_t bytes) {
  detail::unrolled<lines>([&](auto k)
                              EBB_LAMBDA { __builtin_prefetch(row + 64 * std::size_t(k), 0, 2); });
  __builtin_prefetch(row + bytes - 1, 0, 2);
}

/// `lines` is 0 for rows of any size, which may be written past the caches.
template <class L, int lines>
EBB_INLINE void copy_each(std::byte* out, const std::byte* in, std::size_t bytes, std::int64_t rows,
                          std::span<const std::int64_t> indices, bool streams = false) {
  constexpr std::size_t cache = 256 << 10;  // what the second one holds at least
  const bool fetches = bytes <= longest_fetched && std::size_t(rows) * bytes > cache;
  const std::size_t fetched = fetches ? indices.size() : 0;
  for (std::size_t i = 0; i < indices.size(); ++i, out += bytes) {
    if (i + rows_ahead < fetched) {
      const std::byte* later = in + std::size_t(indices[i + rows_ahead]) * bytes;
      if constexpr (lines > 0) {
        fetch_lines<lines>(later, bytes);
      } else {
        fetch_row(later, bytes);
      }
    }
    const std::byte* from = in + std::size_t(indices[i]) * bytes;
    if constexpr (lines > 0) {
      copy_lines<L, lines>(out, from, bytes);
    } else if (streams) {
      stream_row<L>(out, from, bytes);
    } else {
      copy_row<sizeof(L)>(out, from, bytes);
    }
  }
  if (streams) L::stream_end();
}

template <class L, int lines = most_lines>
EBB_INLINE void copy_by_size(std::byte* out, const std::byte* in, std::size_t bytes,
                             std::int64_t rows, std::span<const std::int64_t> indices) {
  if constexpr (lines == 0) {
    copy_each<L, 0>(out, in, bytes, rows, indices);
  } else if (bytes / 64 == std::size_t(lines)) {
    copy_each<L, lines>(out, in, bytes, rows, indices);
  } else {
    copy_by_size<L, lines - 1>(out, in, bytes, rows, indices);
  }
}
template <class L>
EBB_INLINE void copy_all(std::byte* out, const std::byte* in, std::size_t bytes, std::int64_t rows,
                         std::span<const std::int64_t> indices) {
  if (sizeof(L) >= 32 && bytes % sizeof(L) == 0 &&
      prefers_streaming(out, std::int64_t(indices.size() * bytes))) {
    copy_each<L, 0>(out, in, bytes, rows, indices, true);
  } else {
    copy_by_size<L>(out, in, bytes, rows, indices);
  }
}

/// A number whose sign is set if any index is not in [0, last]: that of i | (last - i) shows it
/// without a branch.
EBB_INLINE std::uint64_t outside(std::span<const std::int64_t> indices, std::uint64_t last) {
  std::uint64_t any = 0;
  for (const std::int64_t i : indices) any |= std::uint64_t(i) | (last - std::uint64_t(i));
  return any;
}

template <class L, class T>
EBB_INLINE void add_each(T* y, const T* x, const std::int64_t* index, std::int64_t count,
                         std::int64_t size) {
  for (std::int64_t i = 0; i < count; ++i, x += size) {
    T* to = y + index[i] * size;
    std::int64_t j = 0;
    for (; j + L::size <= size; j += L::size) (L::load(to + j) + L::load(x + j)).store(to + j);
    for (; j < size; ++j) to[j] += x[j];
  }
}

using CopyLoop = void (*)(std::byte* out, const std::byte* in, std::size_t bytes, std::int64_t rows,
                          std::span<const std::int64_t> indices);
template <class T>
using AddLoop = void (*)(T* y, const T* x, const std::int64_t* index, std::int64_t count,
                         std::int64_t size);

// The wider the registers, the more rows are on their way from memory at a time.
#define EBB_ROW_LOOPS(set, width)                                                                \
  EBB_LOOP_##set void copy_##set(std::byte* out, const std::byte* in, std::size_t bytes,         \
                                 std::int64_t rows, std::span<const std::int64_t> indices) {     \
    copy_all<Lanes<float, width / sizeof(float)>>(out, in, bytes, rows, indices);                \
  }                                                                                              \
  EBB_LOOP_##set std::uint64_t outside_##set(std::span<const std::int64_t> indices,              \
                                             std::uint64_t last) {                               \
    return outside(indices, last);                                                               \
  }                                                                                              \
  template <class T>                                                                             \
  EBB_LOOP_##set void add_##set(T* y, const T* x, const std::int64_t* index, std::int64_t count, \
                                std::int64_t size) {                                             \
    add_each<Lanes<T, width / sizeof(T)>>(y, x, index, count, size);                             \
  }
EBB_FOR_EACH_ISA(EBB_ROW_LOOPS)
#undef EBB_ROW_LOOPS

}  // namespace

void copy_rows(std::byte* out, const std::byte* in, std::size_t bytes, std::int64_t rows,
               std::span<const std::int64_t> indices) {
  if (bytes == 4) return copy_small<4>(out, in, indices);
  if (bytes == 8) return copy_small<8>(out, in, indices);
  static constexpr CopyLoop loops[] = {&copy_sse2, &copy_avx2, &copy_avx512};
  loops[int(instruction_set())](out, in, bytes, rows, indices);
}

bool are_inside(std::span<const std::int64_t> indices, std::int64_t rows) {
  using Loop = std::uint64_t (*)(std::span<const std::int64_t> indices, std::uint64_t last);
  static constexpr Loop loops[] = {&outside_sse2, &outside_avx2, &outside_avx512};
  return std::int64_t(loops[int(instruction_set())](indices, std::uint64_t(rows) - 1)) >= 0;
}

void fetch_rows(const std::byte* in, std::size_t bytes, std::int64_t rows,
                std::span<const std::int64_t> indices) {
  if (bytes > longest_fetched) return;
  for (const std::int64_t index : indices.first(std::min(indices.size(), rows_ahead))) {
    if (index >= 0 && index < rows) fetch_row(in + std::size_t(index) * bytes, bytes);
  }
}

template <class T>
void add_rows(T* y, const T* x, const std::int64_t* index, std::int64_t count, std::int64_t size) {
  static constexpr AddLoop<T> loops[] = {&add_sse2<T>, &add_avx2<T>, &add_avx512<T>};
  loops[int(instruction_set())](y, x, index, count, size);
}
EBB_FOR_REALS(add_rows)

}  // namespace ebb::inline v0::detail
