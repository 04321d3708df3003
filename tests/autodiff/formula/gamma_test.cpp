// SPDX-License-Identifier: BSD-3-Clause
// lgamma, digamma and polygamma: on lanes against sums in 113 bits, at special arguments, through
// their kernels, and inside formulas.
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/tests/autodiff/formula/lanes_checks.hpp"
#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

__extension__ typedef __float128 Quad;

/// The natural logarithm by its series, of x > 0.
Quad log_of(Quad x) {
  int exponent = 0;
  while (x > 1.5L) x /= 2, ++exponent;
  while (x < 0.75L) x *= 2, --exponent;
  const Quad u = (x - 1) / (x + 1), square = u * u;
  Quad term = 2 * u, sum = 0;
  for (int k = 1; k < 50; k += 2, term *= square) sum += term / k;
  const Quad ln2 = Quad(0.693147180559945309428690474184975L) +  // and what 64 bits leave of it
                   Quad(-1.1458352726798732811e-20L);
  return sum + exponent * ln2;
}

Quad power_of(Quad x, int n) {
  Quad p = 1;
  for (; n > 0; --n) p *= x;
  return p;
}

constexpr int far_enough = 60;  // where some terms of an asymptotic series are exact
constexpr int terms = 13;

/// Bernoulli numbers of index 2j.
Quad bernoulli(int j) {
  static const Quad table[] = {1,
                               Quad(1) / 6,
                               Quad(-1) / 30,
                               Quad(1) / 42,
                               Quad(-1) / 30,
                               Quad(5) / 66,
                               Quad(-691) / 2730,
                               Quad(7) / 6,
                               Quad(-3617) / 510,
                               Quad(43867) / 798,
                               Quad(-174611) / 330,
                               Quad(854513) / 138,
                               Quad(-236364091) / 2730,
                               Quad(8553103) / 6};
  return table[j];
}

/// Stirling's series far out (DLMF 5.11.1), by 5.5.1 from there.
Quad log_gamma(Quad x) {
  Quad product = 1, logs = 0;
  for (; x < far_enough; x += 1) {
    product *= x;
    if (product > 1e300L) logs += log_of(product), product = 1;
  }
  logs += log_of(product < 0 ? -product : product);
  const Quad half_log_two_pi =
      Quad(0.918938533204672741803043650721250L) + Quad(-2.2713914315632306539e-20L);
  Quad sum = (x - Quad(1) / 2) * log_of(x) - x + half_log_two_pi - logs;
  for (int j = 1; j <= terms; ++j)
    sum += bernoulli(j) / (2 * j * (2 * j - 1) * power_of(x, 2 * j - 1));
  return sum;
}

/// 5.11.2 and 5.5.2.
Quad digamma_of(Quad x) {
  Quad sum = 0;
  for (; x < far_enough; x += 1) sum -= 1 / x;
  sum += log_of(x) - 1 / (2 * x);
  for (int j = 1; j <= terms; ++j) sum -= bernoulli(j) / (2 * j * power_of(x, 2 * j));
  return sum;
}

/// The derivatives of both.
Quad polygamma_of(int n, Quad x) {
  const int sign = n % 2 ? 1 : -1;
  Quad factorial = 1, sum = 0;  // (n - 1)!
  for (int k = 2; k < n; ++k) factorial *= k;
  for (; x < far_enough + 2 * n; x += 1) sum += factorial * n / power_of(x, n + 1);
  sum += factorial / power_of(x, n) + factorial * n / (2 * power_of(x, n + 1));
  Quad rising = factorial;  // (2j + n - 1)! / (2j)!
  for (int j = 1; j <= terms; ++j) {
    rising *= Quad((2 * j + n - 2) * (2 * j + n - 1)) / ((2 * j - 1) * (2 * j));
    sum += bernoulli(j) * rising / power_of(x, 2 * j + n);
  }
  return sign * sum;
}

struct Test_lgamma {
  static constexpr const char* name = "lgamma";
  static EBB_INLINE auto lanes(const auto& x) { return lgamma(x); }
  static Quad exact(Quad x) { return x == 1 || x == 2 ? 0 : log_gamma(x); }
};
struct Test_digamma {
  static constexpr const char* name = "digamma";
  static EBB_INLINE auto lanes(const auto& x) { return digamma(x); }
  static Quad exact(Quad x) { return digamma_of(x); }
};
template <int n>
struct Test_polygamma {
  static constexpr const char* name = "polygamma";
  static EBB_INLINE auto lanes(const auto& x) { return polygamma(n, x); }
  static Quad exact(Quad x) { return polygamma_of(n, x); }
};

/// Numbers above 0 of every size up to 2^40, and many next to the zeros of lgamma and digamma.
template <class T>
std::vector<T> positive_arguments() {
  std::mt19937_64 random(11);
  const auto uniform = [&] { return double(random() >> 11) * 0x1p-53; };
  std::vector<T> x;
  for (int i = 0; i < 2000; ++i) {
    x.push_back(T(4 * uniform()));
    x.push_back(T(20 * uniform()));
    x.push_back(T(std::exp2(80 * uniform() - 40)));
    const double offset = (2 * uniform() - 1) * std::exp2(-i % 50);
    for (const double zero : {1.0, 2.0, 1.4616321449683622}) x.push_back(T(zero + offset));
  }
  x.erase(std::remove_if(x.begin(), x.end(), [](T v) { return !(v > 0); }), x.end());
  x.resize((x.size() + 15) / 16 * 16, 1);
  return x;
}

template <class F, class T>
void check_positive(double limit) {
  const std::vector<T> x = positive_arguments<T>();
  std::vector<long double> exact;
  for (const T v : x) exact.push_back(static_cast<long double>(F::exact(v)));
  for (int bytes : {16, 32, 64}) {
    if (!runs(bytes)) continue;
    check_errors(size_name<T>(F::name, bytes), limit, map<F>(bytes, x), exact,
                 [&](std::size_t i) { return digits(double(x[i])); });
  }
}

/// As far below 0 as the sums of the tests reach, next to poles, and next to zeros: where those of
/// the even orders are there is one between any two poles (DLMF 5.4.20 gives those of digamma).
template <class F, class T>
void check_negative(double limit) {
  std::mt19937_64 random(12);
  const auto uniform = [&] { return double((random() >> 11) + 1) * 0x1p-53; };
  std::vector<T> x;
  for (int i = 0; i < 4000; ++i) x.push_back(T(-(i % 2 ? 3 : 30) * uniform()));
  for (int i = 0; i < 96; ++i) x.push_back(T(-std::exp2(-i)));
  for (int unit = -4; unit < 0; ++unit) {
    T low = T(unit) + T(0.01), high = T(unit) + T(0.99);
    const bool rising = F::exact(low) < 0;
    if (rising == (F::exact(high) < 0)) continue;
    for (int i = 0; i < 60; ++i) {
      const T middle = (low + high) / 2;
      x.push_back(middle);
      (rising == (F::exact(middle) < 0) ? low : high) = middle;
    }
  }
  std::vector<long double> exact;
  std::erase_if(x, [](T v) { return v == std::nearbyint(v) || std::isinf(T(F::exact(v))); });
  x.resize(x.size() / 16 * 16);
  for (const T v : x) exact.push_back(static_cast<long double>(F::exact(v)));
  for (int bytes : {16, 32, 64}) {
    if (!runs(bytes)) continue;
    check_errors(size_name<T>(F::name, bytes), limit, map<F>(bytes, x), exact,
                 [&](std::size_t i) { return digits(double(x[i])); });
  }
}

}  // namespace

TEST_SUITE("gamma") {

TEST_CASE_TEMPLATE("the gamma family is within 4 ulp above 0", T, float, double) {
  check_positive<Test_lgamma, T>(4);
  check_positive<Test_digamma, T>(4);
  check_positive<Test_polygamma<1>, T>(4);
  check_positive<Test_polygamma<2>, T>(4);
  check_positive<Test_polygamma<3>, T>(4);
  check_positive<Test_polygamma<6>, T>(4);
  check_positive<Test_polygamma<25>, T>(4);
}

TEST_CASE_TEMPLATE("the gamma family is within 4 ulp below 0, and next to its zeros", T, float,
                   double) {
  check_negative<Test_lgamma, T>(4);
  check_negative<Test_digamma, T>(4);
  check_negative<Test_polygamma<1>, T>(4);
  check_negative<Test_polygamma<2>, T>(4);
  check_negative<Test_polygamma<3>, T>(4);
  check_negative<Test_polygamma<6>, T>(4);
}

TEST_CASE_TEMPLATE("special values of the gamma family", T, float, double) {
  using Limits = std::numeric_limits<T>;
  const T zero = 0, none = T(-0.0), inf = ebb::test::inf<T>, nan = NaN<T>, huge = Limits::max();
  const T tiny = Limits::denorm_min(), whole = T(-1e17);
  check_special<Test_lgamma, T>({{1, zero},
                                 {2, zero},
                                 {zero, inf},
                                 {none, inf},
                                 {-1, inf},
                                 {-20, inf},
                                 {whole, inf},
                                 {-huge, inf},
                                 {inf, inf},
                                 {-inf, inf},
                                 {nan, nan},
                                 {tiny, T(-std::log(static_cast<long double>(tiny)))},
                                 {-tiny, T(-std::log(static_cast<long double>(tiny)))}});
  CHECK(double(error_in_ulp(map<Test_lgamma>(16, std::vector<T>(16, T(1e30L)))[0],
                            static_cast<long double>(log_gamma(Quad(T(1e30L)))))) <= 4);
  check_special<Test_digamma, T>({{zero, -inf},
                                  {none, inf},
                                  {tiny, -inf},
                                  {-tiny, inf},
                                  {-1, nan},
                                  {-20, nan},
                                  {whole, nan},
                                  {-huge, nan},
                                  {inf, inf},
                                  {-inf, nan},
                                  {nan, nan}});
  check_special<Test_polygamma<1>, T>({{zero, inf},
                                       {none, inf},
                                       {tiny, inf},
                                       {-tiny, inf},
                                       {-1, inf},
                                       {-20, inf},
                                       {whole, inf},
                                       {-huge, inf},
                                       {inf, zero},
                                       {-inf, nan},
                                       {nan, nan}});
  check_special<Test_polygamma<2>, T>({{zero, -inf},
                                       {none, -inf},
                                       {tiny, -inf},
                                       {-tiny, inf},
                                       {-1, -inf},
                                       {whole, -inf},
                                       {inf, none},
                                       {nan, nan}});
}

TEST_CASE_TEMPLATE("a value of the gamma family depends neither on its place nor on neighbours", F,
                   Test_lgamma, Test_digamma, Test_polygamma<1>, Test_polygamma<2>) {
  check_places<F, float>();
  check_places<F, double>();
}

}  // TEST_SUITE("gamma")

TEST_SUITE("kernels") {

TEST_CASE("the gamma family is a chain of derivatives, on tensors and inside formulas") {
  const auto x = Array<double>::of({-2.5, -0.3, 0.1, 1, 1.7, 2, 4.5, 1e3, 1e10});
  const auto along = [&](auto f) { return gradient([&](auto v) { return sum(f(v)); }, x).array(); };
  const auto f = [](auto v) { return lgamma(v) + 0.5 * digamma(v) + 0.25 * polygamma(1, v); };
  CHECK_AGREES(same_bits(along([](auto v) { return lgamma(v); }), digamma(x).array()));
  CHECK_AGREES(same_bits(along([](auto v) { return digamma(v); }), polygamma(1, x).array()));
  CHECK_AGREES(same_bits(along([](auto v) { return polygamma(4, v); }), polygamma(5, x).array()));
  CHECK_AGREES(same_bits(polygamma(0, x).array(), digamma(x).array()));
  const auto fused = [&](auto v) { return fuse(f, v); };
  CHECK_AGREES(close(fused(x).array(), f(Tensor<double>(x)).array(), 1e-14, 1e-14));
  CHECK_AGREES(close(along(fused), along(f), 1e-13, 1e-13));
  for (const double v : x) {
    const double expected = f(Tensor<double>(v)).item();
    CHECK(std::abs(f(v) - expected) <= 1e-14 * std::abs(expected));
  }
}

TEST_CASE("a gradient of zero annihilates the slopes of the gamma family at their poles") {
  const auto x = Array<double>::of({0.0, -1.0, 3.0});
  const auto chosen = [&](auto f) {
    return gradient([&](auto v) { return sum(select(v > 2.0, f(v), 0.0)); }, x).array();
  };
  const auto expected = [](double y) { return Array<double>::of({0, 0, y}); };
  CHECK_AGREES(same_bits(chosen([](auto v) { return lgamma(v); }), expected(digamma(3.0))));
  CHECK_AGREES(same_bits(chosen([](auto v) { return digamma(v); }), expected(polygamma(1, 3.0))));
}

TEST_CASE("polygamma refuses orders that it does not have") {
  for (const int n : {-1, 101}) {
    CHECK_THROWS_WITH_AS(polygamma(n, Tensor<double>(1.5)), doctest::Contains("is not in [0, 100]"),
                         ArgumentError);
  }
}

}  // TEST_SUITE("kernels")
