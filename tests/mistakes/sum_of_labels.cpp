// SPDX-License-Identifier: BSD-3-Clause
// Refused: sum takes float or double: sum(cast<double>(x)), or, for a mask, count_nonzero(x)
#include <ebb/ebb.hpp>

auto f(const ebb::Array<std::int64_t>& x) { return sum(x); }
