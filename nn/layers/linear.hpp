// SPDX-License-Identifier: BSD-3-Clause
// Layers that multiply by a matrix.
#pragma once
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/nn/layers/layer.hpp"

namespace ebb::inline v0::nn {

struct EBB_API LinearSettings {
  std::int64_t in_features, out_features;  ///< at least 1
  bool bias = true;

  void each(Fields& field);
};

/// The affine layer: y = x weight^T + bias, for x of shape (..., in) and y of shape (..., out).
template <Real T>
struct EBB_API Linear {
  static constexpr std::string_view name = "Linear";
  LinearSettings settings;
  Variable<T> weight;  ///< (out, in)
  Variable<T> bias;    ///< (out,); none without one

  /// Starts at numbers drawn uniformly from +-1 / sqrt(in).
  /// @throws ArgumentError for less than one input or output.
  Linear(std::int64_t in, std::int64_t out, Stream& stream = default_stream());
  explicit Linear(const LinearSettings& settings, Stream& stream = default_stream());
  /// Starts at zeros, as linear and logistic regression usually do. Layers behind one another would
  /// not learn from there.
  /// @throws ArgumentError for less than one input or output.
  static Linear zeros(std::int64_t in, std::int64_t out);

  /// @throws ShapeError if x is not (..., in).
  Tensor<T> operator()(const Operand<T>& x) const;
  /// Of sparse rows (n, in), which get no gradient.
  Tensor<T> operator()(const SparseRows<T>& x) const;

  /// Visits weight and bias.
  EBB_INLINE void each(Parts& part) {
    part("weight", weight);
    if (settings.bias) part("bias", bias);
  }
  double operations(const Operand<T>& x, const Tensor<T>& y) const;
  double operations(const SparseRows<T>& x, const Tensor<T>& y) const;

 private:
  Linear(const LinearSettings& settings, Array<T> w, Array<T> b);

  Array<T> zeros_;  // in place of a bias
};

struct EBB_API BilinearSettings {
  std::int64_t in1_features, in2_features, out_features;  ///< at least 1
  bool bias = true;

  void each(Fields& field);
};

/// The bilinear layer: y_k = x1^T weight_k x2 + bias_k, for x1 of shape (..., in1), x2 of shape
/// (..., in2) and y of shape (..., out).
template <Real T>
struct EBB_API Bilinear {
  static constexpr std::string_view name = "Bilinear";
  BilinearSettings settings;
  Variable<T> weight;  ///< (out, in1, in2)
  Variable<T> bias;    ///< (out,); none without one

  /// Starts at numbers drawn uniformly from +-1 / sqrt(in1).
  /// @throws ArgumentError for less than one input or output.
  explicit Bilinear(const BilinearSettings& settings, Stream& stream = default_stream());

  /// @throws ShapeError if x1 is not (..., in1), x2 not (..., in2), or their other axes differ.
  Tensor<T> operator()(const Operand<T>& x1, const Operand<T>& x2) const;

  EBB_INLINE void each(Parts& part) {
    part("weight", weight);
    if (settings.bias) part("bias", bias);
  }
  double operations(const Operand<T>& x1, const Tensor<T>& y) const;
};

}  // namespace ebb::inline v0::nn
