// SPDX-License-Identifier: BSD-3-Clause
// The widest vectors of the machine that the limits are compiled for, and the functions that they
// need on them. Nothing here is shared with the library: a mistake made there must show.
#pragma once
#include <immintrin.h>

#include <cstdint>

#define LIMIT_INLINE __attribute__((always_inline)) inline

namespace limits {
namespace {

#if defined(__AVX512F__)
inline constexpr int width = 16;
#elif defined(__AVX2__) && defined(__FMA__)
inline constexpr int width = 8;
#else
inline constexpr int width = 4;
#endif
template <int W>
struct Vector {
  typedef float type __attribute__((vector_size(W * 4)));
  typedef float unaligned __attribute__((vector_size(W * 4), aligned(4), may_alias));
  typedef std::int32_t integers __attribute__((vector_size(W * 4)));
};
using V = Vector<width>::type;
using I = Vector<width>::integers;
using Quad = Vector<4>::type;

LIMIT_INLINE V load(const float* from) {
  return *reinterpret_cast<const Vector<width>::unaligned*>(from);
}
LIMIT_INLINE void store(float* to, V x) { *reinterpret_cast<Vector<width>::unaligned*>(to) = x; }
LIMIT_INLINE Quad load4(const float* from) {
  return *reinterpret_cast<const Vector<4>::unaligned*>(from);
}
LIMIT_INLINE void store4(float* to, Quad x) { *reinterpret_cast<Vector<4>::unaligned*>(to) = x; }
LIMIT_INLINE V splat(float x) { return x - V{}; }
LIMIT_INLINE V larger(V a, V b) { return a > b ? a : b; }
LIMIT_INLINE V smaller(V a, V b) { return a < b ? a : b; }
/// x without its sign.
LIMIT_INLINE V magnitude(V x) { return (V)((I)x & 0x7fffffff); }
/// x where fewer than n lanes stand before, else 0.
LIMIT_INLINE V first(int n, V x) {
  I index;
  for (int i = 0; i < width; ++i) index[i] = i;
  return index < n ? x : V{};
}

/// A store that leaves the caches alone; `to` is aligned.
LIMIT_INLINE void stream(float* to, V x) {
#if defined(__AVX512F__)
  _mm512_stream_ps(to, x);
#elif defined(__AVX2__) && defined(__FMA__)
  _mm256_stream_ps(to, x);
#else
  _mm_stream_ps(to, x);
#endif
}
/// a * b + c.
LIMIT_INLINE V madd(V a, V b, V c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__) && defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}
LIMIT_INLINE V root(V x) {
#if defined(__AVX512F__)
  return _mm512_maskz_sqrt_ps(0xffff, x);
#elif defined(__AVX2__) && defined(__FMA__)
  return _mm256_sqrt_ps(x);
#else
  return _mm_sqrt_ps(x);
#endif
}

LIMIT_INLINE Quad fold(Quad x) { return x; }
#if defined(__AVX2__)
LIMIT_INLINE Quad fold(Vector<8>::type x) {
  return _mm256_castps256_ps128(x) + _mm256_extractf128_ps(x, 1);
}
#endif
#if defined(__AVX512F__)
LIMIT_INLINE Quad fold(Vector<16>::type x) {
  return fold(Vector<8>::type(__builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) +
                              __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15)));
}
#endif
/// The sum of all lanes.
LIMIT_INLINE float total(V x) {
  const Quad q = fold(x);
  return (q[0] + q[2]) + (q[1] + q[3]);
}
/// The sums of a, b, c and d side by side.
LIMIT_INLINE Quad totals(V a, V b, V c, V d) {
  const Quad p = fold(a), q = fold(b), r = fold(c), s = fold(d);
  const Quad pq =
      __builtin_shufflevector(p, q, 0, 4, 2, 6) + __builtin_shufflevector(p, q, 1, 5, 3, 7);
  const Quad rs =
      __builtin_shufflevector(r, s, 0, 4, 2, 6) + __builtin_shufflevector(r, s, 1, 5, 3, 7);
  return __builtin_shufflevector(pq, rs, 0, 1, 4, 5) + __builtin_shufflevector(pq, rs, 2, 3, 6, 7);
}
/// Lane i is the sum over the lanes of row(i).
template <class Row>
LIMIT_INLINE V row_totals(const Row& row) {
  V sums;
#pragma GCC unroll 4
  for (int i = 0; i < width; i += 4) {
    const Quad q = totals(row(i), row(i + 1), row(i + 2), row(i + 3));
#if defined(__AVX512F__)
    switch (i) {
      case 0:
        sums = _mm512_castps128_ps512(q);
        break;
      case 4:
        sums = _mm512_insertf32x4(sums, q, 1);
        break;
      case 8:
        sums = _mm512_insertf32x4(sums, q, 2);
        break;
      default:
        sums = _mm512_insertf32x4(sums, q, 3);
    }
#elif defined(__AVX2__) && defined(__FMA__)
    sums = i == 0 ? _mm256_castps128_ps256(q) : _mm256_insertf128_ps(sums, q, 1);
#else
    sums = q;
#endif
  }
  return sums;
}

/// 2^n r for n in the low bits of `exponent`, r near 1.
LIMIT_INLINE V scale(V r, I n) { return (V)((I)r + (n << 23)); }

/// x = n ln 2 + r with |r| <= ln(2) / 2, n in the low bits of `shifted`; p = exp(r) - 1.
struct Exponential {
  I shifted;
  V p;
  LIMIT_INLINE explicit Exponential(V x) {
    const V shift = splat(12582912.0f);
    const V t = madd(x, splat(1.44269504f), shift);
    const V n = t - shift;
    const V r = madd(n, splat(2.12194440e-4f), madd(n, splat(-0.693359375f), x));
    const V r2 = r * r;
    const V low = madd(r, splat(1.666654318e-01f), splat(4.999999814e-01f));
    const V high = madd(r, splat(8.366580305e-03f), splat(4.166720178e-02f));
    const V tail = madd(r2, madd(r2, splat(1.388250981e-03f), high), low);
    shifted = (I)t;
    p = madd(r2, tail, r);
  }
};
/// e^x, for results that are normal numbers; the nearest of these for others.
LIMIT_INLINE V exponential(V x) {
  const Exponential e(larger(smaller(x, splat(88.0f)), splat(-87.0f)));
  return scale(e.p + 1.0f, e.shifted);
}
LIMIT_INLINE V hyperbolic_tangent(V x) {
  // t = e^2|x| - 1; tanh|x| = t / (t + 2), which is 1 from 10 on.
  const V a = magnitude(x);
  const Exponential e(smaller(a + a, splat(20.0f)));
  const V power = scale(splat(1.0f), e.shifted);
  const V t = madd(power, e.p, power - 1.0f);
  return (V)((I)(t / (t + 2.0f)) | ((I)x & INT32_MIN));
}
/// erf(x): x + x p(x^2) for |x| < 1, and 1 - e^q(|x|) beyond, which is 1 from 3.95 on. Chebyshev
/// fits.
LIMIT_INLINE V error_function(V x) {
  const V a = smaller(magnitude(x), splat(3.95f)), z = x * x, z2 = z * z, z4 = z2 * z2;
  const V p0 = madd(z, splat(-3.761262667e-01f), splat(1.283791658e-01f));
  const V p1 = madd(z, splat(-2.685421201e-02f), splat(1.128359472e-01f));
  const V p2 = madd(z, splat(-8.016864287e-04f), splat(5.189087423e-03f));
  const V p = madd(z4, madd(z2, splat(7.875875063e-05f), p2), madd(z2, p1, p0));
  const V a2 = a * a, a4 = a2 * a2;
  const V q0 = madd(a, splat(-1.130272075e+00f), splat(3.293570892e-04f));
  const V q1 = madd(a, splat(-1.101471795e-01f), splat(-6.317575505e-01f));
  const V q2 = madd(a, splat(-4.774191028e-03f), splat(2.646087915e-02f));
  const V q3 = madd(a, splat(-4.645992365e-05f), splat(6.000554790e-04f));
  const V q4 = madd(a2, madd(a2, splat(1.658320522e-06f), q3), q2);
  const V far = 1.0f - exponential(madd(a4, q4, madd(a2, q1, q0)));
  const V y = a < 1.0f ? madd(a, p, a) : far;
  return (V)((I)y | ((I)x & INT32_MIN));
}
/// log(1 + x) for 0 <= x <= 1.
LIMIT_INLINE V logarithm_of_one_and(V x) {
  // 1 + x = 2^k (1 + f), k = 0 or 1, with f in [sqrt(1/2) - 1, sqrt(2) - 1).
  const auto upper = x >= 0.41421356f;
  const V f = upper ? madd(x, splat(0.5f), splat(-0.5f)) : x;
  const V f2 = f * f;
  const V a = madd(f, splat(-2.500082160e-01f), splat(3.333333170e-01f));
  const V b = madd(f, splat(-1.662333624e-01f), splat(2.000122782e-01f));
  const V c = madd(f, splat(-1.316036256e-01f), splat(1.420171858e-01f));
  const V d = madd(f, splat(-7.634491843e-02f), splat(1.276196368e-01f));
  const V f4 = f2 * f2;
  const V tail = madd(f4, madd(f2, d, c), madd(f2, b, a));
  const V y = f + f2 * madd(f, tail, splat(-0.5f));
  return upper ? y + 0.69314718f : y;
}

}  // namespace
}  // namespace limits
