// SPDX-License-Identifier: BSD-3-Clause
// Refused: the elements of an Array are float, double, std::int64_t or bool: for int write
// Array<std::int64_t>
#include <ebb/ebb.hpp>

auto f() { return ebb::Array<int>::of({1, 2}); }
