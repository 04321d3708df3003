// SPDX-License-Identifier: BSD-3-Clause
// Rounding to integers on lanes, without the rounding instructions of any instruction set.
#pragma once
#include "ebb/autodiff/formula/lanes_math.hpp"

namespace ebb::inline v0::inline EBB_ISA_NAMESPACE {

/// The nearest integer, half to even.
template <class T, int W>
EBB_INLINE Lanes<T, W> round(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  // From this number on every number is an integer; adding it leaves no bits for a fraction.
  constexpr T whole = lane::is_float<T> ? T(8388608) : T(4503599627370496);
  const L a = x.magnitude();
  return L(select(a < whole, (a + whole) - whole, a).bits() | x.sign_bits());
}

/// The largest integer that is not above x.
template <class T, int W>
EBB_INLINE Lanes<T, W> floor(const Lanes<T, W>& x) {
  const Lanes<T, W> nearest = round(x);
  return select(nearest > x, nearest - 1, nearest);
}

/// The smallest integer that is not below x.
template <class T, int W>
EBB_INLINE Lanes<T, W> ceil(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  const L nearest = round(x);
  return L(select(nearest < x, nearest + 1, nearest).bits() | x.sign_bits());  // -0 above -1
}

}  // namespace ebb::inline v0::inline EBB_ISA_NAMESPACE
