// SPDX-License-Identifier: BSD-3-Clause
// The affine layer.
#pragma once
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/parts.hpp"
#include "ebb/autodiff/values/random.hpp"

namespace ebb::inline v0::nn {

/// The affine layer: y = x weight^T + bias, for x of shape (..., in) and y of shape (..., out).
template <Real T>
struct EBB_API Linear {
  Variable<T> weight;  ///< (out, in)
  Variable<T> bias;    ///< (out,)

  /// Starts at numbers drawn uniformly from +-1 / sqrt(in).
  /// @throws ArgumentError for less than one input or output.
  Linear(std::int64_t in, std::int64_t out, Stream& stream = default_stream());
  /// Starts at zeros, as linear and logistic regression usually do. Layers behind one another would
  /// not learn from there.
  /// @throws ArgumentError for less than one input or output.
  static Linear zeros(std::int64_t in, std::int64_t out);

  /// @throws ShapeError if x is not (..., in).
  EBB_INLINE Tensor<T> operator()(const Operand<T>& x) const { return linear(x, weight, bias); }

  /// Visits weight and bias.
  EBB_INLINE void each(Parts& part) {
    part("weight", weight);
    part("bias", bias);
  }

 private:
  Linear(Array<T> w, Array<T> b);
};

}  // namespace ebb::inline v0::nn
