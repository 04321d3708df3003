// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/kernels/row_copy.hpp"

#include "ebb/autodiff/formula/lanes.hpp"
#include "ebb/autodiff/kernels/table.hpp"

namespace ebb::inline v0::detail {
namespace {

template <class T>
using RowLoop = void (*)(T* y, const T* x, const std::int64_t* index, std::int64_t count,
                         std::int64_t size);

template <class L, class T>
EBB_INLINE void copy_each(T* y, const T* x, const std::int64_t* index, std::int64_t count,
                          std::int64_t size) {
  // Past the caches only where every vector is aligned.
  const bool streams = sizeof(L) >= 32 && size % L::size == 0 && prefers_streaming(y, count * size);
  for (std::int64_t i = 0; i < count; ++i, y += size) {
    const T* from = x + index[i] * size;
    std::int64_t j = 0;
    if (streams) {
      for (; j < size; j += L::size) L::load(from + j).stream(y + j);
    }
    for (; j + L::size <= size; j += L::size) L::load(from + j).store(y + j);
    for (; j < size; ++j) y[j] = from[j];
  }
  if (streams) L::stream_end();
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

#define EBB_ROW_LOOPS(set, bytes)                                                                 \
  template <class T>                                                                              \
  EBB_LOOP_##set void copy_##set(T* y, const T* x, const std::int64_t* index, std::int64_t count, \
                                 std::int64_t size) {                                             \
    copy_each<Lanes<T, bytes / sizeof(T)>>(y, x, index, count, size);                             \
  }                                                                                               \
  template <class T>                                                                              \
  EBB_LOOP_##set void add_##set(T* y, const T* x, const std::int64_t* index, std::int64_t count,  \
                                std::int64_t size) {                                              \
    add_each<Lanes<T, bytes / sizeof(T)>>(y, x, index, count, size);                              \
  }
EBB_ROW_LOOPS(sse2, 16)
EBB_ROW_LOOPS(avx2, 32)
EBB_ROW_LOOPS(avx512, 64)
#undef EBB_ROW_LOOPS

}  // namespace

template <class T>
void copy_rows(T* y, const T* x, const std::int64_t* index, std::int64_t count, std::int64_t size) {
  static constexpr RowLoop<T> loops[] = {&copy_sse2<T>, &copy_avx2<T>, &copy_avx512<T>};
  loops[int(instruction_set())](y, x, index, count, size);
}

template <class T>
void add_rows(T* y, const T* x, const std::int64_t* index, std::int64_t count, std::int64_t size) {
  static constexpr RowLoop<T> loops[] = {&add_sse2<T>, &add_avx2<T>, &add_avx512<T>};
  loops[int(instruction_set())](y, x, index, count, size);
}

#define EBB_INSTANTIATE(T)                                                                \
  template void copy_rows(T*, const T*, const std::int64_t*, std::int64_t, std::int64_t); \
  template void add_rows(T*, const T*, const std::int64_t*, std::int64_t, std::int64_t);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::detail
