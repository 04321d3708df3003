// SPDX-License-Identifier: BSD-3-Clause
// Stops: 3
#include <ebb/ebb.hpp>

int main() {
  const ebb::nn::Linear<float> layer(3, 1);
  layer(ebb::Array<float>::ones({4, 2}));
}
