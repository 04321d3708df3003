// SPDX-License-Identifier: BSD-3-Clause
// exp, log, log1p, expm1 and sqrt on lanes. The functions based on them are in separate headers.
// Coefficients without a source are minimax fits of the function named above them (Remez exchange,
// relative error).
#pragma once
#include <limits>

#include "ebb/autodiff/formula/lanes_core.hpp"

namespace ebb::inline v0::inline EBB_ISA_NAMESPACE {

namespace lane {

template <class T>
inline constexpr bool is_float = sizeof(T) == 4;
/// Bits of the stored significand, and the bias of the exponent.
template <class T>
inline constexpr int digits = is_float<T> ? 23 : 52;
template <class T>
inline constexpr int bias = is_float<T> ? 127 : 1023;
/// Adding and then subtracting this number rounds to the nearest integer. Between both steps the
/// integer is in the low bits.
template <class T>
inline constexpr T shifter = is_float<T> ? T(12582912.0) : T(6755399441055744.0);
template <class T>
inline constexpr T infinity = std::numeric_limits<T>::infinity();
template <class T>
inline constexpr T least_normal = std::numeric_limits<T>::min();
template <class T>
inline constexpr T epsilon = std::numeric_limits<T>::epsilon();
template <class T>
inline constexpr T not_a_number = std::numeric_limits<T>::quiet_NaN();

/// ln 2 as a sum; products of the first part with integers up to 2^11 are exact (Cephes, fdlibm).
template <class T>
inline constexpr T ln2_high = is_float<T> ? T(0.693359375) : T(6.93147180369123816490e-01);
template <class T>
inline constexpr T ln2_low = is_float<T> ? T(-2.12194440e-4) : T(1.90821492927058770002e-10);

/// Coefficients of a polynomial, lowest power first.
template <class T, int count>
struct Coefficients {
  T c[count];
};
template <class T, class... U>
Coefficients(T, U...) -> Coefficients<T, 1 + sizeof...(U)>;

/// x, x^2, x^4 and x^8. Unused ones cost nothing.
template <class L>
struct Powers {
  L x1, x2, x4, x8;
  EBB_INLINE explicit Powers(const L& x) : x1(x), x2(x * x), x4(x2 * x2), x8(x4 * x4) {}
};

/// The polynomial with `count` coefficients from First on, by Estrin's scheme: its chains are
/// short, so that a single vector is fast, too. It uses a power only if that shortens the chain.
template <int First, int count, class L, class T, int Size>
EBB_INLINE L estrin(const Powers<L>& x, const Coefficients<T, Size>& p) {
  if constexpr (count == 1) {
    return L(p.c[First]);
  } else if constexpr (count == 2) {
    return madd(x.x1, L(p.c[First + 1]), p.c[First]);
  } else if constexpr (count <= 6) {
    return madd(x.x2, estrin<First + 2, count - 2>(x, p), estrin<First, 2>(x, p));
  } else if constexpr (count <= 12) {
    return madd(x.x4, estrin<First + 4, count - 4>(x, p), estrin<First, 4>(x, p));
  } else {
    return madd(x.x8, estrin<First + 8, count - 8>(x, p), estrin<First, 8>(x, p));
  }
}
template <class L, class T, int count>
EBB_INLINE L polynomial(const Powers<L>& x, const Coefficients<T, count>& p) {
  return estrin<0, count>(x, p);
}

/// The polynomial with the constant added last: if the constant is the largest term, the sum rounds
/// once.
template <class L, class T, int count>
EBB_INLINE L polynomial_on_constant(const Powers<L>& x, const Coefficients<T, count>& p) {
  return madd(x.x1, estrin<1, count - 1>(x, p), p.c[0]);
}

/// (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2.
template <class T>
inline constexpr auto exp_tail = [] {
  if constexpr (is_float<T>) {
    return Coefficients{4.999999814e-01f, 1.666654318e-01f, 4.166720178e-02f, 8.366580305e-03f,
                        1.388250981e-03f};
  } else {
    return Coefficients{5.00000000000000555e-01, 1.66666666666665880e-01, 4.16666666665761118e-02,
                        8.33333333338995459e-03, 1.38888889317947484e-03, 1.98412697183527459e-04,
                        2.48015049791525845e-05, 2.75574078552628293e-06, 2.76261613246549945e-07,
                        2.50537796205345633e-08};
  }
}();

/// x = n ln 2 + r; exp(x) = 2^n (1 + p).
template <class L>
struct ExpParts {
  typename L::Bits n;  // n plus Offset in the low bits; the other bits are not defined
  L p;
};
template <int Offset, bool Corrected = false, class T, int W>
EBB_INLINE ExpParts<Lanes<T, W>> exp_parts(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  constexpr T shift = shifter<T> + T(Offset);
  const L t = madd(x, T(1.4426950408889634), shift);
  const L n = t - shift;
  const L high = madd(n, -ln2_high<T>, x);
  const L r = madd(n, -ln2_low<T>, high);
  const Powers<L> powers(r);
  const L tail = polynomial(powers, exp_tail<T>);
  if constexpr (Corrected) {
    // The part that rounding takes from r matters if 1 is subtracted afterwards.
    return {t.bits(), madd(powers.x2, tail, madd(n, -ln2_low<T>, high - r)) + r};
  } else {
    return {t.bits(), madd(powers.x2, tail, r)};
  }
}

/// 2^(n - k) (1 + p) for an offset of 2 bias - k. The power of two is divided into two factors,
/// both normal numbers, so that the ends of the range round once.
template <class L>
EBB_INLINE L assembled(const ExpParts<L>& parts) {
  using T = typename L::value_type;
  const auto half = parts.n >> 1;
  return (parts.p + 1) * L(half << digits<T>) * L((parts.n - half) << digits<T>);
}

/// k ln 2 + log(1 + f) for 1 + f in [sqrt(1/2), sqrt(2)).
template <class T, int W>
EBB_INLINE Lanes<T, W> log_reduced(const Lanes<T, W>& k, const Lanes<T, W>& f) {
  using L = Lanes<T, W>;
  const Powers<L> powers(f);
  if constexpr (is_float<T>) {
    // (log(1 + f) - f + f^2 / 2) / f^3.
    constexpr Coefficients tail{3.333333170e-01f,  -2.500082160e-01f, 2.000122782e-01f,
                                -1.662333624e-01f, 1.420171858e-01f,  -1.316036256e-01f,
                                1.276196368e-01f,  -7.634491843e-02f};
    const L y = madd(f * powers.x2, polynomial(powers, tail), k * ln2_low<T>);
    return madd(k, ln2_high<T>, f + madd(powers.x2, T(-0.5), y));
  } else {
    // fdlibm e_log.c: log(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)), s = f / (2 + f).
    constexpr Coefficients tail{6.666666666666735130e-01, 3.999999999940941908e-01,
                                2.857142874366239149e-01, 2.222219843214978396e-01,
                                1.818357216161805012e-01, 1.531383769920937332e-01,
                                1.479819860511658591e-01};
    const L s = f / (f + 2);
    const Powers<L> squares(s * s);
    const L half = powers.x2 * 0.5;
    const L R = squares.x1 * polynomial(squares, tail);
    return madd(k, ln2_high<T>, f - (half - madd(s, half + R, k * ln2_low<T>)));
  }
}

/// u = 2^k m with m in [sqrt(1/2), sqrt(2)), for positive normal u; after fdlibm e_logf.c.
template <class L>
struct LogParts {
  using T = typename L::value_type;
  using Bits = typename L::Bits;
  using Word = typename Bits::Word;
  static constexpr Word one = Word(bias<T>) << digits<T>;
  static constexpr Word root = is_float<T> ? Word(0x3f3504f3) : Word(0x3fe6a09e667f3bcd);
  static constexpr Word fraction = (Word(1) << digits<T>)-1;

  Bits shifted, biased;  // the exponent of `shifted` is k
  EBB_INLINE explicit LogParts(const L& u)
      : shifted(u.bits() + (one - root)), biased(shifted >> digits<T>) {}
  /// m - 1.
  EBB_INLINE L f() const { return L((shifted & fraction) + root) - 1; }
  /// k, computed from a number whose last bit counts ones.
  EBB_INLINE L k() const {
    constexpr Word unit = Word(bias<T> + digits<T>) << digits<T>;
    return L(biased | unit) - (T(Word(1) << digits<T>) + T(bias<T>));
  }
  /// 2^(1 - k), which is finite and normal or zero for every k.
  EBB_INLINE L scale() const { return L((Word(2 * bias<T> + 1) - biased) << digits<T>); }
};

/// x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), for positive finite x.
template <class L>
struct LogArgument {
  L k, f;
};
template <class T, int W>
EBB_INLINE LogArgument<Lanes<T, W>> log_argument(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  const auto subnormal = x < least_normal<T>;
  constexpr int lift = digits<T> + 1;
  const LogParts<L> parts(select(subnormal, x * T(typename L::Bits::Word(1) << lift), x));
  return {parts.k() - select(subnormal, lift, 0), parts.f()};
}

/// Sets the values of the logarithm at the ends of its domain (low, infinity) and outside of it.
template <class T, int W>
EBB_INLINE Lanes<T, W> log_domain(const Lanes<T, W>& x, T low, const Lanes<T, W>& inside) {
  using L = Lanes<T, W>;
  const L y = select(x < infinity<T>, inside, x);
  return select(x > low, y, select(x == low, L(-infinity<T>), L(not_a_number<T>)));
}

}  // namespace lane

/// e to the power of each lane.
template <class T, int W>
EBB_INLINE Lanes<T, W> exp(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  // Outside of these bounds the result is infinite, or less than half of the smallest number.
  const L c = x.clamped(is_float<T> ? T(-104) : T(-746), is_float<T> ? T(89) : T(710));
  const ExpParts<L> parts = exp_parts<2 * bias<T>>(c);
#ifdef __AVX512F__
  if constexpr (sizeof(L) == 64) {
    // One instruction, which rounds once, as the code below, and so gives the same bits. It is used
    // only in units whose functions all have it: in others a formula may be in a separate function.
    const L n = L(parts.n) - (shifter<T> + T(2 * bias<T>));
    L y = parts.p + 1;
    if constexpr (is_float<T>) {
      asm("vscalefps %1, %0, %0" : "+v"(y.reg) : "v"(n.reg));
    } else {
      asm("vscalefpd %1, %0, %0" : "+v"(y.reg) : "v"(n.reg));
    }
    return y;
  }
#endif
  return assembled(parts);
}

/// exp(x) - 1, accurate also next to 0.
template <class T, int W>
EBB_INLINE Lanes<T, W> expm1(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  const L c = x.clamped(is_float<T> ? T(-20) : T(-40), is_float<T> ? T(89) : T(710));
  const ExpParts<L> parts = exp_parts<bias<T> - 1, true>(c);
  // Half of the result, since 2^n may be too large: 2^(n-1) p + (2^(n-1) - 1/2).
  const L scale(parts.n << digits<T>);
  const L half = madd(scale, parts.p, scale - 0.5);
  // A tiny x is the result: p / 2 would lose a bit of subnormal numbers, and the sum the sign of 0.
  return select(x.magnitude() < epsilon<T> / 4, x, half + half);
}

/// The natural logarithm.
template <class T, int W>
EBB_INLINE Lanes<T, W> log(const Lanes<T, W>& x) {
  using namespace lane;
  const auto u = log_argument(x);
  return log_domain(x, T(0), log_reduced(u.k, u.f));
}

/// log(1 + x), accurate also next to 0.
template <class T, int W>
EBB_INLINE Lanes<T, W> log1p(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  // The part that is lost by rounding 1 + x goes into the reduced argument, which for small x is x
  // again.
  const L u = x + 1;
  const L c = x - (u - 1);
  const LogParts<L> parts(u);
  const L y = log_reduced(parts.k(), madd(c, parts.scale() * 0.5, parts.f()));
  return log_domain(x, T(-1), L(y.bits() | x.sign_bits()));
}

/// The square root, correctly rounded.
template <class T, int W>
EBB_INLINE Lanes<T, W> sqrt(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  L y;
  if constexpr (sizeof(L) == 16 && lane::is_float<T>) {
    y.reg = __builtin_ia32_sqrtps(x.reg);
  } else if constexpr (sizeof(L) == 16) {
    y.reg = __builtin_ia32_sqrtpd(x.reg);
  } else if constexpr (sizeof(L) < 16) {
    for (int i = 0; i < W; ++i) y.reg[i] = __builtin_sqrtf(float(x.reg[i]));
  } else {
#ifdef __clang__
#ifdef __NO_MATH_ERRNO__
    constexpr int largest = 32;  // clang 14 does not vectorize a loop of 64 bytes
#else
    constexpr int largest = 16;
#endif
    if constexpr (sizeof(L) > largest) {
      y = L::join(sqrt(x.low()), sqrt(x.high()));
    } else {
      for (int i = 0; i < W; ++i) {
        const T v = x.reg[i];
        y.reg[i] = lane::is_float<T> ? T(__builtin_sqrtf(float(v))) : T(__builtin_sqrt(v));
      }
    }
#else
    if constexpr (sizeof(L) <= lane::unit_bytes) {
      // A loop would call the C library, to set errno if the user's flags require it.
      if constexpr (lane::is_float<T>) {
        asm("vsqrtps %1, %0" : "=v"(y.reg) : "v"(x.reg));
      } else {
        asm("vsqrtpd %1, %0" : "=v"(y.reg) : "v"(x.reg));
      }
    } else {
#ifdef __NO_MATH_ERRNO__
      for (int i = 0; i < W; ++i) {
        const T v = x.reg[i];
        y.reg[i] = lane::is_float<T> ? T(__builtin_sqrtf(float(v))) : T(__builtin_sqrt(v));
      }
#else
      y = L::join(sqrt(x.low()), sqrt(x.high()));
#endif
    }
#endif
  }
  return y;
}

namespace lane {

/// Converts the lanes to another type of number.
template <class To, class From>
EBB_INLINE To convert(const From& x) {
  return To(__builtin_convertvector(x.reg, typename To::Register));
}

/// Applies a function of doubles to lanes of either type.
template <class T, int W, class F>
EBB_INLINE Lanes<T, W> in_double(const Lanes<T, W>& x, const F& f) {
  if constexpr (is_float<T>) {
    using Half = Lanes<float, W / 2>;
    using Wide = Lanes<double, W / 2>;
    return Lanes<T, W>::join(convert<Half>(f(convert<Wide>(x.low()))),
                             convert<Half>(f(convert<Wide>(x.high()))));
  } else {
    return f(x);
  }
}

}  // namespace lane

}  // namespace ebb::inline v0::inline EBB_ISA_NAMESPACE
