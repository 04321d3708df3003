// SPDX-License-Identifier: BSD-3-Clause
// Activations as layers, which have no parts but PReLU, and take both element types.
#pragma once
#include "ebb/autodiff/ops.hpp"
#include "ebb/nn/layers/layer.hpp"

namespace ebb::inline v0::nn {

// clang-format off
#define EBB_ACTIVATION(Layer, ...)                                               \
  static constexpr std::string_view name = #Layer;                               \
  template <Real T>                                                              \
  EBB_INLINE Tensor<T> operator()(const Operand<T>& x) const {                   \
    return detail::in_layer(*this, x, [&]() EBB_LAMBDA { return __VA_ARGS__; }); \
  }                                                                              \
  EBB_INLINE void each(Parts&) {}

/// x, unchanged.
struct Identity { EBB_ACTIVATION(Identity, detail::unchanged(x)) };
/// max(x, 0), as `relu`.
struct ReLU { EBB_ACTIVATION(ReLU, relu(x)) };
/// x limited to [0, 6], as `relu6`.
struct ReLU6 { EBB_ACTIVATION(ReLU6, relu6(x)) };
/// The scaled exponential linear unit, as `selu`.
struct SELU { EBB_ACTIVATION(SELU, selu(x)) };
/// x sigmoid(x), as `silu`.
struct SiLU { EBB_ACTIVATION(SiLU, silu(x)) };
/// x tanh(softplus(x)), as `mish`.
struct Mish { EBB_ACTIVATION(Mish, mish(x)) };
/// 1 / (1 + e^-x), as `sigmoid`.
struct Sigmoid { EBB_ACTIVATION(Sigmoid, sigmoid(x)) };
/// log(sigmoid(x)), as `log_sigmoid`.
struct LogSigmoid { EBB_ACTIVATION(LogSigmoid, log_sigmoid(x)) };
/// The hyperbolic tangent, as `tanh`.
struct Tanh { EBB_ACTIVATION(Tanh, tanh(x)) };
/// log(1 + e^x), as `softplus`.
/// @pytorch has beta and threshold.
struct Softplus { EBB_ACTIVATION(Softplus, softplus(x)) };
/// x / (1 + |x|), as `softsign`.
struct Softsign { EBB_ACTIVATION(Softsign, softsign(x)) };
/// x + 3 limited to [0, 6], over 6, as `hardsigmoid`.
struct Hardsigmoid { EBB_ACTIVATION(Hardsigmoid, hardsigmoid(x)) };
/// x hardsigmoid(x), as `hardswish`.
struct Hardswish { EBB_ACTIVATION(Hardswish, hardswish(x)) };

struct EBB_API GELUSettings {
  /// "none", or "tanh" for `gelu_tanh`.
  std::string approximate = "none";
  void each(Fields& field);
};
/// x Phi(x), as `gelu`, or its approximation by tanh.
struct EBB_API GELU {
  GELUSettings settings;
  /// @throws ArgumentError for another word.
  explicit GELU(const GELUSettings& settings = {});
  EBB_ACTIVATION(GELU, settings.approximate == "tanh" ? gelu_tanh(x) : gelu(x))
};

struct EBB_API LeakyReLUSettings {
  double negative_slope = 0.01;
  void each(Fields& field);
};
/// x above 0, else negative_slope x, as `leaky_relu`.
struct LeakyReLU {
  LeakyReLUSettings settings;
  explicit LeakyReLU(const LeakyReLUSettings& s = {}) : settings(s) {}
  EBB_ACTIVATION(LeakyReLU, leaky_relu(x, settings.negative_slope))
};

struct EBB_API ELUSettings {
  double alpha = 1;
  void each(Fields& field);
};
/// x above 0, else alpha (e^x - 1), as `elu`.
struct ELU {
  ELUSettings settings;
  explicit ELU(const ELUSettings& s = {}) : settings(s) {}
  EBB_ACTIVATION(ELU, elu(x, settings.alpha))
};

struct EBB_API HardtanhSettings {
  double min_val = -1, max_val = 1;
  void each(Fields& field);
};
/// x limited to [min_val, max_val], as `hardtanh`, which throws for limits that are reversed.
struct Hardtanh {
  HardtanhSettings settings;
  explicit Hardtanh(const HardtanhSettings& s = {}) : settings(s) {}
  EBB_ACTIVATION(Hardtanh, hardtanh(x, settings.min_val, settings.max_val))
};

/// Of Softmax and LogSoftmax.
struct EBB_API SoftmaxSettings {
  std::int64_t axis = -1;
  void each(Fields& field);
};
/// e^x / sum(e^x) along an axis, as `softmax`.
struct Softmax {
  SoftmaxSettings settings;
  explicit Softmax(const SoftmaxSettings& s = {}) : settings(s) {}
  EBB_ACTIVATION(Softmax, softmax(x, int(settings.axis)))
};
/// log(softmax(x)) along an axis, as `log_softmax`.
struct LogSoftmax {
  SoftmaxSettings settings;
  explicit LogSoftmax(const SoftmaxSettings& s = {}) : settings(s) {}
  EBB_ACTIVATION(LogSoftmax, log_softmax(x, int(settings.axis)))
};

#undef EBB_ACTIVATION
// clang-format on

struct EBB_API PReLUSettings {
  std::int64_t num_parameters = 1;  ///< one for all, or one for each channel
  double init = 0.25;

  void each(Fields& field);
};
/// x above 0, else weight x, with a weight that is learned (He et al. 2015), for each channel of x
/// (n, c, ...) or for all.
template <Real T>
struct EBB_API PReLU {
  static constexpr std::string_view name = "PReLU";
  PReLUSettings settings;
  Variable<T> weight;  ///< (num_parameters,)

  /// @throws ArgumentError for less than one parameter.
  explicit PReLU(const PReLUSettings& settings = {});
  /// @throws ShapeError if x does not have these channels.
  Tensor<T> operator()(const Operand<T>& x) const;
  EBB_INLINE void each(Parts& part) { part("weight", weight); }
};

}  // namespace ebb::inline v0::nn
