// SPDX-License-Identifier: BSD-3-Clause
// Compiler-dependent macros.
#pragma once

/// Marks an entity that is visible outside of a shared library.
#define EBB_API __attribute__((visibility("default")))

// EBB_SANITIZES: a unit is compiled with a sanitizer that looks at every access to memory. g++ has
// macros for them, clang has features.
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define EBB_SANITIZES_ADDRESSES
#elif __has_feature(thread_sanitizer)
#define EBB_SANITIZES_THREADS
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define EBB_SANITIZES_ADDRESSES
#elif defined(__SANITIZE_THREAD__)
#define EBB_SANITIZES_THREADS
#endif
#if defined(EBB_SANITIZES_ADDRESSES) || defined(EBB_SANITIZES_THREADS)
#define EBB_SANITIZES
#endif

/// Marks a function that never becomes a symbol. Inline functions of public headers are marked so:
/// otherwise units compiled with different flags would share a symbol, and a program might get the
/// wrong one. Sanitizers do not check it, since a formula of such functions would then take minutes
/// to compile.
#ifdef EBB_SANITIZES
#define EBB_INLINE __attribute__((always_inline, no_sanitize("undefined"))) inline
/// After the parameters of a lambda: it is always inlined.
#define EBB_LAMBDA __attribute__((always_inline, no_sanitize("undefined")))
#else
#define EBB_INLINE __attribute__((always_inline)) inline
#define EBB_LAMBDA __attribute__((always_inline))
#endif

/// Marks a function that every small step runs. The linker puts these functions together, in a few
/// pages: fetching their instructions takes up to a tenth of the time of such a step.
#define EBB_HOT __attribute__((hot))

#ifdef __FAST_MATH__
#error "ebb needs IEEE arithmetic: compile without -ffast-math"
#endif

/// Unrolls a loop over a fixed number of registers, which would otherwise be in memory. With
/// sanitizers it has no effect, since they check every access, and code sixteen times as long takes
/// minutes to compile.
#ifdef EBB_SANITIZES
#define EBB_UNROLL
#elif defined(__clang__)
#define EBB_UNROLL _Pragma("unroll")
#else
#define EBB_UNROLL _Pragma("GCC unroll 16")
#endif

/// Marks a loop over lanes: every function that it calls is inlined.
#ifdef EBB_SANITIZES
#define EBB_LOOP flatten, no_sanitize("undefined")
#else
#define EBB_LOOP flatten
#endif
/// Marks a loop over lanes for one instruction set, in a unit compiled with any flags. The
/// attributes list features, not architectures: g++ refuses to inline across architectures.
#define EBB_LOOP_sse2 __attribute__((EBB_LOOP))
#define EBB_LOOP_avx2 __attribute__((EBB_LOOP, target("avx2,fma")))
#define EBB_LOOP_avx512 \
  __attribute__((EBB_LOOP, target("avx2,fma,avx512f,avx512bw,avx512dq,avx512cd,avx512vl")))
/// Calls X(set, bytes of its registers) for each instruction set of which a unit has loops, in the
/// order of `InstructionSet`.
#define EBB_FOR_EACH_ISA(X) X(sse2, 16) X(avx2, 32) X(avx512, 64)

// The instruction set of a translation unit is part of the name of its templates on SIMD lanes.
// Units compiled with other flags have other symbols, so that the linker cannot give a unit code
// that its machine cannot run.
#if defined(__AVX512F__)
#define EBB_ISA_NAMESPACE unit_avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define EBB_ISA_NAMESPACE unit_avx2_fma
#elif defined(__AVX__)
#define EBB_ISA_NAMESPACE unit_avx
#else
#define EBB_ISA_NAMESPACE unit_base
#endif
