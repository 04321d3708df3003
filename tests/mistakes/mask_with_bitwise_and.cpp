// SPDX-License-Identifier: BSD-3-Clause
// Refused: write a && b: & binds more tightly than the comparisons
#include <ebb/ebb.hpp>

auto f(const ebb::Tensor<float>& x) { return (x > 0) & (x < 1); }
