// SPDX-License-Identifier: BSD-3-Clause
// The error function on lanes, and its complement.
#pragma once
#include "ebb/autodiff/formula/lanes_math.hpp"

namespace ebb::inline v0::inline EBB_ISA_NAMESPACE {

namespace lane {

/// erf(x) / x - 1 as a polynomial in x^2, |x| <= 1.
template <class T>
inline constexpr auto error_function_head = [] {
  if constexpr (is_float<T>) {
    return Coefficients{1.283791657e-01f, -3.761262582e-01f, 1.128358515e-01f, -2.685381193e-02f,
                        5.188327682e-03f, -8.010193590e-04f, 7.853861222e-05f};
  } else {
    return Coefficients{
        1.28379167095512559e-01,  -3.76126389031835207e-01, 1.12837916709441849e-01,
        -2.68661706431114686e-02, 5.22397760611848644e-03,  -8.54832592931515983e-04,
        1.20552935769207518e-04,  -1.49247123023920860e-05, 1.64471315758964153e-06,
        -1.62063137929193218e-07, 1.37109805425366346e-08,  -7.77946875031600185e-10};
  }
}();

/// (1 + 2x) e^(x^2) erfc(x) as a polynomial in (x - 3.75) / (x + 3.75), for all x >= 0 where erfc
/// is not 0. The form is that of Shepherd and Laframboise, Mathematics of Computation 36 (1981).
template <class T>
inline constexpr auto scaled_complement = [] {
  if constexpr (is_float<T>) {
    return Coefficients{1.237512635e+00f,  -1.402405057e-01f, 3.584833567e-03f,  8.227243284e-02f,
                        -1.087945516e-01f, 9.236375528e-02f,  -5.871561366e-02f, 2.804523411e-02f,
                        -9.957989053e-03f, 2.272341402e-03f,  1.083937325e-03f};
  } else {
    return Coefficients{
        1.23751263083782748e+00,  -1.40240598585546689e-01, 3.58541548546273273e-03,
        8.22767384901110788e-02,  -1.08803930141657026e-01, 9.23043211615780512e-02,
        -5.86933985914411468e-02, 2.83622773994458843e-02,  -9.74657954172473973e-03,
        1.75562602864168184e-03,  2.93713597295332306e-04,  -2.90155040913255100e-04,
        5.16491571953324409e-05,  2.23875625848279573e-05,  -1.14435050414382444e-05,
        -9.80915527791580134e-07, 1.74871670885158186e-06,  -4.70440482822036936e-08,
        -2.52878519268028912e-07, 1.50816581989517165e-08,  3.27308629426213361e-08,
        -5.60166075350209174e-10, -2.28915151842601907e-09};
  }
}();

/// The part that rounding takes from a product.
template <class T, int W>
EBB_INLINE Lanes<T, W> product_rest(const Lanes<T, W>& a, const Lanes<T, W>& b,
                                    const Lanes<T, W>& product) {
  using L = Lanes<T, W>;
  if constexpr (L::fused) {
    return madd(a, b, -product);
  } else {
    // Half-width factors, whose products are exact (Dekker).
    constexpr auto low_half = (typename L::Bits::Word(1) << (is_float<T> ? 12 : 27)) - 1;
    const L p(a.bits() & ~low_half), q = a - p, r(b.bits() & ~low_half), s = b - r;
    return (((p * r - product) + p * s) + q * r) + q * s;
  }
}

/// exp(-scale x^2) where it is not 0, corrected for the rounding of the square. The scale must be a
/// power of 2.
template <class T, int W>
EBB_INLINE Lanes<T, W> gaussian(const Lanes<T, W>& x, T scale = 1) {
  using L = Lanes<T, W>;
  const L square = x * x, rest = scale * product_rest(x, x, square);
  ExpParts<L> parts = exp_parts<2 * bias<T>>(-scale * square);
  parts.p = madd(-(parts.p + 1), rest, parts.p);
  return assembled(parts);
}

/// erf(x) / x - 1 where |x| <= 1: the term added to x is small, and so is its error.
template <class T, int W>
EBB_INLINE Lanes<T, W> error_function_excess(const Lanes<T, W>& x) {
  const Powers<Lanes<T, W>> z(x * x);
  return polynomial(z, error_function_head<T>);
}

/// erfc(a) for a >= 0.
template <class T, int W>
EBB_INLINE Lanes<T, W> complement_of(const Lanes<T, W>& a) {
  using L = Lanes<T, W>;
  const L x = a.at_most(is_float<T> ? T(10.2) : T(27.3));  // the result is 0 from there on
  const Powers<L> t((x - 3.75) / (x + 3.75));
  return gaussian(x) * (polynomial_on_constant(t, scaled_complement<T>) / (1 + (x + x)));
}

}  // namespace lane

/// The error function: 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
template <class T, int W>
EBB_INLINE Lanes<T, W> erf(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  const L a = x.magnitude();
  const L y = select(a < 1, madd(a, error_function_excess(a), a), 1 - complement_of(a));
  return L(y.bits() | x.sign_bits());
}

/// 1 - erf(x), accurate also where the result is small.
template <class T, int W>
EBB_INLINE Lanes<T, W> erfc(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  const L a = x.magnitude(), far = complement_of(a);
  return select(a < 1, madd(-x, error_function_excess(x), 1 - x), select(x < 0, 2 - far, far));
}

}  // namespace ebb::inline v0::inline EBB_ISA_NAMESPACE
