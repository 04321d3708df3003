// SPDX-License-Identifier: BSD-3-Clause
// The logarithm of the gamma function on lanes, and its derivatives, all computed in double.
// Equation numbers are those of the NIST Digital Library of Mathematical Functions (DLMF), chapter
// 5. Coefficients are Chebyshev interpolations of the function named above them.
#pragma once
#include <math.h>

#include <iterator>

#include "ebb/autodiff/formula/lanes_power.hpp"
#include "ebb/autodiff/formula/lanes_rounding.hpp"
#include "ebb/autodiff/formula/lanes_special.hpp"
#include "ebb/autodiff/formula/lanes_trigonometric.hpp"

namespace ebb::inline v0::detail {

/// The n-th derivative of digamma at x < 0, also next to its zeros accurate to the last bit but
/// one. It takes some microseconds.
EBB_API double polygamma_of_negative(int n, double x);

}  // namespace ebb::inline v0::detail

namespace ebb::inline v0::inline EBB_ISA_NAMESPACE {

namespace lane {

/// log(x) for x > 0 as a sum, whose first part is a multiple of ln2_high: the error is that of the
/// second part, which is less than 0.4.
template <class L>
struct LogSum {
  L high, low;
  EBB_INLINE explicit LogSum(const L& x) {
    const auto subnormal = x < least_normal<double>;
    const LogParts<L> parts(select(subnormal, x * 0x1p53, x));
    const L k = parts.k() - select(subnormal, 53, 0);
    high = k * ln2_high<double>;
    low = madd(k, ln2_low<double>, log_reduced(L(0), parts.f()));
  }
};

/// lgamma(x) / ((x - 1) (x - 2)) in (x - 1.25) / (x + 1.25), 0.5 <= x <= 3.
inline constexpr Coefficients lgamma_between_zeros{
    5.24116460916336854e-01,  -4.61395961092040092e-01, 1.29639901614288897e-01,
    -1.58596224332428606e-01, 8.63487069793790503e-02,  -9.69790008887906218e-02,
    6.43803018920722533e-02,  -6.98850044825360538e-02, 5.12496366040924434e-02,
    -5.46267199115151989e-02, 4.25506085726698392e-02,  -4.48386349762857519e-02,
    3.63598270639538862e-02,  -3.79924071428754275e-02, 3.18843733380879374e-02,
    -3.33385333994914373e-02, 2.70624097961846779e-02,  -2.6672060159742835e-02,
    3.15752355726993182e-02,  -3.8142081545440747e-02,  1.51937839779215725e-03,
    1.17705003042380409e-02,  5.98898271379280954e-02,  -7.52493078354392385e-02};
/// x times the part of lgamma that the first terms of Stirling's series lack, in 1 / x^2, x >= 3.
inline constexpr Coefficients stirling_rest{
    8.33333333333333068e-02,  -2.7777777777198706e-03,  7.93650772423406689e-04,
    -5.95235011311834313e-04, 8.41516377813666828e-04,  -1.90682881142794427e-03,
    6.09236444757261395e-03,  -2.30233886143727768e-02, 8.13307211132797921e-02,
    -2.07093300675156798e-01, 2.61808528708664428e-01};
/// x digamma(x) / (x - x0) with the zero x0, in (x - 1) / (x + 3), 0 <= x <= 3.
inline constexpr Coefficients digamma_around_zero{
    1.25038013750340535e+00,  1.58274710760647214e+00,  -5.28543053843021073e-02,
    7.3890815771454058e-01,   -1.83330071902415943e-01, 5.97611823360332513e-01,
    -2.49083069205910763e-01, 5.43080471233070922e-01,  -2.8631357081411123e-01,
    5.13407620348168038e-01,  -3.09503825586117877e-01, 4.94423527218095068e-01,
    -3.25295049934467686e-01, 4.81288512044407449e-01,  -3.35076463577221187e-01,
    4.6962213468831961e-01,   -3.60166509920663107e-01, 4.82461210798039535e-01,
    -2.55905375288745157e-01, 3.39920119451156561e-01,  -6.81286496611843004e-01,
    8.52970900272160504e-01};
/// x^2 (log(x) - 1 / (2x) - digamma(x)) in 1 / x^2, x >= 3.
inline constexpr Coefficients digamma_rest{
    8.33333333333333207e-02,  -8.33333333329463677e-03, 3.96825394841387841e-03,
    -4.16666261080669435e-03, 7.57531914133991752e-03,  -2.10639333582601067e-02,
    8.20733588984080963e-02,  -4.04540692102524591e-01, 2.17218677553155102e+00,
    -1.06806727378363943e+01, 4.07805407527838602e+01,  -1.013156032293876e+02,
    1.19191578118562786e+02};
/// B_2j / (2j)!, j = 1, 2, ..., of the sum formula of Euler and Maclaurin.
inline constexpr double euler_maclaurin[] = {
    8.33333333333333333e-02,  -1.38888888888888889e-03, 3.30687830687830688e-05,
    -8.2671957671957672e-07,  2.0876756987868099e-08,   -5.28419013868749318e-10,
    1.33825365306846788e-11,  -3.38968029632258287e-13, 8.58606205627784456e-15,
    -2.17486869855806187e-16, 5.50900282836022952e-18,  -1.39544646858125233e-19};

inline constexpr double pi = 3.141592653589793;

/// The distance of x from the nearest integer, with its sign.
template <class L>
EBB_INLINE L above_integer(const L& x) {
  return x - round(x);
}

/// log |gamma(x)| for x > -1/2; log |gamma(-x)| for smaller x.
template <int W>
EBB_INLINE Lanes<double, W> log_gamma_of_size(const Lanes<double, W>& x) {
  using L = Lanes<double, W>;
  const L a = x.magnitude(), r = 1 / a;
  const LogSum<L> log_a(a);
  // Next to 0, computed from gamma(1 + x) = x gamma(x). The zeros at 1 and 2 are factors.
  const auto small = a < 0.5;
  const L m = select(small, x, a - 1);
  const L between =
      m * (m - 1) *
      polynomial_on_constant(Powers<L>((m - 0.25) / (m + 2.25)), lgamma_between_zeros);
  const L minus_log = select(a == 0, infinity<double>, -(log_a.high + log_a.low));
  const L near = between + select(small, minus_log, 0);  // a sum: +0 at 1, not -0
  // 5.11.1. The rounding errors of a logarithm would be multiplied by x.
  const L rest = madd(r, polynomial(Powers<L>(r * r), stirling_rest), 0.41893853320467274);
  const L far = madd(a - 0.5, (log_a.high - 1) + log_a.low, rest);
  return select(a < 3, near, far);
}

/// Computes single numbers where the function has a pole and two zeros in every unit interval.
[[gnu::noinline, gnu::cold]] inline void far_log_gamma(double* y, const double* x, int n) {
  for (int i = 0; i < n; ++i) {
    int sign = 0;
    if (x[i] <= -0.5) y[i] = ::lgamma_r(x[i], &sign);
  }
}

template <int W>
EBB_INLINE Lanes<double, W> log_gamma(const Lanes<double, W>& x) {
  using L = Lanes<double, W>;
  L y = log_gamma_of_size(x);
  if ((x <= -0.5).any()) [[unlikely]] {
    double from[W], to[W];
    x.store(from);
    y.store(to);
    far_log_gamma(to, from, W);
    y = L::load(to);
  }
  return y;
}

/// y, but for x below 0 the n-th derivative of digamma with more digits, computed for one number
/// after the other.
template <int W>
EBB_INLINE Lanes<double, W> with_more_digits(int n, const Lanes<double, W>& x,
                                             const Lanes<double, W>& y) {
  if (!(x < 0).any()) return y;
  double from[W], to[W];
  x.store(from);
  y.store(to);
  for (int i = 0; i < W; ++i) {
    if (from[i] < 0) to[i] = detail::polygamma_of_negative(n, from[i]);
  }
  return Lanes<double, W>::load(to);
}

template <int W>
EBB_INLINE Lanes<double, W> digamma(const Lanes<double, W>& x) {
  using L = Lanes<double, W>;
  const L z = select(x < 0, 1 - x, x), r = 1 / z, w = r * r;
  const LogSum<L> log_z(z);
  const L factor = polynomial_on_constant(Powers<L>((z - 1) / (z + 3)), digamma_around_zero);
  const L near = ((z - 1.4616321449683622) - 9.5499954299656977e-17) * factor / z;
  const L far = log_z.high + (log_z.low - madd(w, polynomial(Powers<L>(w), digamma_rest), 0.5 * r));
  L y = select(z < 3, near, select(z < infinity<double>, far, z));  // 5.11.2
  if ((x < 0).any()) {
    const L above = above_integer(x), a = above.magnitude();  // 5.5.4
    // The cotangent has a zero at 1/2.
    const L t = tan(pi * select(a > 0.25, 0.5 - a, a));
    const L size = select(a > 0.25, pi * t, pi / t), cotangent = select(above < 0, -size, size);
    const L other = y - cotangent, terms = 0.75 * (y.magnitude() + size);
    const L cancels = select(other.magnitude() < select(terms > 2, terms, 2), x, 0);
    y = select(x < 0, select(a > 0, with_more_digits(0, cancels, other), not_a_number<double>), y);
  }
  return y;
}

/// n! with more digits than a double has, so that it is rounded once.
constexpr long double factorial_of(int n) {
  long double product = 1;
  for (int k = 2; k <= n; ++k) product *= static_cast<long double>(k);
  return product;
}

/// c / (x + k)^n, n > 0, where neither the sum nor a power is rounded: both errors would grow with
/// n. It divides twice, so that no power overflows before the quotient underflows.
template <class L>
EBB_INLINE L over_power(double c, const L& x, double k, int n) {
  const L z = x + k, back = z - x, z_rest = (x - (z - back)) + (k - back);  // Knuth
  const auto over = [&](const L& numerator, int m) EBB_LAMBDA {
    L p = z, rest = z_rest;
    for (int i = 1; i < m; ++i) {
      const L next = p * z;
      rest = madd(rest, z, madd(p, z_rest, product_rest(p, z, next)));
      p = next;
    }
    const L quotient = numerator / p, more = quotient * (rest / p);
    return quotient - select(more.magnitude() < quotient.magnitude(), more, 0);  // NaN at the ends
  };
  return over(n > 1 ? over(L(c), n / 2) : L(c), n - n / 2);
}

/// |polygamma(n, x)| = n! (x^-(n + 1) + (x + 1)^-(n + 1) + ...) for x > 0, n > 0 (5.15.1): the
/// first terms are added one by one if x is small; the others are computed by the Euler-Maclaurin
/// formula (2.10.1).
template <int W>
EBB_INLINE Lanes<double, W> polygamma_sum(int n, const Lanes<double, W>& x) {
  using L = Lanes<double, W>;
  const int steps = 8 + n;
  const auto small = x < double(steps);
  const auto rest_from = [&](double shift) EBB_LAMBDA {
    const L r = 1 / (x + shift), w = r * r;
    L h(0);
    for (int j = int(std::size(euler_maclaurin)); j > 0; --j) {
      h = madd(w * (double(n + 2 * j) * double(n + 2 * j + 1)), h, euler_maclaurin[j - 1]);
    }
    const L more = madd(0.5 * n, r, w * (double(n) * (n + 1.0)) * h);
    const L first = over_power(double(factorial_of(n - 1)), x, shift, n);
    return madd(first, more, first);
  };
  L sum = rest_from(0);
  if (small.any()) {
    L more = rest_from(double(steps));
    const double factorial = double(factorial_of(n));
    for (int k = steps - 1; k >= 0; --k) more = more + over_power(factorial, x, double(k), n + 1);
    sum = select(small, more, sum);
  }
  return sum;
}

template <int W>
EBB_INLINE Lanes<double, W> polygamma(int n, const Lanes<double, W>& x) {
  using L = Lanes<double, W>;
  if (n == 0) return digamma(x);
  const auto reflected = x <= 0;
  // The sum over all integers, which depends only on the distance r to the nearest one, minus the
  // sum over the other half of them. It is a loop, since the code of three sums would be large.
  const L r = above_integer(x), from[] = {select(x < 0, 1 - x, x), 1 + r, 1 - r};
  L sums[3];
  const int count = reflected.any() ? 3 : 1;
  for (int i = 0; i < count; ++i) sums[i] = polygamma_sum(n, from[i]);
  L y = sums[0];
  if (count > 1) {
    const double side = n % 2 ? 1 : -1;
    const L other =
        over_power(double(factorial_of(n)), r, 0, n + 1) + sums[1] + side * (sums[2] - y);
    y = select(reflected, select(r == 0, infinity<double>, other), y);
    if (n % 2 == 0) {  // The terms cancel unless one is close to a pole.
      y = -with_more_digits(n, select(r.magnitude() > 0.125, x, 0), -y);
    }
  }
  return n % 2 ? y : -y;
}

}  // namespace lane

/// log |gamma(x)|; infinite at 0, -1, -2, ...
template <class T, int W>
EBB_INLINE Lanes<T, W> lgamma(const Lanes<T, W>& x) {
  return lane::in_double(x, [](const auto& v) EBB_LAMBDA { return lane::log_gamma(v); });
}

/// The derivative of lgamma; infinite at 0, NaN at -1, -2, ... A value next to its zeros below 0
/// takes some microseconds.
template <class T, int W>
EBB_INLINE Lanes<T, W> digamma(const Lanes<T, W>& x) {
  return lane::in_double(x, [](const auto& v) EBB_LAMBDA { return lane::digamma(v); });
}

/// The n-th derivative of digamma, 0 <= n <= 100; infinite at 0, -1, -2, ... for n > 0. For even n,
/// a value below 0 takes some microseconds unless it is close to a pole.
template <class T, int W>
EBB_INLINE Lanes<T, W> polygamma(int n, const Lanes<T, W>& x) {
  return lane::in_double(x, [n](const auto& v) EBB_LAMBDA { return lane::polygamma(n, v); });
}

}  // namespace ebb::inline v0::inline EBB_ISA_NAMESPACE

namespace ebb::inline v0 {

template <std::floating_point T>
EBB_INLINE T digamma(T x) {
  return T(digamma(Lanes<double, 2>(x)).reg[0]);
}
template <std::floating_point T>
EBB_INLINE T polygamma(int n, T x) {
  return T(polygamma(n, Lanes<double, 2>(x)).reg[0]);
}

}  // namespace ebb::inline v0
