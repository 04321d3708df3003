// SPDX-License-Identifier: BSD-3-Clause
// The affine layer.
#pragma once
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/parts.hpp"
#include "ebb/autodiff/values/random.hpp"

namespace ebb::inline v0::nn {

/// y = x weight^T + bias, for x of shape (n, in).
template <Real T>
struct EBB_API Linear {
  Variable<T> weight;  ///< (out, in)
  Variable<T> bias;    ///< (out,)

  /// Zeros: the usual start of linear and logistic regression.
  Linear(std::int64_t in, std::int64_t out);
  /// Uniform in +-1 / sqrt(in), as PyTorch has it.
  Linear(std::int64_t in, std::int64_t out, Stream& stream);

  EBB_INLINE Tensor<T> operator()(const Operand<T>& x) const { return linear(x, weight, bias); }

  /// Visits weight and bias.
  EBB_INLINE void each(Parts& part) {
    part("weight", weight);
    part("bias", bias);
  }
};

}  // namespace ebb::inline v0::nn
