// SPDX-License-Identifier: BSD-3-Clause
// Refused: minimize: this is no method
#include <ebb/ebb.hpp>

void find() {
  const auto f = [](const auto& x) { return sum(square(x)); };
  ebb::optim::minimize(f, ebb::Array<double>::of({1, 2}), ebb::optim::AdamW{});
}
