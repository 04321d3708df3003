// SPDX-License-Identifier: BSD-3-Clause
// Refused: a mask is not a condition: use where or select(condition, a, b)
#include <ebb/ebb.hpp>

int f(const ebb::Tensor<float>& x) { return x > 0 ? 1 : 2; }
