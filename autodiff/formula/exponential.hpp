// SPDX-License-Identifier: BSD-3-Clause
// Elementwise roots, exponentials, logarithms and powers.
#pragma once
#include <limits>
#include <string_view>

#include "ebb/autodiff/formula/functions.hpp"

namespace ebb::inline v0::op {

struct Sqrt {
  static constexpr std::string_view name = "sqrt";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto x) { return sqrt(x); }
  EBB_INLINE static constexpr auto slope(auto, auto y) { return 0.5 / y; }
  static constexpr double samples[] = {0.2, 1, 4, 50};
  static constexpr double lower_bound = 0;
};

struct Rsqrt {
  static constexpr std::string_view name = "rsqrt";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto x) { return 1 / sqrt(x); }
  EBB_INLINE static constexpr auto slope(auto, auto y) { return -0.5 * y * y * y; }
  static constexpr double samples[] = {0.2, 1, 4, 50};
  static constexpr double lower_bound = 0;
};

struct Exp {
  static constexpr std::string_view name = "exp";
  EBB_INLINE static constexpr auto value(auto x) { return exp(x); }
  EBB_INLINE static constexpr auto slope(auto, auto y) { return y; }
  static constexpr double samples[] = {-30, -3, -0.5, 0, 0.7, 20};
};

struct Exp2 {
  static constexpr std::string_view name = "exp2";
  EBB_INLINE static constexpr auto value(auto x) { return exp2(x); }
  EBB_INLINE static constexpr auto slope(auto, auto y) { return 0.69314718055994531 * y; }
  static constexpr double samples[] = {-30, -3, -0.5, 0, 0.7, 20};
};

/// e^x - 1 without cancellation near 0.
struct Expm1 {
  static constexpr std::string_view name = "expm1";
  EBB_INLINE static constexpr auto value(auto x) { return expm1(x); }
  EBB_INLINE static constexpr auto slope(auto, auto y) { return y + 1; }
  static constexpr double samples[] = {-30, -3, -0.5, 0, 1e-3, 0.7, 20};
};

struct Log {
  static constexpr std::string_view name = "log";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto x) { return log(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return 1 / x; }
  static constexpr double samples[] = {0.1, 0.9, 1, 5, 50};
  static constexpr double lower_bound = 0;
};

struct Log2 {
  static constexpr std::string_view name = "log2";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto x) { return log2(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return 1.4426950408889634 / x; }
  static constexpr double samples[] = {0.1, 0.9, 1, 5, 50};
  static constexpr double lower_bound = 0;
};

struct Log10 {
  static constexpr std::string_view name = "log10";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto x) { return log10(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return 0.43429448190325183 / x; }
  static constexpr double samples[] = {0.1, 0.9, 1, 5, 50};
  static constexpr double lower_bound = 0;
};

/// log(1 + x) without cancellation near 0.
struct Log1p {
  static constexpr std::string_view name = "log1p";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto x) { return log1p(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return 1 / (1 + x); }
  static constexpr double samples[] = {-0.5, 0, 1e-3, 0.3, 50};
  static constexpr double lower_bound = -1;
};

/// a^b. Where the power does not depend on an argument, the slope with respect to it is 0.
struct Pow {
  static constexpr std::string_view name = "pow";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto a, auto b) { return pow(a, b); }
  EBB_INLINE static constexpr auto slope_a(auto a, auto b, auto) {
    // 0 for b = 0, also where a is 0 or NaN.
    return b * pow(select(abs(a) > 0, a, select(b == 0, 1, a)), b - 1);
  }
  EBB_INLINE static constexpr auto slope_b(auto a, auto, auto y) {
    return y * log(select(a == 0, select(y > 1, a, 1), a));  // 0^b is at most 1 unless b < 0
  }
  static constexpr double samples[][2] = {{1.5, 2},  {0.7, -1.2}, {3, 0.5},   {2, 0},
                                          {50, 1.5}, {1, 3},      {0.3, 2.5}, {0.9, -3}};
  static constexpr double lower_bound = 0;
};

/// a log b; 0 if a is 0, unless b is NaN. If a is 0, the slope with respect to a is 0 for b <= 0,
/// and the slope with respect to b is 0.
struct Xlogy {
  static constexpr std::string_view name = "xlogy";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto a, auto b) {
    return select(b == b, select(a == 0, 0, a * log(b)), b);
  }
  EBB_INLINE static constexpr auto slope_a(auto a, auto b, auto) {
    return select(a == 0, select(b <= 0, 0, log(b)), log(b));
  }
  EBB_INLINE static constexpr auto slope_b(auto a, auto b, auto) {
    return select(b == 0, select(a == 0, 0, a / b), a / b);
  }
  static constexpr double samples[][2] = {{1.5, 2}, {-0.7, 1.2}, {0, 3},    {3, 0.5},
                                          {50, 40}, {2, 7},      {-4, 0.1}, {0.2, 1}};
};

/// log(e^a + e^b) = max(a, b) + log(1 + e^-|a - b|). Equal infinite arguments have the distance 0.
struct LogAddExp {
  static constexpr std::string_view name = "logaddexp";
  EBB_INLINE static constexpr auto value(auto a, auto b) {
    return maximum(a, b) + log1p(exp(-abs(distance(a, b))));
  }
  EBB_INLINE static constexpr auto slope_a(auto a, auto b, auto) { return sigmoid(distance(a, b)); }
  EBB_INLINE static constexpr auto slope_b(auto a, auto b, auto) {
    return sigmoid(-distance(a, b));
  }
  static constexpr double samples[][2] = {{1, 2}, {-1, -3}, {0.5, 0.5}, {50, 47}, {-40, -38}};

 private:
  EBB_INLINE static constexpr auto distance(auto a, auto b) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return select(a == b, select(abs(a) < infinity, a - b, 0), a - b);
  }
};

}  // namespace ebb::inline v0::op
