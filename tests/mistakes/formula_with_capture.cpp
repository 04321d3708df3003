// SPDX-License-Identifier: BSD-3-Clause
// Refused: fuse: the lambda must capture nothing, since it runs again in the sweep; pass numbers
// and tensors as arguments
#include <ebb/autodiff/fuse.hpp>

ebb::Tensor<float> f(const ebb::Tensor<float>& x, float k) {
  return ebb::fuse([k](auto v) { return v * k; }, x);
}
