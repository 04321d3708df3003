// SPDX-License-Identifier: BSD-3-Clause
#pragma once
#include "vectors.hpp"

namespace limits {
namespace {

/// Adds softplus(z) - y z to the loss and returns sigmoid(z) - y, from one exponential.
LIMIT_INLINE V logistic_slope(V z, V y, V& loss) {
  const Exponential parts(larger(-magnitude(z), splat(-87.0f)));
  const V e = scale(parts.p + 1.0f, parts.shifted);
  loss += larger(z, V{}) - y * z + logarithm_of_one_and(e);
  return (z < 0.0f ? e : splat(1.0f)) / (e + 1.0f) - y;
}

}  // namespace
}  // namespace limits
