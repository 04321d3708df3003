// SPDX-License-Identifier: BSD-3-Clause
// Stops: rows
#include <ebb/ebb.hpp>

int main() {
  const ebb::data::TensorDataset data(ebb::Array<float>::ones({4, 2}),
                                      ebb::Array<float>::ones({3}));
}
