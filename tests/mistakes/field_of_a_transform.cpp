// SPDX-License-Identifier: BSD-3-Clause
// Refused: a field is a bool, std::int64_t, std::uint64_t, double, std::string
#include <ebb/data/transforms/fields.hpp>

struct Model {
  float member;
  void each(ebb::data::Fields& part) { part("member", member); }
};
