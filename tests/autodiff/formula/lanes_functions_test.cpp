// SPDX-License-Identifier: BSD-3-Clause
// Circular and hyperbolic functions, the error function and rounding on lanes.
#include "ebb/autodiff/formula/elementwise.hpp"
#include "ebb/tests/autodiff/formula/lanes_checks.hpp"

using namespace ebb::test;

namespace {

FUNCTION(exp2, 2)
FUNCTION(log2, 3)
FUNCTION(log10, 3)
FUNCTION(tan, 4)
FUNCTION(asin, 3)
FUNCTION(acos, 3)
FUNCTION(atan, 3)
FUNCTION(sinh, 3)
FUNCTION(cosh, 3)
FUNCTION(asinh, 3)
FUNCTION(acosh, 3)
FUNCTION(atanh, 3)
FUNCTION(erf, 3)
FUNCTION(erfc, 4)
FUNCTION(floor, 0)
FUNCTION(ceil, 0)
/// Half to even, unlike std::round.
struct Test_round {
  static constexpr const char* name = "round";
  static constexpr double limit = 0;
  static EBB_INLINE auto lanes(const auto& x) { return round(x); }
  static long double exact(long double x) { return std::nearbyint(x); }
};
#define FUNCTION_TYPES                                                                           \
  Test_exp2, Test_log2, Test_log10, Test_tan, Test_asin, Test_acos, Test_atan, Test_sinh,        \
      Test_cosh, Test_asinh, Test_acosh, Test_atanh, Test_erf, Test_erfc, Test_floor, Test_ceil, \
      Test_round

/// A function of two arguments.
#define FUNCTION2(f, ulps)                                                          \
  struct Test_##f {                                                                 \
    static constexpr const char* name = #f;                                         \
    static constexpr double limit = ulps;                                           \
    static EBB_INLINE auto lanes(const auto& a, const auto& b) { return f(a, b); }  \
    static long double exact(long double a, long double b) { return std::f(a, b); } \
  };
FUNCTION2(atan2, 3)
FUNCTION2(hypot, 3)

}  // namespace

TEST_SUITE("lanes") {

TEST_CASE_TEMPLATE("further functions of one argument are near the exact value", F,
                   FUNCTION_TYPES) {
  check_near_exact<F, float>();
  check_near_exact<F, double>();
}

TEST_CASE_TEMPLATE("special values of further functions are exact", T, float, double) {
  using Limits = std::numeric_limits<T>;
  const T tiny = Limits::denorm_min(), least = Limits::min(), huge = Limits::max();
  const T zero = 0, none = T(-0.0), inf = ebb::test::inf<T>, nan = NaN<T>;
  constexpr bool f = sizeof(T) == 4;
  check_special<Test_exp2, T>({{zero, 1},
                               {none, 1},
                               {inf, inf},
                               {-inf, zero},
                               {nan, nan},
                               {huge, inf},
                               {-huge, zero},
                               {tiny, 1},
                               {T(f ? 128 : 1024), inf},
                               {T(f ? -149 : -1074), tiny},
                               {T(f ? -126 : -1022), least},
                               {T(f ? -150 : -1075), zero}});
  for (int n = f ? -149 : -1074; n < (f ? 128 : 1024); ++n) {
    check_special<Test_exp2, T>({{T(n), std::ldexp(T(1), n)}});
    check_special<Test_log2, T>({{std::ldexp(T(1), n), T(n)}});
  }
  T power = 1;
  for (int n = 0; n <= (f ? 10 : 22); ++n, power *= 10) {
    check_special<Test_log10, T>({{power, T(n)}});
  }
  check_special<Test_log2, T>({{1, 0},
                               {zero, -inf},
                               {none, -inf},
                               {-1, nan},
                               {-tiny, nan},
                               {inf, inf},
                               {-inf, nan},
                               {nan, nan}});
  check_special<Test_log10, T>({{1, 0},
                                {zero, -inf},
                                {none, -inf},
                                {-1, nan},
                                {-tiny, nan},
                                {inf, inf},
                                {-inf, nan},
                                {nan, nan}});
  const T right = T(1.57079632679489661923L), straight = T(3.14159265358979323846L);
  check_special<Test_tan, T>({{zero, zero},
                              {none, none},
                              {inf, nan},
                              {-inf, nan},
                              {nan, nan},
                              {tiny, tiny},
                              {-tiny, -tiny}});
  check_special<Test_asin, T>({{zero, zero},
                               {none, none},
                               {1, right},
                               {-1, -right},
                               {T(1.5), nan},
                               {-2, nan},
                               {inf, nan},
                               {-inf, nan},
                               {nan, nan},
                               {tiny, tiny},
                               {-least, -least}});
  check_special<Test_acos, T>({{zero, right},
                               {none, right},
                               {1, zero},
                               {-1, straight},
                               {T(1.5), nan},
                               {-2, nan},
                               {inf, nan},
                               {-inf, nan},
                               {nan, nan},
                               {tiny, right}});
  check_special<Test_atan, T>({{zero, zero},
                               {none, none},
                               {inf, right},
                               {-inf, -right},
                               {huge, right},
                               {1, right / 2},
                               {nan, nan},
                               {tiny, tiny},
                               {-tiny, -tiny}});
  check_special<Test_sinh, T>({{zero, zero},
                               {none, none},
                               {inf, inf},
                               {-inf, -inf},
                               {huge, inf},
                               {-huge, -inf},
                               {nan, nan},
                               {tiny, tiny},
                               {-tiny, -tiny}});
  check_special<Test_cosh, T>(
      {{zero, 1}, {none, 1}, {inf, inf}, {-inf, inf}, {-huge, inf}, {nan, nan}, {tiny, 1}});
  check_special<Test_asinh, T>({{zero, zero},
                                {none, none},
                                {inf, inf},
                                {-inf, -inf},
                                {nan, nan},
                                {tiny, tiny},
                                {-tiny, -tiny}});
  check_special<Test_acosh, T>(
      {{1, zero}, {zero, nan}, {-1, nan}, {-5, nan}, {inf, inf}, {-inf, nan}, {nan, nan}});
  check_special<Test_atanh, T>({{zero, zero},
                                {none, none},
                                {1, inf},
                                {-1, -inf},
                                {2, nan},
                                {-2, nan},
                                {inf, nan},
                                {-inf, nan},
                                {nan, nan},
                                {tiny, tiny},
                                {-tiny, -tiny}});
  check_special<Test_erf, T>({{zero, zero},
                              {none, none},
                              {inf, 1},
                              {-inf, -1},
                              {huge, 1},
                              {-huge, -1},
                              {6, 1},
                              {nan, nan},
                              {tiny, tiny},
                              {-tiny, -tiny}});
  check_special<Test_erfc, T>({{zero, 1},
                               {none, 1},
                               {inf, zero},
                               {-inf, 2},
                               {huge, zero},
                               {-huge, 2},
                               {30, zero},
                               {nan, nan},
                               {tiny, 1}});
  check_special<Test_floor, T>({{zero, zero},
                                {none, none},
                                {tiny, zero},
                                {-tiny, -1},
                                {T(-1.5), -2},
                                {inf, inf},
                                {-inf, -inf},
                                {huge, huge},
                                {nan, nan}});
  check_special<Test_ceil, T>({{zero, zero},
                               {none, none},
                               {tiny, 1},
                               {-tiny, none},
                               {T(-0.7), none},
                               {T(-1.5), -1},
                               {inf, inf},
                               {-inf, -inf},
                               {nan, nan}});
  check_special<Test_round, T>({{T(0.5), zero},
                                {T(-0.5), none},
                                {T(1.5), 2},
                                {T(2.5), 2},
                                {T(-2.5), -2},
                                {none, none},
                                {inf, inf},
                                {-inf, -inf},
                                {huge, huge},
                                {nan, nan}});
}

TEST_CASE_TEMPLATE("a value of further functions depends neither on its place nor on neighbours", F,
                   FUNCTION_TYPES) {
  check_places<F, float>();
  check_places<F, double>();
}

TEST_CASE_TEMPLATE("functions of two arguments are near the exact value, special cases included", F,
                   Test_atan2, Test_hypot) {
  const auto test = []<class T>(T) {
    std::vector<T> a, b;
    const std::vector<T> special = special_values<T>();
    for (T v : special) {
      for (T w : special) a.push_back(v), b.push_back(w);
    }
    // All quadrants, ratios from 2^-20 to 2^20, and every size.
    std::mt19937_64 random(13);
    const auto uniform = [&] { return double(random() >> 11) * 0x1p-53; };
    const double sizes = sizeof(T) == 4 ? 120 : 1000;
    for (int i = 0; i < 40000; ++i) {
      const double size = std::exp2(i % 2 ? 0 : (2 * uniform() - 1) * sizes);
      const double angle = 2 * 3.141592653589793 * uniform();
      const double ratio = i % 3 ? 1 : std::exp2((2 * uniform() - 1) * 20);
      a.push_back(T(size * ratio * std::sin(angle)));
      b.push_back(T(size * std::cos(angle)));
    }
    a.resize((a.size() + 15) / 16 * 16, 1);
    b.resize((b.size() + 15) / 16 * 16, 1);
    std::vector<long double> exact;
    for (std::size_t i = 0; i < a.size(); ++i) exact.push_back(F::exact(a[i], b[i]));
    for (int bytes : {16, 32, 64}) {
      if (!runs(bytes)) continue;
      check_errors(
          size_name<T>(F::name, bytes), F::limit, map<F>(bytes, a, b), exact,
          [&](std::size_t i) { return digits(double(a[i])) + " and " + digits(double(b[i])); });
    }
  };
  test(float());
  test(double());
}

}  // TEST_SUITE("lanes")
