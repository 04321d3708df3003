// SPDX-License-Identifier: BSD-3-Clause
// The gaussian error linear unit on lanes, and its approximation.
#pragma once
#include "ebb/autodiff/formula/lanes_special.hpp"

namespace ebb::inline v0::inline EBB_ISA_NAMESPACE {

/// x times the normal distribution function. Its left tail is as accurate as its middle, since the
/// exponential of -x^2 / 2 is computed without the rounding of x / sqrt(2).
template <class T, int W>
EBB_INLINE Lanes<T, W> gelu(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  using namespace lane;
  constexpr T root_half = T(0.70710678118654752440L);
  const L a = x.magnitude().at_most(is_float<T> ? T(14.5) : T(38.7));  // 0 from there on
  const L z = root_half * a;
  const Powers<L> t((z - 3.75) / (z + 3.75));
  const L tail = T(0.5) * gaussian(a, T(0.5)) *
                 (polynomial_on_constant(t, scaled_complement<T>) / (1 + (z + z)));
  const L half = T(0.5) * root_half * x;
  const L middle = madd(half, error_function_excess(root_half * x), half + T(0.5));
  return x.clamped(-40, infinity<T>) * select(a < 0.5, middle, select(x < 0, tail, 1 - tail));
}

namespace lane {

/// x sigmoid(2u) with 2u = sqrt(8 / pi) x (1 + 0.044715 x^2) as a sum of two numbers: the
/// exponential would multiply its rounding error.
template <class T, int W>
EBB_INLINE Lanes<T, W> gelu_by_tanh(const Lanes<T, W>& x) {
  using L = Lanes<T, W>;
  constexpr T cubic = T(0.044715L), cubic_rest = T(0.044715L - static_cast<long double>(cubic));
  constexpr long double root = 1.59576912160573071175978423973752747L;
  constexpr T scale = T(root), scale_rest = T(root - static_cast<long double>(scale));
  const L v = x.clamped(-30, 30);  // outside of this range the sigmoid is 0 or 1
  const L s = v * v, p = cubic * s;
  const L p_rest =
      madd(cubic, product_rest(v, v, s), product_rest(L(cubic), s, p)) + cubic_rest * s;
  const L q = 1 + p, p_in_q = q - 1;  // the sum, and the part that rounding takes from it (Knuth)
  const L q_rest = ((1 - (q - p_in_q)) + (p - p_in_q)) + p_rest;
  const L w = scale * v, w_rest = product_rest(L(scale), v, w) + scale_rest * v;
  const L u = w * q, u_rest = product_rest(w, q, u) + (w * q_rest + w_rest * q);
  const L y = sigmoid(u);
  return x.clamped(-30, infinity<T>) * madd(y * (1 - y), u_rest, y);
}

}  // namespace lane

/// The approximation of gelu by tanh.
template <class T, int W>
EBB_INLINE Lanes<T, W> gelu_tanh(const Lanes<T, W>& x) {
  return lane::in_double(x, [](const auto& v) EBB_LAMBDA { return lane::gelu_by_tanh(v); });
}

}  // namespace ebb::inline v0::inline EBB_ISA_NAMESPACE

namespace ebb::inline v0 {

template <std::floating_point T>
EBB_INLINE T gelu(T x) {
  return T(gelu(Lanes<double, 2>(x)).reg[0]);
}
template <std::floating_point T>
EBB_INLINE T gelu_tanh(T x) {
  return T(gelu_tanh(Lanes<double, 2>(x)).reg[0]);
}

}  // namespace ebb::inline v0
