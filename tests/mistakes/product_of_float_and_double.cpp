// SPDX-License-Identifier: BSD-3-Clause
// Refused: the element types differ: cast<double>(x) or cast<float>(x) converts one of them
#include <ebb/ebb.hpp>

auto f(const ebb::Variable<float>& x, const ebb::Tensor<double>& y) { return matmul(x, y); }
