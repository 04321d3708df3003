// SPDX-License-Identifier: BSD-3-Clause
// Counts every way to malloc of a program, but for the sanitizers, which have their own. One unit
// of a program may include it.
#pragma once
#include <atomic>
#include <cerrno>
#include <cstdlib>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::test {
inline std::atomic<long> allocations = 0;
}

#ifndef EBB_SANITIZES
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

// Visible, so that the C++ library calls them as well, whatever the unit hides.
#pragma GCC visibility push(default)
void* malloc(std::size_t size) {
  ++ebb::test::allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++ebb::test::allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* p, std::size_t size) {
  ++ebb::test::allocations;
  return __libc_realloc(p, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  ++ebb::test::allocations;
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** p, std::size_t alignment, std::size_t size) {
  *p = memalign(alignment, size);
  return *p ? 0 : ENOMEM;
}
#pragma GCC visibility pop
}
#endif
