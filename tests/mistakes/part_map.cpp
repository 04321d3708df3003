// SPDX-License-Identifier: BSD-3-Clause
// Refused: a part is a Variable, an Array, a Stream, a Mode, a double, std::int64_t
#include <ebb/ebb.hpp>
#include <map>

struct Model {
  std::map<std::string, ebb::Variable<float>> member;
  void each(ebb::Parts& part) { part("member", member); }
};
