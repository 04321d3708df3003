// SPDX-License-Identifier: BSD-3-Clause
// The ends of arithmetic, and tables of what operations give there.
#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include "ebb/autodiff/values/array.hpp"

namespace ebb::test {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double tiny = std::numeric_limits<double>::denorm_min();
constexpr double huge = 1e308;
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

/// One column of a table: a member of each point.
template <class Point>
Array<double> column_of(const std::vector<Point>& points, double Point::*member) {
  auto values = Array<double>::uninitialized({std::int64_t(points.size())});
  double* to = values.mutate();
  for (const Point& point : points) *to++ = point.*member;
  return values;
}

}  // namespace ebb::test
