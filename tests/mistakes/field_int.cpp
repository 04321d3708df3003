// SPDX-License-Identifier: BSD-3-Clause
// Refused: a field is a bool, std::int64_t, std::uint64_t, double, std::string
#include <ebb/ebb.hpp>

struct Model {
  int member;
  void each(ebb::Fields& part) { part("member", member); }
};
