// SPDX-License-Identifier: BSD-3-Clause
// How functions on lanes are compared with the long double functions of the C library, in every
// register size that the machine has. A unit without flags runs the larger sizes inside functions
// compiled for them.
#pragma once
#include "ebb/autodiff/formula/lanes.hpp"

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

namespace ebb::test {

inline bool runs(int bytes) {
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
#define MAP(set, bytes)                                                                         \
  template <class F, class T>                                                                   \
  EBB_LOOP_##set void map_##bytes(T* y, const T* x, int n) {                                    \
    using L = Lanes<T, bytes / sizeof(T)>;                                                      \
    for (int i = 0; i < n; i += L::size) F::lanes(L::load(x + i)).store(y + i);                 \
  }                                                                                             \
  template <class F, class T>                                                                   \
  EBB_LOOP_##set void map2_##bytes(T* y, const T* a, const T* b, int n) {                       \
    using L = Lanes<T, bytes / sizeof(T)>;                                                      \
    for (int i = 0; i < n; i += L::size) F::lanes(L::load(a + i), L::load(b + i)).store(y + i); \
  }
EBB_FOR_EACH_ISA(MAP)
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
template <class F, class T>
std::vector<T> map(int bytes, const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> y(a.size());
  const int n = int(a.size());
  if (bytes == 16) map2_16<F>(y.data(), a.data(), b.data(), n);
  if (bytes == 32) map2_32<F>(y.data(), a.data(), b.data(), n);
  if (bytes == 64) map2_64<F>(y.data(), a.data(), b.data(), n);
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

/// The error in units of the last place at the exact value; infinity is one ulp above the
/// largest number, as in rounding. Zeros of the wrong sign and NaN for numbers count as
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

inline std::string digits(double x) {
  char text[64];
  std::snprintf(text, sizeof text, "%.17g", x);
  return text;
}

template <class T>
std::string size_name(const std::string& name, int bytes) {
  return name + (sizeof(T) == 4 ? " of floats in " : " of doubles in ") + std::to_string(bytes);
}

/// F near the exact value at all arguments, in every register size.
template <class F, class T>
void check_near_exact() {
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
}

/// F of each argument in the table, to the bit.
template <class F, class T>
void check_special(std::initializer_list<std::pair<T, T>> table) {
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
}

/// F of a lane does not change with the place of the lane or with its neighbours.
template <class F, class T>
void check_places() {
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
}

}  // namespace ebb::test
