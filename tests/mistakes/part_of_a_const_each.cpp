// SPDX-License-Identifier: BSD-3-Clause
// Refused: a part is const, and `each` gives parts new values: write `void each(ebb::Parts& part)`
#include <ebb/ebb.hpp>

struct Model {
  ebb::Variable<float> weight;
  void each(ebb::Parts& part) const { part("weight", weight); }
};
