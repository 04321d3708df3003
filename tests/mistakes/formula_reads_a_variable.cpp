// SPDX-License-Identifier: BSD-3-Clause
// Refused: fuse: a formula is traced at compile time; write constexpr before the functions that it
// calls and the numbers that it reads, and pass what is known at run time as an argument
#include <ebb/autodiff/fuse.hpp>

double rate = 0.5;

ebb::Tensor<float> f(const ebb::Tensor<float>& x) {
  return ebb::fuse([](auto v) { return rate * v; }, x);
}
