// SPDX-License-Identifier: BSD-3-Clause
// Refused: this is not a number: x.item() is the value of one element, and functions of arrays are
// written without std::, as in exp(x)
#include <cmath>
#include <ebb/ebb.hpp>

auto f(const ebb::Array<double>& x) { return std::sqrt(x); }
