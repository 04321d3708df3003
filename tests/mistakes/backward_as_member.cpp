// SPDX-License-Identifier: BSD-3-Clause
// Refused: a sweep is a function: write backward(loss)
#include <ebb/ebb.hpp>

void f(const ebb::Tensor<float>& loss) { loss.backward(); }
