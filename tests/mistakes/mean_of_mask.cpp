// SPDX-License-Identifier: BSD-3-Clause
// Refused: mean takes float or double: mean(cast<double>(x)), or, for a mask, count_nonzero(x)
#include <ebb/ebb.hpp>

auto f(const ebb::Array<float>& x) { return mean(x > 0); }
