// SPDX-License-Identifier: BSD-3-Clause
// Refused: the element types differ: cast<double>(x) or cast<float>(x) converts one of them
#include <ebb/ebb.hpp>

auto f(const ebb::Array<float>& x, const ebb::Array<double>& y) { return x + y; }
