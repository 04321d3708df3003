// SPDX-License-Identifier: BSD-3-Clause
// Refused: fuse: add #include <ebb/autodiff/fuse.hpp>
#include <ebb/ebb.hpp>

ebb::Tensor<float> f(const ebb::Tensor<float>& x) {
  return ebb::fuse([](auto v) { return v * tanh(v); }, x);
}
