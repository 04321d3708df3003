// SPDX-License-Identifier: BSD-3-Clause
// Elementwise functions that saturate on one side or on both.
#pragma once
#include <string_view>

#include "ebb/autodiff/formula/functions.hpp"

namespace ebb::inline v0::op {

/// 1 / (1 + e^-x), finite for every x: only exponentials of negative numbers are computed.
struct Sigmoid {
  static constexpr std::string_view name = "sigmoid";
  EBB_INLINE static constexpr auto value(auto x) {
    const auto e = exp(select(x < 0, x, -x));
    return select(x < 0, e, 1) / (1 + e);
  }
  EBB_INLINE static constexpr auto slope(auto, auto y) { return y * (1 - y); }
  static constexpr double samples[] = {-20, -4, -0.1, 0, 1.5, 3, 20};
};

/// log(sigmoid(x)) = min(x, 0) - log(1 + e^-|x|).
struct LogSigmoid {
  static constexpr std::string_view name = "log_sigmoid";
  EBB_INLINE static constexpr auto value(auto x) {
    return select(x < 0, x, 0) - log1p(exp(select(x < 0, x, -x)));
  }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return sigmoid(-x); }
  static constexpr double samples[] = {-20, -4, -0.1, 0, 1.5, 3, 20};
};

/// max(x, 0), where NaN stays NaN: on lanes one instruction.
EBB_INLINE constexpr auto positive_part(auto x) {
  if constexpr (requires { x.at_least(0); }) {
    return x.at_least(0);
  } else {
    return select(x < 0, 0, x);
  }
}

/// max(x, 0); the slope at 0 is 0, and NaN stays NaN.
struct Relu {
  static constexpr std::string_view name = "relu";
  EBB_INLINE static constexpr auto value(auto x) { return positive_part(x); }
  EBB_INLINE static constexpr auto pull(auto g, auto, auto y) {
    if constexpr (requires { y.at_least(0); }) {
      return select(y > 0, g, y);  // lanes: where y is not positive, it is 0 or NaN
    } else {
      return select(y > 0, g, 0 * y);  // what is recorded does not depend on y
    }
  }
  static constexpr double samples[] = {-2, -0.1, 0.1, 1.5, 50};
  static constexpr double kinks[] = {0};
};

/// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|).
struct Softplus {
  static constexpr std::string_view name = "softplus";
  EBB_INLINE static constexpr auto value(auto x) {
    return positive_part(x) + log1p(exp(select(x < 0, x, -x)));
  }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return sigmoid(x); }
  static constexpr double samples[] = {-20, -4, -0.1, 0, 1.5, 3, 20};
};

/// x / (1 + |x|).
struct Softsign {
  static constexpr std::string_view name = "softsign";
  EBB_INLINE static constexpr auto value(auto x) {
    const auto near = clamp(x, -1e30, 1e30);  // outside of this range it is -1 or 1
    return near / (1 + abs(near));
  }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return square(1 / (1 + abs(x))); }
  static constexpr double samples[] = {-40, -3, -0.2, 0.3, 1.5, 25};
};

/// 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
struct Erf {
  static constexpr std::string_view name = "erf";
  EBB_INLINE static constexpr auto value(auto x) { return erf(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return 1.1283791670955126 * exp(-x * x); }
  static constexpr double samples[] = {-20, -2, -0.9, 0, 0.5, 1.3, 4};
};

/// 1 - erf(x) without cancellation.
struct Erfc {
  static constexpr std::string_view name = "erfc";
  EBB_INLINE static constexpr auto value(auto x) { return erfc(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) { return -1.1283791670955126 * exp(-x * x); }
  static constexpr double samples[] = {-20, -2, -0.9, 0, 0.2, 0.5, 1.3, 4};
};

/// x Phi(x), where Phi is the distribution function of the normal distribution (Hendrycks and
/// Gimpel 2016, section 2).
struct Gelu {
  static constexpr std::string_view name = "gelu";
  EBB_INLINE static constexpr auto value(auto x) { return gelu(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) {
    const auto near = clamp(x, -40.0, 40.0);  // outside of this range the density is 0
    return 0.5 * erfc(-0.70710678118654752 * near) +
           0.39894228040143268 * near * exp(-0.5 * near * near);
  }
  static constexpr double samples[] = {-20, -3, -0.75, -0.1, 0, 0.5, 1.5, 20};
};

/// x / 2 (1 + tanh(u)) with u = sqrt(2 / pi) (x + 0.044715 x^3) (Hendrycks and Gimpel 2016,
/// section 2), as x sigmoid(2u), which does not cancel.
struct GeluTanh {
  static constexpr std::string_view name = "gelu_tanh";
  EBB_INLINE static constexpr auto value(auto x) { return gelu_tanh(x); }
  EBB_INLINE static constexpr auto slope(auto x, auto) {
    const auto near = clamp(x, -30.0, 30.0);  // outside of this range the sigmoid is 0 or 1
    const auto s = sigmoid(1.5957691216057308 * near * (1 + 0.044715 * near * near));
    return s + s * (1 - s) * (1.5957691216057308 * near * (1 + 3 * 0.044715 * near * near));
  }
  static constexpr double samples[] = {-20, -3, -0.75, -0.1, 0, 0.5, 1.5, 20};
};

}  // namespace ebb::inline v0::op
