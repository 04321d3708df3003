// SPDX-License-Identifier: BSD-3-Clause
// Elementwise arithmetic, and choices between numbers.
//
// A choice has a `pull` that selects instead of multiplying by a slope of 0, so that an argument
// that was not taken gets nothing, even of an infinite gradient. Comparisons with NaN do not
// choose: there the pull is NaN.
#pragma once
#include <limits>
#include <string_view>

#include "ebb/autodiff/formula/functions.hpp"

namespace ebb::inline v0::op {

struct Neg {
  static constexpr std::string_view name = "neg";
  EBB_INLINE static constexpr auto value(auto x) { return -x; }
  static constexpr auto slope(auto, auto) { return -1; }
  static constexpr double samples[] = {-2, 0, 1.5, 50};
};

struct Abs {
  static constexpr std::string_view name = "abs";
  EBB_INLINE static constexpr auto value(auto x) { return select(x > 0, x, 0 - x); }
  EBB_INLINE static constexpr auto pull(auto g, auto x, auto) {
    return select(x > 0, g, select(x < 0, -g, 0 * x));
  }
  static constexpr double samples[] = {-2, -0.1, 0.1, 1.5, 50};
  static constexpr double kinks[] = {0};
};

struct Square {
  static constexpr std::string_view name = "square";
  EBB_INLINE static constexpr auto value(auto x) { return x * x; }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return 2 * x; }
  static constexpr double samples[] = {-2, 0, 1.5, 50};
};

/// 1 / x.
struct Reciprocal {
  static constexpr std::string_view name = "reciprocal";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto x) { return 1 / x; }
  EBB_INLINE static constexpr auto slope(auto, auto y) { return -y * y; }
  static constexpr double samples[] = {-2, -0.4, 0.3, 1.5, 50};
};

/// 1, 0 or -1; zeros and NaN are returned as they are. A slope that is the literal 0 is checked to
/// be exactly 0.
struct Sign {
  static constexpr std::string_view name = "sign";
  EBB_INLINE static constexpr auto value(auto x) { return select(x > 0, 1, select(x < 0, -1, x)); }
  static constexpr auto slope(auto, auto) { return 0; }
  static constexpr double samples[] = {-50, -2, -0.1, 0.1, 1.5};
  static constexpr double kinks[] = {0};
};

struct Floor {
  static constexpr std::string_view name = "floor";
  EBB_INLINE static constexpr auto value(auto x) { return floor(x); }
  static constexpr auto slope(auto, auto) { return 0; }
  static constexpr double samples[] = {-50.5, -1.3, -0.1, 0.1, 1.5};
  static constexpr double kinks[] = {0};
};

struct Ceil {
  static constexpr std::string_view name = "ceil";
  EBB_INLINE static constexpr auto value(auto x) { return ceil(x); }
  static constexpr auto slope(auto, auto) { return 0; }
  static constexpr double samples[] = {-50.5, -1.3, -0.1, 0.1, 1.5};
  static constexpr double kinks[] = {0};
};

/// The nearest integer, half to even.
struct Round {
  static constexpr std::string_view name = "round";
  EBB_INLINE static constexpr auto value(auto x) { return round(x); }
  static constexpr auto slope(auto, auto) { return 0; }
  static constexpr double samples[] = {-50.3, -1.4, 0.4, 0.6, 1.2};
  static constexpr double kinks[] = {0.5};
};

/// x limited to [low, high]; the slope at both ends is 1, and NaN stays NaN.
struct Clamp {
  static constexpr std::string_view name = "clamp";
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  void validate(auto refuse) const {
    if (!(low <= high)) refuse("the limits [", low, ", ", high, "] are not in order");
  }
  EBB_INLINE constexpr auto value(auto x) const {
    return select(x < low, low, select(x > high, high, x));
  }
  EBB_INLINE constexpr auto pull(auto g, auto x, auto) const {
    // One choice: of two that give 0, g++ 12 makes one of a mask that it computes lane by lane.
    const auto y = value(x);
    return select(x == y, g, select(y == y, 0, y));
  }
  static constexpr Clamp example();
  static constexpr double samples[] = {-50, -1.1, -0.9, 0, 1.9, 2.1};
  static constexpr double kinks[] = {-1, 2};
};

constexpr Clamp Clamp::example() { return {-1, 2}; }

/// x limited to [low, high]; the slope at both ends is 0, and NaN stays NaN.
struct Hardtanh {
  static constexpr std::string_view name = "hardtanh";
  double low = -1, high = 1;

  void validate(auto refuse) const {
    if (!(low <= high)) refuse("the limits [", low, ", ", high, "] are not in order");
  }
  EBB_INLINE constexpr auto value(auto x) const {
    return select(x <= low, low, select(x >= high, high, x));
  }
  EBB_INLINE constexpr auto pull(auto g, auto x, auto) const {
    return select(x <= low, 0, select(x >= high, 0, select(x == x, g, x)));
  }
  static constexpr Hardtanh example();
  static constexpr double samples[] = {-50, -1.1, -0.9, 0, 1.9, 2.1};
  static constexpr double kinks[] = {-1, 2};
};

constexpr Hardtanh Hardtanh::example() { return {-1, 2}; }

struct Add {
  static constexpr std::string_view name = "add";
  EBB_INLINE static constexpr auto value(auto a, auto b) { return a + b; }
  static constexpr auto slope_a(auto, auto, auto) { return 1; }
  static constexpr auto slope_b(auto, auto, auto) { return 1; }
  static constexpr double samples[][2] = {{1, 2}, {-1, 3}, {50, -40}};
};

struct Sub {
  static constexpr std::string_view name = "sub";
  EBB_INLINE static constexpr auto value(auto a, auto b) { return a - b; }
  static constexpr auto slope_a(auto, auto, auto) { return 1; }
  static constexpr auto slope_b(auto, auto, auto) { return -1; }
  static constexpr double samples[][2] = {{1, 2}, {-1, 3}, {50, -40}};
};

struct Mul {
  static constexpr std::string_view name = "mul";
  EBB_INLINE static constexpr auto value(auto a, auto b) { return a * b; }
  EBB_INLINE static constexpr auto slope_a(auto, auto b, auto) { return b; }
  EBB_INLINE static constexpr auto slope_b(auto a, auto, auto) { return a; }
  static constexpr double samples[][2] = {{1, 2}, {-1, 3}, {0, 2}, {50, -40}};
};

struct Div {
  static constexpr std::string_view name = "div";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto a, auto b) { return a / b; }
  EBB_INLINE static constexpr auto slope_a(auto, auto b, auto) { return 1 / b; }
  EBB_INLINE static constexpr auto slope_b(auto, auto b, auto y) { return -y / b; }
  static constexpr double samples[][2] = {{1, 2}, {-1, 3}, {0.4, -2}, {50, 40}};
};

/// What a choice of a or b passes to the one that is chosen if `taken`: the gradient g, half of it
/// for equal ones, and nothing if the other is taken.
EBB_INLINE constexpr auto pull_of_choice(auto g, auto taken, auto other_taken, auto a, auto b) {
  return select(taken, g, select(other_taken, 0, select(a == b, 0.5 * g, a + b)));
}

/// The larger of a and b; equal ones share the gradient evenly, and NaN stays NaN.
struct Maximum {
  static constexpr std::string_view name = "maximum";
  EBB_INLINE static constexpr auto value(auto a, auto b) {
    return select(b == b, select(a < b, b, a), b);
  }
  EBB_INLINE static constexpr auto pull_a(auto g, auto a, auto b, auto) {
    return pull_of_choice(g, a > b, b > a, a, b);
  }
  EBB_INLINE static constexpr auto pull_b(auto g, auto a, auto b, auto) {
    return pull_of_choice(g, b > a, a > b, a, b);
  }
  static constexpr double samples[][2] = {{1, 2}, {-1, -3}, {50, 49}, {0.1, 0}, {-0.1, 0}};
  static constexpr double kinks[] = {0};
};

/// The smaller of a and b; equal ones share the gradient evenly, and NaN stays NaN.
struct Minimum {
  static constexpr std::string_view name = "minimum";
  EBB_INLINE static constexpr auto value(auto a, auto b) {
    return select(b == b, select(b < a, b, a), b);
  }
  EBB_INLINE static constexpr auto pull_a(auto g, auto a, auto b, auto) {
    return pull_of_choice(g, a < b, b < a, a, b);
  }
  EBB_INLINE static constexpr auto pull_b(auto g, auto a, auto b, auto) {
    return pull_of_choice(g, b < a, a < b, a, b);
  }
  static constexpr double samples[][2] = {{1, 2}, {-1, -3}, {50, 49}, {0.1, 0}, {-0.1, 0}};
  static constexpr double kinks[] = {0};
};

/// sqrt(a^2 + b^2) without overflow; infinite if an argument is, as in C99. At the origin both
/// slopes are 0.
struct Hypot {
  static constexpr std::string_view name = "hypot";
  EBB_INLINE static constexpr auto value(auto a, auto b) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const auto p = abs(a), q = abs(b);
    const auto large = maximum(p, q);
    const auto ratio = minimum(p, q) / select(large == 0, 1, large);
    return select(p == infinity, p, select(q == infinity, q, large * sqrt(1 + ratio * ratio)));
  }
  EBB_INLINE static constexpr auto pull_a(auto g, auto a, auto, auto y) {
    return select(y == 0, 0, g * (a / y));
  }
  EBB_INLINE static constexpr auto pull_b(auto g, auto, auto b, auto y) {
    return select(y == 0, 0, g * (b / y));
  }
  static constexpr double samples[][2] = {{3, 4}, {-1, 2}, {0, -2}, {0.4, 0}, {50, -40}, {2, 30}};
};

}  // namespace ebb::inline v0::op
