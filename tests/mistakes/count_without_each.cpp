// SPDX-License-Identifier: BSD-3-Clause
// Refused: this type does not say what it consists of; add `void each(ebb::Parts& part)
#include <ebb/ebb.hpp>

struct Model {
  ebb::Variable<float> weight;
};
auto size(Model& model) { return ebb::count(model); }
