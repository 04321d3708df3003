// SPDX-License-Identifier: BSD-3-Clause
// Refused: this type does not say what it consists of; add `void each(ebb::Parts& part)
#include <ebb/ebb.hpp>

struct Model {
  ebb::Variable<float> weight;
};
void train(Model& model) { ebb::optim::Optimizer optimizer(model, ebb::optim::SGD{}); }
