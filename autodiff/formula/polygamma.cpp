// SPDX-License-Identifier: BSD-3-Clause
// The derivatives of log gamma where doubles cancel: next to their zeros below 0. Equation numbers
// are those of the NIST Digital Library of Mathematical Functions (DLMF), chapter 5.
#include <cmath>
#include <iterator>

#include "ebb/autodiff/formula/lanes_gamma.hpp"

namespace ebb::inline v0::detail {
namespace {

// More than a hundred bits: a double next to a zero needs 53 of them, and its result another 53.
#ifdef __SIZEOF_FLOAT128__
__extension__ using Wide = __float128;
#else
using Wide = long double;
#endif

struct Fraction {
  double numerator, denominator;
};
/// B_2, B_4, ..., B_26 (24.2.1, and table 24.2.1).
constexpr Fraction bernoulli[] = {{1, 6},       {-1, 30},       {1, 42},       {-1, 30},
                                  {5, 66},      {-691, 2730},   {7, 6},        {-3617, 510},
                                  {43867, 798}, {-174611, 330}, {854513, 138}, {-236364091, 2730},
                                  {8553103, 6}};

/// log(x) for x > 0: the logarithm of 2 for each power of 2, and 2 artanh(u) for the rest.
Wide log_of(Wide x) {
  int exponent = 0;
  for (; x > Wide(1.5); x /= 2) ++exponent;
  for (; x < Wide(0.75); x *= 2) --exponent;
  const Wide u = (x - 1) / (x + 1), square = u * u;
  Wide power = 2 * u, sum = 0;
  for (int k = 1; k < 50; k += 2, power *= square) sum += power / k;  // |u| <= 1/5
  const Wide ln2 =
      Wide(0x1.62e42fefa39efp-1) + Wide(0x1.abc9e3b39803fp-56) + Wide(0x1.7b57a079a1934p-111);
  return sum + exponent * ln2;
}

Wide power_of(Wide x, int n) {
  Wide result = 1;
  for (; n > 0; n /= 2, x *= x) {
    if (n % 2) result *= x;
  }
  return result;
}

/// The n-th derivative of digamma at x > -1/2: its terms (5.15.1) are added up to a number from
/// which a few terms of the asymptotic series (5.11.2 and its derivatives) are accurate.
Wide derivative_of_digamma(int n, Wide x) {
  Wide factorial = 1;  // n!
  for (int k = 2; k <= n; ++k) factorial *= k;
  Wide sum = 0;
  for (; x < 30 + 2 * n; x += 1) sum += factorial / power_of(x, n + 1);
  const Wide lower = n > 0 ? factorial / n : factorial;  // (n - 1)!
  sum += factorial / (2 * power_of(x, n + 1)) + (n > 0 ? lower / power_of(x, n) : -log_of(x));
  Wide rising = lower / power_of(x, n);  // (2j + n - 1)! / (2j)! / x^(2j + n)
  int j = 1;
  for (const Fraction b : bernoulli) {
    if (n > 0 || j > 1) rising *= Wide(2 * j + n - 2);
    rising *= Wide(2 * j + n - 1) / (Wide(2 * j - 1) * (2 * j) * x * x);
    sum += Wide(b.numerator) / b.denominator * rising;
    ++j;
  }
  return n % 2 ? sum : -sum;
}

}  // namespace

double polygamma_of_negative(int n, double x) {
  const Wide above = Wide(x) - Wide(std::nearbyint(x));
  if (!(above != 0)) return std::numeric_limits<double>::quiet_NaN();
  // The reflection formula 5.5.4, which depends only on the distance to an integer, for both
  // values.
  const Wide there = derivative_of_digamma(n, 1 - above),
             here = derivative_of_digamma(n, 1 - Wide(x));
  return double(derivative_of_digamma(n, above) + (n % 2 ? there - here : here - there));
}

}  // namespace ebb::inline v0::detail
