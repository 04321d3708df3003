// SPDX-License-Identifier: BSD-3-Clause
// Stops: cross_entropy: label 3 of row 1 is not in [0, 3)
#include <ebb/ebb.hpp>

int main() { cross_entropy(ebb::Array<float>::ones({2, 3}), ebb::Array<std::int64_t>::of({0, 3})); }
