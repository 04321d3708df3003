// SPDX-License-Identifier: BSD-3-Clause
// Refused: a part is a Variable, an Array, a Stream, a Mode, a double, std::int64_t
#include <ebb/ebb.hpp>

struct Model {
  ebb::Variable<float> weight;
};
struct Outer {
  Model model;
  void each(ebb::Parts& part) { part("model", model); }
};
