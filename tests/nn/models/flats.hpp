// SPDX-License-Identifier: BSD-3-Clause
// A small table for tests of models.
#pragma once
#include <cmath>

#include "ebb/data/tables/table.hpp"

namespace ebb::test {

/// Fourteen flats; one area and one zone are missing.
template <class T>
data::Table<T> flats() {
  const data::Table<T> numbers({{"area"}, {"price"}}, Array<T>::of({{80, 210},
                                                                    {120, 295},
                                                                    {60, 150},
                                                                    {T(NAN), 245},
                                                                    {140, 350},
                                                                    {75, 190},
                                                                    {110, 280},
                                                                    {55, 140},
                                                                    {70, 190},
                                                                    {150, 360},
                                                                    {50, 130},
                                                                    {125, 300},
                                                                    {65, 160},
                                                                    {145, 340}}));
  return numbers
      .with("zone", {"north", "south", "north", "east", "south", "east", "", "north", "south",
                     "east", "north", "south", "south", "north"})
      .with("rented", {"yes", "no", "yes", "no", "no", "yes", "no", "yes", "yes", "no", "yes", "no",
                       "yes", "no"});
}

}  // namespace ebb::test
