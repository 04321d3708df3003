// SPDX-License-Identifier: BSD-3-Clause
// Activations that are composed of other functions. Each is one `fuse` of its formula, so that its
// slopes come from those of the functions. Primitive activations are in sigmoidal.hpp.
#pragma once
#include <limits>
#include <string_view>

#include "ebb/autodiff/formula/dual.hpp"
#include "ebb/autodiff/formula/lanes.hpp"
#include "ebb/autodiff/formula/trace.hpp"

namespace ebb::inline v0::op {

/// x sigmoid(x) (Elfwing, Uchibe and Doya 2017).
struct Silu {
  static constexpr std::string_view name = "silu";
  EBB_INLINE static constexpr auto value(auto x) {
    const auto near = clamp(x, -800.0, 40.0);  // outside of this range the sigmoid is 0 or 1
    return select(x > 40, x, near * sigmoid(near));
  }
  static auto call(const auto& x) { return silu(x); }
  static constexpr double samples[] = {-20, -3, -0.75, -0.1, 0, 0.5, 1.5, 20};
};

/// x tanh(log(1 + e^x)) (Misra 2019, equation 1).
struct Mish {
  static constexpr std::string_view name = "mish";
  EBB_INLINE static constexpr auto value(auto x) {
    const auto near = clamp(x, -800.0, 40.0);  // outside of this range the factor is 0 or 1
    return select(x > 40, x, near * tanh(softplus(near)));
  }
  static auto call(const auto& x) { return mish(x); }
  static constexpr double samples[] = {-20, -3, -0.75, -0.1, 0, 0.5, 1.5, 20};
};

/// x above 0, else alpha (e^x - 1) (Clevert, Unterthiner and Hochreiter 2015, equation 15).
struct Elu {
  static constexpr std::string_view name = "elu";
  EBB_INLINE static constexpr auto value(auto x, auto alpha) {
    return select(x > 0, x, alpha * expm1(x));
  }
  static auto call(const auto& x) { return elu(x, 0.7); }
  static constexpr double samples[] = {-20, -0.1, 0.1, 0.5, 20, 1.5, -3};
  static constexpr double kinks[] = {0};
};

/// scale elu(x, alpha), with which activations tend to mean 0 and variance 1 (Klambauer et al.
/// 2017, equation 2; the constants from the authors' code).
struct Selu {
  static constexpr std::string_view name = "selu";
  EBB_INLINE static constexpr auto value(auto x) {
    return 1.0507009873554804934 * Elu::value(x, 1.6732632423543772848);
  }
  static auto call(const auto& x) { return selu(x); }
  static constexpr double samples[] = {-20, -0.1, 0.1, 0.5, 20, 1.5, -3};
  static constexpr double kinks[] = {0};
};

/// x above 0, else negative_slope x (Maas, Hannun and Ng 2013).
struct LeakyRelu {
  static constexpr std::string_view name = "leaky_relu";
  EBB_INLINE static constexpr auto value(auto x, auto negative_slope) {
    return select(x > 0, x, select(x == x, negative_slope * x, x * x));  // slope NaN at NaN
  }
  static auto call(const auto& x) { return leaky_relu(x, 0.2); }
  static constexpr double samples[] = {-50, -2, -0.1, 0.1, 1.5, 50};
  static constexpr double kinks[] = {0};
};

/// x limited to [0, 6] (Krizhevsky 2010).
struct Relu6 {
  static constexpr std::string_view name = "relu6";
  EBB_INLINE static constexpr auto value(auto x) { return hardtanh(x, 0, 6); }
  static auto call(const auto& x) { return relu6(x); }
  static constexpr double samples[] = {-50, -0.1, 0.1, 5.9, 3, 6.1};
  static constexpr double kinks[] = {0, 6};
};

/// x + 3 limited to [0, 6], over 6: straight lines in place of a sigmoid (Howard et al. 2019,
/// section 5.2).
struct Hardsigmoid {
  static constexpr std::string_view name = "hardsigmoid";
  EBB_INLINE static constexpr auto value(auto x) { return hardtanh(x + 3, 0, 6) / 6; }
  static auto call(const auto& x) { return hardsigmoid(x); }
  static constexpr double samples[] = {-50, -3.1, -2.9, 0, 2.9, 1.5, 3.1};
  static constexpr double kinks[] = {-3, 3};
};

/// x hardsigmoid(x) (Howard et al. 2019, section 5.2).
struct Hardswish {
  static constexpr std::string_view name = "hardswish";
  EBB_INLINE static constexpr auto value(auto x) {
    const auto near = clamp(x, -4.0, 4.0);  // outside of this range the factor is 0 or 1
    return select(x >= 3, x, near * Hardsigmoid::value(near));
  }
  static auto call(const auto& x) { return hardswish(x); }
  static constexpr double samples[] = {-50, -3.1, -2.9, 0, 2.9, 20, 1.5, 3.1};
  static constexpr double kinks[] = {-3, 3};
};

/// max(x, low); the slope at the limit is 1, and NaN stays NaN.
struct ClampMin {
  static constexpr std::string_view name = "clamp_min";
  EBB_INLINE static constexpr auto value(auto x, auto low) {
    return select(x < low, low, select(x == x, x, x * x));  // slope NaN at NaN
  }
  static auto call(const auto& x) { return clamp_min(x, -1); }
  static void rejections(auto refuses) {
    refuses(
        "no number", [](auto x) { clamp_min(x, std::numeric_limits<double>::quiet_NaN()); },
        "clamp_min: low is NaN");
  }
  static constexpr double samples[] = {-50, -1.1, -0.9, 0.3, 50};
  static constexpr double kinks[] = {-1};
};

/// min(x, high); the slope at the limit is 1, and NaN stays NaN.
struct ClampMax {
  static constexpr std::string_view name = "clamp_max";
  EBB_INLINE static constexpr auto value(auto x, auto high) {
    return select(x > high, high, select(x == x, x, x * x));  // slope NaN at NaN
  }
  static auto call(const auto& x) { return clamp_max(x, 2); }
  static void rejections(auto refuses) {
    refuses(
        "no number", [](auto x) { clamp_max(x, std::numeric_limits<double>::quiet_NaN()); },
        "clamp_max: high is NaN");
  }
  static constexpr double samples[] = {50, 2.1, 1.9, 0.3, -50};
  static constexpr double kinks[] = {2};
};

/// All activations that are composed.
using Activations =
    List<Silu, Mish, Elu, Selu, LeakyRelu, Relu6, Hardsigmoid, Hardswish, ClampMin, ClampMax>;

}  // namespace ebb::inline v0::op

namespace ebb::inline v0 {

template <class V>
inline constexpr bool is_dual = false;
template <class V, int K, unsigned on>
inline constexpr bool is_dual<Dual<V, K, on>> = true;

/// A number type for formulas, other than a tensor.
template <class V>
concept FormulaValue = FormulaNumber<V> || is_uses<V> || is_dual<V> || is_traced<V>;

#define EBB_ACTIVATION(f, O)                      \
  /** The operation of this name in a formula. */ \
  template <FormulaValue V>                       \
  EBB_INLINE constexpr V f(const V& x) {          \
    return V(op::O::value(x));                    \
  }
EBB_ACTIVATION(silu, Silu)
EBB_ACTIVATION(mish, Mish)
EBB_ACTIVATION(selu, Selu)
EBB_ACTIVATION(relu6, Relu6)
EBB_ACTIVATION(hardsigmoid, Hardsigmoid)
EBB_ACTIVATION(hardswish, Hardswish)
#undef EBB_ACTIVATION

/// The operation of this name in a formula.
template <FormulaValue V>
EBB_INLINE constexpr V elu(const V& x, double alpha = 1) {
  return V(op::Elu::value(x, alpha));
}
/// The operation of this name in a formula.
template <FormulaValue V>
EBB_INLINE constexpr V leaky_relu(const V& x, double negative_slope = 0.01) {
  return V(op::LeakyRelu::value(x, negative_slope));
}
/// The operation of this name in a formula.
template <FormulaValue V>
EBB_INLINE constexpr V clamp_min(const V& x, double low) {
  return V(op::ClampMin::value(x, low));
}
/// The operation of this name in a formula.
template <FormulaValue V>
EBB_INLINE constexpr V clamp_max(const V& x, double high) {
  return V(op::ClampMax::value(x, high));
}
/// `hardtanh` with the default limits.
template <FormulaValue V>
EBB_INLINE constexpr V hardtanh(const V& x, double low = -1) {
  return V(hardtanh(x, low, 1));
}

}  // namespace ebb::inline v0
