// SPDX-License-Identifier: BSD-3-Clause
// Lanes against the long double functions of the C library, in every register size that the machine
// has. A unit without flags runs the larger sizes inside functions compiled for them.
#include "ebb/autodiff/lanes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using ebb::Lanes;

#define TARGET_16 __attribute__((flatten))
#define TARGET_32 __attribute__((flatten, target("avx2,fma")))
#define TARGET_64 \
  __attribute__((flatten, target("avx2,fma,avx512f,avx512bw,avx512dq,avx512cd,avx512vl")))
/// Calls X(bytes) for each register size.
#define FOR_SIZES(X) X(16) X(32) X(64)

bool runs(int bytes) {
  if (bytes == 64) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") &&
           __builtin_cpu_supports("avx512vl");
  }
  return bytes == 16 || (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
}

/// A function of one argument: on lanes, exactly, and how wrong it may be in ulp.
#define FUNCTION(f, ulps)                                         \
  struct Test_##f {                                               \
    static constexpr const char* name = #f;                       \
    static constexpr double limit = ulps;                         \
    static EBB_INLINE auto lanes(const auto& x) { return f(x); }  \
    static long double exact(long double x) { return std::f(x); } \
  };
FUNCTION(exp, 1.5)
FUNCTION(log, 1.5)
FUNCTION(log1p, 2)
FUNCTION(expm1, 1.6)
FUNCTION(tanh, 3)
FUNCTION(sin, 2)
FUNCTION(cos, 2)
FUNCTION(sqrt, 0.5)
#undef FUNCTION
#define FUNCTION_TYPES \
  Test_exp, Test_log, Test_log1p, Test_expm1, Test_tanh, Test_sin, Test_cos, Test_sqrt

#define MAP(bytes)                                                                         \
  template <class F, class T>                                                              \
  TARGET_##bytes void map_##bytes(T* y, const T* x, int n) {                               \
    using L = Lanes<T, bytes / sizeof(T)>;                                                 \
    for (int i = 0; i < n; i += L::size) F::lanes(L::load(x + i)).store(y + i);            \
  }                                                                                        \
  template <class T>                                                                       \
  TARGET_##bytes void pow_##bytes(T* y, const T* a, const T* b, int n) {                   \
    using L = Lanes<T, bytes / sizeof(T)>;                                                 \
    for (int i = 0; i < n; i += L::size) pow(L::load(a + i), L::load(b + i)).store(y + i); \
  }
FOR_SIZES(MAP)
#undef MAP

/// The vectors are whole: lengths are multiples of 16.
template <class F, class T>
std::vector<T> map(int bytes, const std::vector<T>& x) {
  std::vector<T> y(x.size());
  const int n = int(x.size());
  if (bytes == 16) map_16<F>(y.data(), x.data(), n);
  if (bytes == 32) map_32<F>(y.data(), x.data(), n);
  if (bytes == 64) map_64<F>(y.data(), x.data(), n);
  return y;
}
template <class T>
std::vector<T> map_pow(int bytes, const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> y(a.size());
  const int n = int(a.size());
  if (bytes == 16) pow_16(y.data(), a.data(), b.data(), n);
  if (bytes == 32) pow_32(y.data(), a.data(), b.data(), n);
  if (bytes == 64) pow_64(y.data(), a.data(), b.data(), n);
  return y;
}

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T>
bool same(T a, T b) {
  return (a != a && b != b) || std::bit_cast<Bits<T>>(a) == std::bit_cast<Bits<T>>(b);
}
template <class T>
constexpr T inf = std::numeric_limits<T>::infinity();
template <class T>
constexpr T NaN = std::numeric_limits<T>::quiet_NaN();

/// The error in units of the last place at the exact value; infinity stands one ulp above the
/// largest number, as it does in rounding. Zeros of the wrong sign and NaN for numbers count as
/// infinite.
template <class T>
long double error_in_ulp(T value, long double exact) {
  using Limits = std::numeric_limits<T>;
  constexpr long double wrong = std::numeric_limits<long double>::infinity();
  const T rounded = T(exact);
  if (std::isnan(value) || std::isnan(exact))
    return std::isnan(value) == std::isnan(exact) ? 0 : wrong;
  if (std::signbit(value) != std::signbit(rounded)) return wrong;
  if (std::isinf(value) && std::isinf(rounded)) return 0;
  const auto finite = [](long double x) {
    return std::isinf(x) ? std::copysign(std::ldexp(1.0L, Limits::max_exponent), x) : x;
  };
  int exponent = 0;
  std::frexp(exact, &exponent);
  exponent = std::max(exponent, Limits::min_exponent) - Limits::digits;
  return std::fabs(finite(value) - finite(exact)) / std::ldexp(1.0L, exponent);
}

template <class T>
std::vector<T> special_values() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> x;
  for (T v : {T(0),
              T(0.5),
              T(1),
              T(2),
              T(3),
              T(2.5),
              T(7),
              T(1e9),
              Limits::min(),
              Limits::max(),
              Limits::denorm_min(),
              Limits::epsilon(),
              T(88.7228),
              T(88.73),
              T(103.9),
              T(104.1),
              T(709.7827),
              T(709.79),
              T(745.1),
              T(745.2),
              T(16777216),
              T(8192),
              T(8193),
              T(9007199254740992),
              T(4503599627370497),
              inf<T>,
              NaN<T>}) {
    x.insert(x.end(), {v, -v});
  }
  x.resize((x.size() + 15) / 16 * 16, 1);
  return x;
}

/// Logarithmic sweeps of both signs, dense ones where things happen, neighbours of the multiples of
/// pi / 2, and random bits.
template <class T>
std::vector<T> arguments() {
  using Limits = std::numeric_limits<T>;
  std::mt19937_64 random(7);
  const auto uniform = [&] { return double(random() >> 11) * 0x1p-53; };
  std::vector<T> x = special_values<T>();
  const int per_octave = sizeof(T) == 4 ? 60 : 12;
  for (int e = Limits::min_exponent - Limits::digits; e < Limits::max_exponent; ++e) {
    for (int i = 0; i < per_octave; ++i) {
      const T v = T(std::ldexp((i + uniform()) / per_octave + 1, e));
      x.insert(x.end(), {v, -v});
    }
  }
  for (int i = 0; i < 8000; ++i) {
    for (double range : {1.0, 2.0, 20.0, 110.0, 750.0}) x.push_back(T((2 * uniform() - 1) * range));
    x.push_back(T(1 + (uniform() - 0.5) * std::exp2(-i % 40)));
    x.push_back(std::bit_cast<T>(Bits<T>(random())));
  }
  for (int i = 1; i < 2000; ++i) {
    const int n = i < 1000 ? i : int(random() % 500000);
    const T v = T(1.57079632679489661923L * n);
    x.insert(x.end(), {v, std::nextafter(v, inf<T>), -std::nextafter(v, T(0))});
  }
  x.resize((x.size() + 15) / 16 * 16, 1);
  return x;
}

/// Fails with the argument that has the largest error.
template <class T, class Argument>
void check_errors(const std::string& what, double limit, const std::vector<T>& y,
                  const std::vector<long double>& exact, Argument argument) {
  std::size_t worst = 0;
  long double error = -1;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const long double e = error_in_ulp(y[i], exact[i]);
    if (e > error) error = e, worst = i;
  }
  CAPTURE(what);
  CAPTURE(argument(worst));
  CAPTURE(double(y[worst]));
  CAPTURE(double(exact[worst]));
  CHECK(double(error) <= limit);
}

std::string digits(double x) {
  char text[64];
  std::snprintf(text, sizeof text, "%.17g", x);
  return text;
}

template <class T>
std::string size_name(const std::string& name, int bytes) {
  return name + (sizeof(T) == 4 ? " of floats in " : " of doubles in ") + std::to_string(bytes);
}

}  // namespace

TEST_CASE_TEMPLATE("functions of one argument are near the exact value", F, FUNCTION_TYPES) {
  const auto test = []<class T>(T) {
    static const std::vector<T> x = arguments<T>();
    std::vector<long double> exact;
    for (T v : x) exact.push_back(F::exact(v));
    std::vector<T> fused;
    for (int bytes : {16, 32, 64}) {
      if (!runs(bytes)) continue;
      const std::vector<T> y = map<F>(bytes, x);
      check_errors(size_name<T>(F::name, bytes), F::limit, y, exact,
                   [&](std::size_t i) { return digits(double(x[i])); });
      // Sizes with FMA agree in every bit.
      if (bytes == 32) fused = y;
      if (bytes == 64) {
        std::size_t different = 0;
        for (std::size_t i = 0; i < y.size(); ++i) different += !same(y[i], fused[i]);
        CHECK(different == 0);
      }
    }
  };
  test(float());
  test(double());
}

TEST_CASE_TEMPLATE("special values are exact", T, float, double) {
  using Limits = std::numeric_limits<T>;
  const T tiny = Limits::denorm_min(), least = Limits::min(), huge = Limits::max();
  const auto check = [&]<class F>(F, std::initializer_list<std::pair<T, T>> table) {
    for (int bytes : {16, 32, 64}) {
      if (!runs(bytes)) continue;
      for (const std::pair<T, T>& row : table) {
        const T x = row.first, y = row.second;
        const T got = map<F>(bytes, std::vector<T>(16, x))[3];
        CAPTURE(size_name<T>(F::name, bytes));
        CAPTURE(double(x));
        CAPTURE(double(y));
        CAPTURE(double(got));
        CHECK(same(got, y));
      }
    }
  };
  constexpr bool f = sizeof(T) == 4;
  const T zero = 0, none = T(-0.0), oo = inf<T>, bad = NaN<T>;
  // clang-format off
  check(Test_exp{}, {{zero, 1}, {none, 1}, {oo, oo}, {-oo, 0}, {bad, bad}, {huge, oo}, {-huge, 0},
                     {tiny, 1}, {T(f ? 88.73 : 709.79), oo}, {T(f ? -104 : -745.2), 0}});
  check(Test_expm1{}, {{zero, zero}, {none, none}, {oo, oo}, {-oo, -1}, {bad, bad}, {huge, oo},
                       {-huge, -1}, {tiny, tiny}, {-tiny, -tiny}, {least, least}});
  check(Test_log{}, {{1, 0}, {zero, -oo}, {none, -oo}, {-1, bad}, {-tiny, bad}, {oo, oo},
                     {-oo, bad}, {bad, bad}});
  check(Test_log1p{}, {{zero, zero}, {none, none}, {-1, -oo}, {-2, bad}, {-oo, bad}, {oo, oo},
                       {bad, bad}, {tiny, tiny}, {-tiny, -tiny}});
  check(Test_tanh{}, {{zero, zero}, {none, none}, {oo, 1}, {-oo, -1}, {bad, bad}, {huge, 1},
                      {-huge, -1}, {40, 1}, {-40, -1}, {tiny, tiny}, {-tiny, -tiny}, {least, least}});
  check(Test_sin{}, {{zero, zero}, {none, none}, {oo, bad}, {-oo, bad}, {bad, bad}, {tiny, tiny},
                     {-tiny, -tiny}, {least, least}});
  check(Test_cos{}, {{zero, 1}, {none, 1}, {oo, bad}, {-oo, bad}, {bad, bad}, {tiny, 1}, {T(1e-9), 1}});
  check(Test_sqrt{}, {{zero, zero}, {none, none}, {4, 2}, {-1, bad}, {oo, oo}, {-oo, bad}, {bad, bad}});
  // clang-format on
}

TEST_CASE_TEMPLATE("a value depends neither on its place nor on its neighbours", F,
                   FUNCTION_TYPES) {
  const auto test = []<class T>(T) {
    std::vector<T> values = special_values<T>();
    for (int i = 0; i < 60; ++i) values.push_back(T(std::ldexp(1 + i / 61.0, i % 30 - 15)));
    const std::vector<T> around = {1, NaN<T>, T(1e9), -inf<T>, T(0.25)};
    for (int bytes : {16, 32, 64}) {
      if (!runs(bytes)) continue;
      int different = 0;
      for (T v : values) {
        const T alone = map<F>(bytes, std::vector<T>(16, v))[0];
        for (int place = 0; place < 16; ++place) {
          std::vector<T> x;
          for (int i = 0; i < 16; ++i) x.push_back(around[std::size_t(i + place) % around.size()]);
          x[std::size_t(place)] = v;
          different += !same(map<F>(bytes, x)[std::size_t(place)], alone);
        }
      }
      CAPTURE(size_name<T>(F::name, bytes));
      CHECK(different == 0);
    }
  };
  test(float());
  test(double());
}

TEST_CASE_TEMPLATE("pow is near the exact value and has the special cases of C", T, float, double) {
  std::vector<T> a, b;
  const std::vector<T> special = special_values<T>();
  for (T v : special) {
    for (T w : special) a.push_back(v), b.push_back(w);
  }
  // Powers from all over the range, from bases next to 1 and far from it.
  std::mt19937_64 random(11);
  const auto uniform = [&] { return double(random() >> 11) * 0x1p-53; };
  const double range = sizeof(T) == 4 ? 105 : 750;
  for (int i = 0; i < 20000; ++i) {
    const double limit = sizeof(T) == 4 ? 140 : 1000;
    const T base = T(i % 2 ? std::exp2((2 * uniform() - 1) * limit)
                           : 1 + (uniform() - 0.5) * std::exp2(-i % 20));
    double exponent = (2 * uniform() - 1) * range / std::fabs(std::log(double(base)));
    if (i % 5 == 0) exponent = std::round(exponent);
    a.push_back(i % 10 == 0 ? -base : base);
    b.push_back(T(exponent));
  }
  a.resize((a.size() + 15) / 16 * 16, 1);
  b.resize((b.size() + 15) / 16 * 16, 1);
  std::vector<long double> exact;
  for (std::size_t i = 0; i < a.size(); ++i) exact.push_back(std::pow((long double)a[i], b[i]));
  for (int bytes : {16, 32, 64}) {
    if (!runs(bytes)) continue;
    check_errors(size_name<T>("pow", bytes), 1, map_pow(bytes, a, b), exact, [&](std::size_t i) {
      return digits(double(a[i])) + " to the power of " + digits(double(b[i]));
    });
  }
}

namespace {

/// The number of the first line that does not hold, or 0: checks of doctest cannot be inlined.
#define HOLDS(...) \
  if (!(__VA_ARGS__)) return __LINE__

template <class L>
EBB_INLINE bool all(const typename L::Mask& mask) {
  return !(~mask).any();
}

template <class T, int W>
EBB_INLINE int operations_on_lanes() {
  using L = Lanes<T, W>;
  T x[W + 1], y[W + 1];
  for (int i = 0; i < W; ++i) x[i + 1] = T(i + 1);
  const L n = L::load(x + 1);  // 1, 2, ...; never aligned
  n.store(y + 1);
  for (int i = 1; i <= W; ++i) HOLDS(y[i] == T(i));

  // Literals of any type on either side.
  HOLDS(all<L>(1 + n - 1 == n) && all<L>(2 * n / 2.0 == n) && all<L>(0 - n == -n));
  HOLDS(all<L>(1 <= n) && all<L>(n >= 1) && !(n < 1).any() && all<L>(0.5 < n) && !(0 > n).any());
  HOLDS(all<L>(select(n < 2.5, 1, 0) + select(n < 2.5, 0, 1) == 1));
  HOLDS(all<L>(select(n < 2.5, n, 0) + select(n < 2.5, 0, n) == n));
  const L nothing = NaN<T>;
  HOLDS(!(nothing == nothing).any() && !(nothing < 1).any() &&
        all<L>(select(nothing > 1, 1, n) == n));
  HOLDS(all<L>(pow(n, 2) == n * n) && all<L>(pow(2, n) / 2 == pow(2, n - 1)));

  // Masks.
  for (int count = 0; count <= W + 1; ++count) {
    select(L::first(count), 1, 0).store(y);
    for (int i = 0; i < W; ++i) HOLDS(y[i] == T(i < count));
    HOLDS(L::first(count).any() == (count > 0));
    HOLDS((L::first(count) & ~L::first(count - 1)).any() == (count > 0 && count <= W));
    HOLDS(all<L>(L::first(count) | ~L::first(count)));
  }
  for (int i = 1; i <= W; ++i) HOLDS((n == i).any());

  // Sums.
  HOLDS(n.sum() == T(W * (W + 1) / 2));
  // Small integers: sums are exact in any order.
  const L sums = L::sums([&](auto r) { return n * T(1 << r % 5) + T(int(r)); });
  for (int r = 0; r < W; ++r) HOLDS(sums.reg[r] == n.sum() * T(1 << r % 5) + T(W * r));

  // The square of epsilon is left only where the product is not rounded.
  const T e = std::numeric_limits<T>::epsilon();
  HOLDS(all<L>(madd(n, 3, 4) == n * 3 + 4));
  HOLDS(all<L>(madd(L(1 + e), 1 - e, -1) == (L::fused ? -e * e : 0)));

  HOLDS(all<L>(L(T(-0.0)).magnitude() == 0) && all<L>((-n).magnitude() == n));
  HOLDS(all<L>(n.clamped(2, 3) == select(n < 2, 2, select(n > 3, 3, n))));
  HOLDS(!(nothing.clamped(2, 3) == nothing.clamped(2, 3)).any());
  return 0;
}

#define OPERATIONS(bytes)                                    \
  template <class T>                                         \
  TARGET_##bytes int operations_##bytes() {                  \
    return operations_on_lanes<T, bytes / int(sizeof(T))>(); \
  }
FOR_SIZES(OPERATIONS)
#undef OPERATIONS

}  // namespace

TEST_CASE_TEMPLATE("operations, masks, sums and madd", T, float, double) {
  CHECK(operations_16<T>() == 0);
  if (runs(32)) CHECK(operations_32<T>() == 0);
  if (runs(64)) CHECK(operations_64<T>() == 0);
}

namespace {

/// Formulas as operations write them.
constexpr auto tanh_slope = [](auto, auto y) { return 1 - y * y; };
constexpr auto relu_slope = [](auto x, auto) { return select(x > 0, 1, 0); };
constexpr auto product_slope = [](auto, auto b, auto) { return b; };
constexpr auto power_slope = [](auto a, auto b, auto) { return b * pow(a, b - 1); };
constexpr auto softplus = [](auto x) { return select(x > 20, x, log1p(exp(x))); };

using ebb::Uses;
using ebb::uses_of;
template <class R>
constexpr unsigned read = uses_of<R>;

static_assert(read<decltype(tanh_slope(Uses<1>{}, Uses<2>{}))> == 2);
static_assert(read<decltype(relu_slope(Uses<1>{}, Uses<2>{}))> == 1);
static_assert(read<decltype(product_slope(Uses<1>{}, Uses<2>{}, Uses<4>{}))> == 2);
static_assert(read<decltype(power_slope(Uses<1>{}, Uses<2>{}, Uses<4>{}))> == 3);
static_assert(read<decltype(pow(Uses<1>{}, Uses<2>{}) + pow(2, Uses<4>{}))> == 7);
static_assert(read<decltype(softplus(Uses<1>{}))> == 1);
static_assert(read<decltype(select(Uses<1>{} < Uses<2>{}, Uses<4>{}, 0))> == 7);
static_assert(read<decltype(select((Uses<1>{} < 0) & ~(1.5 >= Uses<2>{}), 1, 0))> == 3);
static_assert(read<decltype(select((Uses<1>{} == 0) | (Uses<4>{} > 1), 1, 0))> == 5);
static_assert(read<decltype(-sqrt(2 / Uses<8>{}) + sin(Uses<1>{}) * expm1(cos(Uses<2>{})))> == 11);
static_assert(read<decltype(select(true, Uses<1>{}, 0))> == 1);
static_assert(read<int> == 0);

}  // namespace

TEST_CASE("formulas of plain numbers") {
  using ebb::pow, ebb::select;
  CHECK(select(true, 1, 0.5) == 1.0);
  CHECK(select(false, 1, 0.5) == 0.5);
  CHECK(pow(3.0, 2) == 9.0);
  CHECK(ebb::exp(0.0f) == 1.0f);
  CHECK(std::is_same_v<decltype(ebb::tanh(0.5f)), float>);
}
