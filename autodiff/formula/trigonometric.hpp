// SPDX-License-Identifier: BSD-3-Clause
// Elementwise circular and hyperbolic functions.
#pragma once
#include <string_view>

#include "ebb/autodiff/formula/functions.hpp"

namespace ebb::inline v0::op {

/// 1 - x^2. The product is exact near -1 and 1; near 0 its derivative would cancel.
EBB_INLINE constexpr auto one_minus_square(auto x) {
  const auto square = x * x;
  return select(square < 0.25, 1 - square, (1 - x) * (1 + x));
}

/// The sine of radians.
struct Sin {
  static constexpr std::string_view name = "sin";
  EBB_INLINE static constexpr auto value(auto x) { return sin(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return cos(x); }
  static constexpr double samples[] = {-3, -0.3, 0, 0.5, 1.5, 50};
};

/// The cosine of radians.
struct Cos {
  static constexpr std::string_view name = "cos";
  EBB_INLINE static constexpr auto value(auto x) { return cos(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return -sin(x); }
  static constexpr double samples[] = {-3, -0.3, 0, 0.5, 1.5, 50};
};

/// The tangent of radians. Its poles are between two numbers, so that it is always finite.
struct Tan {
  static constexpr std::string_view name = "tan";
  EBB_INLINE static constexpr auto value(auto x) { return tan(x); }
  EBB_INLINE static constexpr auto slope(auto, auto y) { return 1 + y * y; }
  static constexpr double samples[] = {-2, -0.3, 0, 0.5, 1.2, 50};
};

/// The angle in [-pi/2, pi/2] with this sine; NaN outside of [-1, 1].
struct Asin {
  static constexpr std::string_view name = "asin";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto x) { return asin(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return rsqrt(one_minus_square(x)); }
  static constexpr double samples[] = {-0.9, -0.5, -0.3, 0, 0.4, 0.7};
  static constexpr double lower_bound = -1, upper_bound = 1;
};

/// The angle in [0, pi] with this cosine; NaN outside of [-1, 1].
struct Acos {
  static constexpr std::string_view name = "acos";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto x) { return acos(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return -rsqrt(one_minus_square(x)); }
  static constexpr double samples[] = {-0.9, -0.5, -0.3, 0, 0.4, 0.7};
  static constexpr double lower_bound = -1, upper_bound = 1;
};

/// The angle in [-pi/2, pi/2] with this tangent.
struct Atan {
  static constexpr std::string_view name = "atan";
  EBB_INLINE static constexpr auto value(auto x) { return atan(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return 1 / (1 + x * x); }
  static constexpr double samples[] = {-20, -2, -0.3, 0, 0.5, 1.5, 50};
};

/// The hyperbolic sine, (e^x - e^-x) / 2.
struct Sinh {
  static constexpr std::string_view name = "sinh";
  EBB_INLINE static constexpr auto value(auto x) { return sinh(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return cosh(x); }
  static constexpr double samples[] = {-5, -2, -0.3, 0, 0.5, 1.5, 20};
};

/// The hyperbolic cosine, (e^x + e^-x) / 2.
struct Cosh {
  static constexpr std::string_view name = "cosh";
  EBB_INLINE static constexpr auto value(auto x) { return cosh(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return sinh(x); }
  static constexpr double samples[] = {-5, -2, -0.3, 0, 0.5, 1.5, 20};
};

/// The hyperbolic tangent, sinh(x) / cosh(x).
struct Tanh {
  static constexpr std::string_view name = "tanh";
  EBB_INLINE static constexpr auto value(auto x) { return tanh(x); }
  EBB_INLINE static constexpr auto slope(auto, auto y) { return 1 - y * y; }
  static constexpr double samples[] = {-20, -2, -0.3, 0, 0.5, 1.5, 20};
};

/// The number with this hyperbolic sine.
struct Asinh {
  static constexpr std::string_view name = "asinh";
  EBB_INLINE static constexpr auto value(auto x) { return asinh(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return 1 / hypot(x, 1); }
  static constexpr double samples[] = {-20, -2, -0.3, 0, 0.5, 1.5, 50};
};

/// The number >= 0 with this hyperbolic cosine; NaN below 1.
struct Acosh {
  static constexpr std::string_view name = "acosh";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto x) { return acosh(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return rsqrt(x - 1) * rsqrt(x + 1); }
  static constexpr double samples[] = {1.2, 1.5, 2, 5, 50};
  static constexpr double lower_bound = 1;
};

/// The number with this hyperbolic tangent; infinite at -1 and 1, NaN outside of [-1, 1].
struct Atanh {
  static constexpr std::string_view name = "atanh";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto x) { return atanh(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return 1 / one_minus_square(x); }
  static constexpr double samples[] = {-0.9, -0.5, -0.3, 0, 0.4, 0.7};
  static constexpr double lower_bound = -1, upper_bound = 1;
};

/// The angle of the point (b, a), in [-pi, pi]. At the origin both slopes are 0.
struct Atan2 {
  static constexpr std::string_view name = "atan2";
  EBB_INLINE static constexpr auto value(auto a, auto b) { return atan2(a, b); }
  EBB_INLINE static constexpr auto slope_a(auto a, auto b, auto) {
    const auto radius = hypot(a, b);
    return select(radius == 0, 0, b / radius / radius);
  }
  EBB_INLINE static constexpr auto slope_b(auto a, auto b, auto) {
    const auto radius = hypot(a, b);
    return select(radius == 0, 0, -a / radius / radius);
  }
  static constexpr double samples[][2] = {{1, 2}, {-1, 3}, {2, -1}, {-3, -2}, {50, 40}, {0.4, 0.5}};
};

}  // namespace ebb::inline v0::op
