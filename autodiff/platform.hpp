// SPDX-License-Identifier: BSD-3-Clause
// What every unit needs to know of the compiler.
#pragma once

/// Marks what is visible outside a shared library.
#define EBB_API __attribute__((visibility("default")))
/// A function that never becomes a symbol: safe in units compiled with different flags.
#define EBB_INLINE __attribute__((always_inline)) inline

#ifdef __FAST_MATH__
#error "ebb needs IEEE arithmetic: compile without -ffast-math"
#endif

/// Before a loop over a fixed number of registers, which otherwise would live in memory.
#if defined(__clang__)
#define EBB_UNROLL _Pragma("unroll")
#else
#define EBB_UNROLL _Pragma("GCC unroll 16")
#endif
