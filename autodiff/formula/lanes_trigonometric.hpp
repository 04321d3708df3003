// SPDX-License-Identifier: BSD-3-Clause
// Trigonometric functions on lanes, and their inverses.
#pragma once
#include "ebb/autodiff/formula/lanes_math.hpp"

namespace ebb::inline v0::inline EBB_ISA_NAMESPACE {

namespace lane {

/// pi / 2 as a sum. The products of all parts but the last with the multiples in use are exact:
/// either the parts have 11 (float) or 32 bits, after Cody and Waite, or madd rounds once.
template <class T, bool Fused>
inline constexpr auto half_pi = [] {
  if constexpr (is_float<T> && Fused) {
    return Coefficients{1.570796371e+00f, -4.371138829e-08f, -1.71512451e-15f};
  } else if constexpr (is_float<T>) {
    return Coefficients{1.5703125f, 4.837512969970703125e-04f, 7.54953362047672271729e-08f,
                        2.56334406825708960298e-12f};
  } else if constexpr (Fused) {
    return Coefficients{1.57079632679489656, 6.12323399573676604e-17, -1.49738490485916983e-33};
  } else {
    return Coefficients{1.57079632673412561417, 6.0771005063039659766e-11,
                        2.0222662487111664558e-21, 8.47842766036889956997e-32};
  }
}();

/// x minus n times the sum of the parts.
template <class L, class T, int count, std::size_t... i>
EBB_INLINE L subtract_multiple(const L& x, const L& n, const Coefficients<T, count>& parts,
                               std::index_sequence<i...>) {
  L r = x;
  ((r = madd(n, -parts.c[i], r)), ...);
  return r;
}

/// (sin(r) - r) / r^3 as a polynomial in r^2, |r| <= pi / 4 (Cephes sinf.c, fdlibm k_sin.c).
template <class T>
inline constexpr auto sine_tail = [] {
  if constexpr (is_float<T>) {
    return Coefficients{-1.6666654611e-1f, 8.3321608736e-3f, -1.9515295891e-4f};
  } else {
    return Coefficients{-1.66666666666666324348e-01, 8.33333333332248946124e-03,
                        -1.98412698298579493134e-04, 2.75573137070700676789e-06,
                        -2.50507602534068634195e-08, 1.58969099521155010221e-10};
  }
}();
/// (cos(r) - 1 + r^2 / 2) / r^4 as a polynomial in r^2 (Cephes sinf.c, fdlibm k_cos.c).
template <class T>
inline constexpr auto cosine_tail = [] {
  if constexpr (is_float<T>) {
    return Coefficients{4.166664568298827e-2f, -1.388731625493765e-3f, 2.443315711809948e-5f};
  } else {
    return Coefficients{4.16666666666666019037e-02, -1.38888888888741095749e-03,
                        2.48015872894767294178e-05, -2.75573143513906633035e-07,
                        2.08757232129817482790e-09, -1.13596475577881948265e-11};
  }
}();

/// Up to this bound the reduction is as accurate next to every multiple of pi / 2 as elsewhere.
template <class T>
inline constexpr T near_bound = is_float<T> ? T(8192) : T(1048576);

enum class Circular { sine, cosine, tangent };

/// Computes lanes beyond the bound, infinities and NaN one by one.
template <Circular function, class T>
[[gnu::noinline, gnu::cold]] void far_circular(T* y, const T* x, int n) {
  for (int i = 0; i < n; ++i) {
    const T v = x[i];
    if (v <= near_bound<T> && v >= -near_bound<T>) continue;
    // The functions of C, since the overloads of C++ would be symbols without an instruction set.
    if constexpr (is_float<T>) {
      y[i] = function == Circular::sine     ? ::sinf(v)
             : function == Circular::cosine ? ::cosf(v)
                                            : ::tanf(v);
    } else {
      y[i] = function == Circular::sine     ? ::sin(v)
             : function == Circular::cosine ? ::cos(v)
                                            : ::tan(v);
    }
  }
}

template <Circular function, class T, int W>
EBB_INLINE Lanes<T, W> circular(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  // |x| = n pi/2 + r with |r| <= pi/4; n decides between sin(r) and cos(r), and their sign. Using
  // |x| keeps the sign of zero.
  const L a = x.magnitude();
  const L t = madd(a, T(0.63661977236758134), shifter<T>);
  constexpr auto parts = half_pi<T, L::fused>;
  const L r = subtract_multiple(a, t - shifter<T>, parts,
                                std::make_index_sequence<sizeof(parts) / sizeof(T)>{});
  const Powers<L> z(r * r);
  const L sine = madd(r * z.x1, polynomial(z, sine_tail<T>), r);
  const L cosine = madd(z.x2, polynomial(z, cosine_tail<T>), madd(z.x1, T(-0.5), T(1)));
  constexpr int top = 8 * int(sizeof(T)) - 1;
  const auto odd = (t.bits() << top).negative();
  L y;
  if constexpr (function == Circular::tangent) {
    const auto sign = (t.bits() << top) & L::sign_mask;
    y = L((select(odd, cosine, sine) / select(odd, sine, cosine)).bits() ^ sign ^ x.sign_bits());
  } else if constexpr (function == Circular::cosine) {
    const auto sign = ((t.bits() + 1) << (top - 1)) & L::sign_mask;
    y = L(select(odd, sine, cosine).bits() ^ sign);
  } else {
    const auto sign = (t.bits() << (top - 1)) & L::sign_mask;
    y = L(select(odd, cosine, sine).bits() ^ sign ^ x.sign_bits());
  }
  if ((~(a <= near_bound<T>)).any()) [[unlikely]] {
    T from[W], to[W];
    x.store(from);
    y.store(to);
    far_circular<function>(to, from, W);
    y = L::load(to);
  }
  return y;
}

/// (atan(q) - q) / q^3 as a polynomial in q^2, |q| <= tan(pi / 8) (Cephes atanf.c, fdlibm
/// s_atan.c).
template <class T>
inline constexpr auto arc_tangent_tail = [] {
  if constexpr (is_float<T>) {
    return Coefficients{-3.33329491539e-1f, 1.99777106478e-1f, -1.38776856032e-1f,
                        8.05374449538e-2f};
  } else {
    return Coefficients{
        -3.33333333333329318027e-01, 1.99999999998764832476e-01,  -1.42857142725034663711e-01,
        1.11111104054623557880e-01,  -9.09088713343650656196e-02, 7.69187620504482999495e-02,
        -6.66107313738753120669e-02, 5.83357013379057348645e-02,  -4.97687799461593236017e-02,
        3.65315727442169155270e-02,  -1.62858201153657823623e-02};
  }
}();

/// pi / 2, and the part that rounding takes from it.
template <class T>
inline constexpr T right_angle = T(1.57079632679489661923L);
template <class T>
inline constexpr T right_angle_rest = is_float<T> ? T(-4.37113882867379e-8L)
                                                  : T(6.123233995736765886130e-17L);

/// atan(n / d) for 0 <= n <= d, d > 0, including infinities; with `complement`, pi/2 minus it.
template <class L>
EBB_INLINE L angle(const L& n, const L& d, const typename L::Mask& complement) {
  using T = typename L::value_type;
  // Large numbers are scaled so that their sum is finite.
  const L scale = select(d > std::numeric_limits<T>::max() / 4, 0.25, 1);
  const L p = n * scale, q = d * scale;
  // Next to the diagonal it is pi/4 + atan((n - d) / (n + d)), where the difference of equal
  // infinities is 0.
  const auto near = (p > q * T(0.41421356237309504880)) | (p == q);
  const L ratio = select(near, select(p == q, 0, p - q), p) / select(near, p + q, q);
  const Powers<L> z(ratio * ratio);
  const L small = madd(ratio * z.x1, polynomial(z, arc_tangent_tail<T>), ratio);
  const L rest = select(near, right_angle_rest<T> / 2, 0);
  const L y = select(near, right_angle<T> / 2, 0) + (small + rest);
  return select(complement, right_angle<T> - (y - right_angle_rest<T>), y);
}

/// (asin(s) - s) / s^3 as a function of s^2 <= 1/4 (Cephes asinf.c, fdlibm e_asin.c).
template <class L>
EBB_INLINE L arc_sine_tail(const L& square) {
  const Powers<L> z(square);
  if constexpr (is_float<typename L::value_type>) {
    constexpr Coefficients tail{1.6666752422e-1f, 7.4953002686e-2f, 4.5470025998e-2f,
                                2.4181311049e-2f, 4.2163199048e-2f};
    return polynomial(z, tail);
  } else {
    constexpr Coefficients p{1.66666666666666657415e-01, -3.25565818622400915405e-01,
                             2.01212532134862925881e-01, -4.00555345006794114027e-02,
                             7.91534994289814532176e-04, 3.47933107596021167570e-05};
    constexpr Coefficients q{1.0, -2.40339491173441421878e+00, 2.02094576023350569471e+00,
                             -6.88283971605453293030e-01, 7.70381505559019352791e-02};
    return polynomial(z, p) / polynomial(z, q);
  }
}

/// asin|x| up to 1/2. Beyond, where `steep` is set, asin(sqrt((1 - |x|) / 2)), which is half of
/// acos|x|.
template <class L>
struct ArcSine {
  typename L::Mask steep;
  L angle;
  EBB_INLINE explicit ArcSine(const L& x) : steep(x.magnitude() > 0.5) {
    const L a = x.magnitude();
    const L square = select(steep, (1 - a) * 0.5, a * a);
    const L s = select(steep, sqrt(square), a);
    angle = madd(s * square, arc_sine_tail(square), s);
  }
};

}  // namespace lane

/// The sine.
template <class T, int W>
EBB_INLINE Lanes<T, W> sin(const Lanes<T, W>& x) {
  return lane::circular<lane::Circular::sine>(x);
}
/// The cosine.
template <class T, int W>
EBB_INLINE Lanes<T, W> cos(const Lanes<T, W>& x) {
  return lane::circular<lane::Circular::cosine>(x);
}
/// The tangent.
template <class T, int W>
EBB_INLINE Lanes<T, W> tan(const Lanes<T, W>& x) {
  return lane::circular<lane::Circular::tangent>(x);
}

/// The angle in [-pi/2, pi/2] whose sine is x; NaN outside of [-1, 1].
template <class T, int W>
EBB_INLINE Lanes<T, W> asin(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  const ArcSine<L> arc(x);
  const L steep = right_angle<T> - (2 * arc.angle - right_angle_rest<T>);
  return L(select(arc.steep, steep, arc.angle).bits() | x.sign_bits());
}

/// The angle in [0, pi] whose cosine is x; NaN outside of [-1, 1].
template <class T, int W>
EBB_INLINE Lanes<T, W> acos(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  const ArcSine<L> arc(x);
  // Relative to 0, pi/2 or pi.
  const L turned(arc.angle.bits() ^ x.sign_bits());
  const L steep =
      select(x < 0, 2 * (right_angle<T> - (arc.angle - right_angle_rest<T>)), 2 * arc.angle);
  return select(arc.steep, steep, right_angle<T> - (turned - right_angle_rest<T>));
}

/// The angle in [-pi/2, pi/2] whose tangent is x.
template <class T, int W>
EBB_INLINE Lanes<T, W> atan(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  const L a = x.magnitude();
  const auto steep = a > 1;
  const L y = lane::angle<L>(select(steep, 1, a), select(steep, a, 1), steep);
  return L(y.bits() | x.sign_bits());
}

/// The angle in [-pi, pi] of the point (x, y), special cases as in C99.
template <class T, int W>
EBB_INLINE Lanes<T, W> atan2(const Lanes<T, W>& y, const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  const L rise = y.magnitude(), run = x.magnitude();
  const auto steep = rise > run;
  const L n = select(steep, run, rise), d = select(steep, rise, run);
  const L acute = angle<L>(n, select(d == 0, 1, d), steep);
  const L obtuse = 2 * right_angle<T> - (acute - 2 * right_angle_rest<T>);
  const L known = select(x.bits().negative(), obtuse, acute);
  // Comparisons with NaN are false.
  const L angle_or_nan = select(x == x, select(y == y, known, y), x);
  return L(angle_or_nan.bits() | y.sign_bits());
}
/// The angle of a point, for a literal x.
template <class T, int W, Literal U>
EBB_INLINE Lanes<T, W> atan2(const Lanes<T, W>& y, U x) {
  return atan2(y, Lanes<T, W>(x));
}
/// The angle of a point, for a literal y.
template <class T, int W, Literal U>
EBB_INLINE Lanes<T, W> atan2(U y, const Lanes<T, W>& x) {
  return atan2(Lanes<T, W>(y), x);
}

}  // namespace ebb::inline v0::inline EBB_ISA_NAMESPACE
