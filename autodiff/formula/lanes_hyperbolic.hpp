// SPDX-License-Identifier: BSD-3-Clause
// Hyperbolic functions on lanes, and their inverses.
#pragma once
#include "ebb/autodiff/formula/lanes_math.hpp"

namespace ebb::inline v0::inline EBB_ISA_NAMESPACE {

namespace lane {

/// exp(x) / 2 for x >= 0, finite wherever the hyperbolic functions are finite.
template <class T, int W>
EBB_INLINE Lanes<T, W> half_exp(const Lanes<T, W>& x) {
  return assembled(exp_parts<2 * bias<T> - 1>(x.at_most(is_float<T> ? T(91) : T(712))));
}

/// (sinh(x) - x) / x^3 as a polynomial in x^2, |x| <= 1: the Taylor series, 1 / 3!, 1 / 5! ...
template <class T>
inline constexpr auto sinh_tail = [] {
  constexpr int terms = is_float<T> ? 4 : 8;
  Coefficients<T, terms> tail{};
  double factorial = 1;
  for (int i = 0; i < terms; ++i) {
    factorial *= (2 * i + 2) * (2 * i + 3);
    tail.c[i] = T(1 / factorial);
  }
  return tail;
}();

/// From this bound on sqrt(x^2 + 1) and x are the same number, and so are x + 1 and x.
template <class T>
inline constexpr T steep_bound = is_float<T> ? T(268435456) : T(72057594037927936);  // 2^28, 2^56
template <class T>
inline constexpr T ln2 = T(0.69314718055994530942L);

}  // namespace lane

/// The hyperbolic sine.
template <class T, int W>
EBB_INLINE Lanes<T, W> sinh(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  const L a = x.magnitude(), half = half_exp(a);
  const Powers<L> z(a * a);
  const L small = madd(a * z.x1, polynomial(z, sinh_tail<T>), a);
  return L(select(a < 1, small, half - 0.25 / half).bits() | x.sign_bits());
}

/// The hyperbolic cosine.
template <class T, int W>
EBB_INLINE Lanes<T, W> cosh(const Lanes<T, W>& x) {
  const Lanes<T, W> half = lane::half_exp(x.magnitude());
  return half + 0.25 / half;
}

/// The hyperbolic tangent.
template <class T, int W>
EBB_INLINE Lanes<T, W> tanh(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  // t = exp(2|x|) - 1; tanh|x| = t / (t + 2), which is 1 from the bound on.
  const L a = x.magnitude();
  const L twice = a + a;
  constexpr T bound = is_float<T> ? T(20) : T(44);
  const ExpParts<L> parts = exp_parts<bias<T>>(twice.at_most(bound));
  const L scale(parts.n << digits<T>);
  const L t = madd(scale, parts.p, scale - 1);
  return L((t / (t + 2)).bits() | x.sign_bits());
}

/// The number whose hyperbolic sine is x: log(|x| + sqrt(x^2 + 1)) with the sign of x.
template <class T, int W>
EBB_INLINE Lanes<T, W> asinh(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  const L a = x.magnitude(), square = a * a;
  const auto steep = a > steep_bound<T>;
  const L y = log1p(select(steep, a, a + square / (1 + sqrt(square + 1))));
  return L((y + select(steep, ln2<T>, 0)).bits() | x.sign_bits());
}

/// The number >= 0 whose hyperbolic cosine is x: log(x + sqrt(x^2 - 1)); NaN below 1.
template <class T, int W>
EBB_INLINE Lanes<T, W> acosh(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  const L t = x - 1;
  const auto steep = x > steep_bound<T>;
  const L y = log1p(select(steep, x, t + sqrt(t * (t + 2))));
  return select(x < 1, not_a_number<T>, y + select(steep, ln2<T>, 0));
}

/// The number whose hyperbolic tangent is x: log((1 + x) / (1 - x)) / 2; NaN outside of [-1, 1].
template <class T, int W>
EBB_INLINE Lanes<T, W> atanh(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  const L a = x.magnitude();
  return L((log1p(2 * a / (1 - a)) * 0.5).bits() | x.sign_bits());
}

}  // namespace ebb::inline v0::inline EBB_ISA_NAMESPACE
