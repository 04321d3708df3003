// SPDX-License-Identifier: BSD-3-Clause
// Elementwise circular and hyperbolic functions.
#pragma once
#include <string_view>

#include "ebb/autodiff/ops/functions.hpp"

namespace ebb::inline v0::op {

struct Sin {
  static constexpr std::string_view name = "sin";
  EBB_INLINE static auto value(auto x) { return sin(x); }
  EBB_INLINE static auto slope(auto x, auto) { return cos(x); }
  static constexpr double samples[] = {-3, -0.3, 0, 0.5, 1.5, 50};
};

struct Cos {
  static constexpr std::string_view name = "cos";
  EBB_INLINE static auto value(auto x) { return cos(x); }
  EBB_INLINE static auto slope(auto x, auto) { return -sin(x); }
  static constexpr double samples[] = {-3, -0.3, 0, 0.5, 1.5, 50};
};

struct Tanh {
  static constexpr std::string_view name = "tanh";
  EBB_INLINE static auto value(auto x) { return tanh(x); }
  EBB_INLINE static auto slope(auto, auto y) { return 1 - y * y; }
  static constexpr double samples[] = {-20, -2, -0.3, 0, 0.5, 1.5, 20};
};

}  // namespace ebb::inline v0::op
