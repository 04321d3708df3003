// SPDX-License-Identifier: BSD-3-Clause
// What every unit needs to know of the compiler.
#pragma once

/// Marks what is visible outside a shared library.
#define EBB_API __attribute__((visibility("default")))
/// A function that never becomes a symbol. Inline functions of public headers are marked so: units
/// compiled with different flags would share a symbol, and a program might get the wrong one.
/// Sanitizers pass over it, since a formula of such functions would take them minutes to compile.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EBB_INLINE __attribute__((always_inline, no_sanitize("undefined"))) inline
#else
#define EBB_INLINE __attribute__((always_inline)) inline
#endif

/// On the way of every small step. The linker puts these functions side by side, in a few pages: it
/// is the fetch of instructions that such a step waits for, up to a tenth of its time.
#define EBB_HOT __attribute__((hot))

#ifdef __FAST_MATH__
#error "ebb needs IEEE arithmetic: compile without -ffast-math"
#endif

/// Before a loop over a fixed number of registers, which otherwise would live in memory. Sanitizers
/// check every access, and sixteen times as many take minutes to compile.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EBB_UNROLL
#elif defined(__clang__)
#define EBB_UNROLL _Pragma("unroll")
#else
#define EBB_UNROLL _Pragma("GCC unroll 16")
#endif

/// A loop over lanes: everything that it calls is inlined.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EBB_LOOP flatten, no_sanitize("undefined")
#else
#define EBB_LOOP flatten
#endif
/// The same for each instruction set, in a unit of any flags. Lists of features, not architectures:
/// g++ refuses to inline across the latter.
#define EBB_LOOP_sse2 __attribute__((EBB_LOOP))
#define EBB_LOOP_avx2 __attribute__((EBB_LOOP, target("avx2,fma")))
#define EBB_LOOP_avx512 \
  __attribute__((EBB_LOOP, target("avx2,fma,avx512f,avx512bw,avx512dq,avx512cd,avx512vl")))
