// SPDX-License-Identifier: BSD-3-Clause
// Powers on lanes.
#pragma once
#include "ebb/autodiff/formula/lanes_math.hpp"

namespace ebb::inline v0::inline EBB_ISA_NAMESPACE {

namespace lane {

/// a to the power of b, element by element.
template <class T>
[[gnu::noinline]] void power_one_by_one(T* y, const T* a, const T* b, int n) {
  for (int i = 0; i < n; ++i) {
    if constexpr (is_float<T>) {
      y[i] = ::powf(a[i], b[i]);
    } else {
      y[i] = ::pow(a[i], b[i]);
    }
  }
}

/// a to the power of b for numbers that were floats, with an error of |b log a| ulp; special cases
/// as in C99.
template <int W>
EBB_INLINE Lanes<double, W> power(const Lanes<double, W>& a, const Lanes<double, W>& b) {
  using L = Lanes<double, W>;
  const auto whole = [](const L& x) EBB_LAMBDA {
    const double shift = 4503599627370496;  // 2^52: adding it rounds to an integer
    return (x + shift) - shift == x;
  };
  const L base = a.magnitude(), size = b.magnitude();
  const auto one = (base == 1) | (b == 0);
  const L y = exp(select(one, 0, b * log(base)));
  const auto integer = whole(size);
  const auto odd = integer & ~whole(size * 0.5);
  const L with_sign(y.bits() ^ (a.sign_bits() & odd.bits()));
  return select((a < 0) & ~integer & (base < infinity<double>), not_a_number<double>, with_sign);
}

}  // namespace lane

/// a to the power of b, special cases as in C99.
template <class T, int W>
EBB_INLINE Lanes<T, W> pow(const Lanes<T, W>& a, const Lanes<T, W>& b) {
  using L = Lanes<T, W>;
  if constexpr (lane::is_float<T> && L::fused) {
    // Logarithm and exponential are computed in double, which leaves an error of half an ulp.
    using Half = Lanes<float, W / 2>;
    using Wide = Lanes<double, W / 2>;
    const Wide low = lane::power(lane::convert<Wide>(a.low()), lane::convert<Wide>(b.low()));
    const Wide high = lane::power(lane::convert<Wide>(a.high()), lane::convert<Wide>(b.high()));
    return L::join(lane::convert<Half>(low), lane::convert<Half>(high));
  } else {
    // The C library is faster than code on small registers, and as accurate as doubles need.
    T x[W], y[W], z[W];
    a.store(x);
    b.store(y);
    lane::power_one_by_one(z, x, y, W);
    return L::load(z);
  }
}
/// a to the power of b, for a literal b.
template <class T, int W, Literal U>
EBB_INLINE Lanes<T, W> pow(const Lanes<T, W>& a, U b) {
  return pow(a, Lanes<T, W>(b));
}
/// a to the power of b, for a literal a.
template <class T, int W, Literal U>
EBB_INLINE Lanes<T, W> pow(U a, const Lanes<T, W>& b) {
  return pow(Lanes<T, W>(a), b);
}

}  // namespace ebb::inline v0::inline EBB_ISA_NAMESPACE
