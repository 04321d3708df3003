// SPDX-License-Identifier: BSD-3-Clause
// Powers of 2 and logarithms to the bases 2 and 10 on lanes, exact where the result is an integer.
#pragma once
#include "ebb/autodiff/formula/lanes_math.hpp"

namespace ebb::inline v0::inline EBB_ISA_NAMESPACE {

namespace lane {

/// log10(2) as a sum; products of the first part with integers up to 2^7 and 2^12 are exact
/// (fdlibm).
template <class T>
inline constexpr T log10_2_high = is_float<T> ? T(3.0102920532e-01) : T(3.01029995663611771306e-01);
template <class T>
inline constexpr T log10_2_low = is_float<T> ? T(7.9034151668e-07) : T(3.69423907715893078616e-13);

}  // namespace lane

/// 2 to the power of each lane.
template <class T, int W>
EBB_INLINE Lanes<T, W> exp2(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  // Outside of these bounds the result is infinite, or less than half of the smallest number.
  const L c = x.clamped(is_float<T> ? T(-151) : T(-1076), is_float<T> ? T(129) : T(1025));
  constexpr T shift = shifter<T> + T(2 * bias<T>);
  const L t = c + shift;
  const L r = (c - (t - shift)) * T(0.69314718055994530942);  // the difference is exact
  const Powers<L> powers(r);
  return assembled(ExpParts<L>{t.bits(), madd(powers.x2, polynomial(powers, exp_tail<T>), r)});
}

/// The logarithm to the base 2.
template <class T, int W>
EBB_INLINE Lanes<T, W> log2(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  const auto u = log_argument(x);
  return log_domain(x, T(0), madd(log_reduced(L(0), u.f), T(1.4426950408889634074), u.k));
}

/// The logarithm to the base 10.
template <class T, int W>
EBB_INLINE Lanes<T, W> log10(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  const auto u = log_argument(x);
  const L rest = madd(u.k, log10_2_low<T>, log_reduced(L(0), u.f) * T(0.43429448190325182765));
  return log_domain(x, T(0), madd(u.k, log10_2_high<T>, rest));
}

}  // namespace ebb::inline v0::inline EBB_ISA_NAMESPACE
