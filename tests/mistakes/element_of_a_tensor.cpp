// SPDX-License-Identifier: BSD-3-Clause
// Refused after a line: a result is no place to write: use where, or an Array
#include <ebb/ebb.hpp>

void reset(ebb::Tensor<float>& x) { x[0] = 0.0F; }
