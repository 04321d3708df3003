// SPDX-License-Identifier: BSD-3-Clause
// Stops: matmul: the inner sizes must agree, not (4, 2) and (3, 1)
#include <ebb/ebb.hpp>

int main() { matmul(ebb::Array<float>::ones({4, 2}), ebb::Array<float>::ones({3, 1})); }
