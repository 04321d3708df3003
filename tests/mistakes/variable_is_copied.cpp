// SPDX-License-Identifier: BSD-3-Clause
// Refused after a line: clone() copies; share() makes another handle
#include <ebb/ebb.hpp>

auto f(const ebb::Variable<float>& w) {
  auto copy = w;
  return copy.value();
}
