// SPDX-License-Identifier: BSD-3-Clause
// The logarithm of the gamma function and its derivatives. Each is the slope of the one before it.
#pragma once
#include <string_view>

#include "ebb/autodiff/formula/functions.hpp"

namespace ebb::inline v0::op {

/// log |gamma(x)|.
struct Lgamma {
  static constexpr std::string_view name = "lgamma";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto x) { return lgamma(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return digamma(x); }
  static constexpr double samples[] = {-2.4, -0.7, 0.3, 1, 1.3, 2, 3.5, 50};
};

/// The derivative of log |gamma(x)|.
struct Digamma {
  static constexpr std::string_view name = "digamma";
  static constexpr bool has_infinite_slope = true;
  EBB_INLINE static constexpr auto value(auto x) { return digamma(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return polygamma(1, x); }
  static constexpr double samples[] = {-2.4, -0.7, 0.3, 1, 1.46, 2, 3.5, 50};
};

/// The n-th derivative of digamma; digamma itself for n = 0.
struct Polygamma {
  static constexpr std::string_view name = "polygamma";
  static constexpr bool has_infinite_slope = true;
  int n = 1;

  void validate(auto refuse) const {
    if (n < 0 || n > 100) refuse("the order ", n, " is not in [0, 100]");
  }
  EBB_INLINE constexpr auto value(auto x) const { return polygamma(n, x); }
  EBB_INLINE constexpr auto slope(auto x, auto) const { return polygamma(n + 1, x); }
  static constexpr Polygamma example();
  static constexpr double samples[] = {-2.4, -0.7, 0.6, 1, 1.46, 2, 3.5, 50};
};

constexpr Polygamma Polygamma::example() { return {2}; }

}  // namespace ebb::inline v0::op
