// SPDX-License-Identifier: BSD-3-Clause
// The comparison of arrays that other tests use sees every difference.
#include <limits>

#include "ebb/tests/close.hpp"

using namespace ebb;
using namespace ebb::test;

TEST_SUITE("array") {

TEST_CASE("arrays are close if every element is, and NaN is close to NaN alone") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto a = Array<double>::of({1, nan, infinity, 2});
  CHECK(close(a, a, 0).holds);
  CHECK(close(a, Array<double>::of({1 + 1e-10, nan, infinity, 2}), 1e-9).holds);
  CHECK(!close(a, Array<double>::of({1 + 1e-8, nan, infinity, 2}), 1e-9).holds);
  // The elements behind differ a little, within the tolerance.
  CHECK(!close(a, Array<double>::of({1, 3, infinity, 2 + 1e-12}), 1e-9, 1).holds);
  CHECK(!close(a, Array<double>::of({nan, nan, infinity, 2 + 1e-12}), 1e-9, 1).holds);
  CHECK(!close(a, Array<double>::of({1, nan, 3, 2 + 1e-12}), 1e-9, 1).holds);
  CHECK(!close(a, Array<double>::of({1, nan, -infinity, 2 + 1e-12}), 1e-9, 1).holds);
  CHECK(!close(a, Array<double>::of({1, nan, infinity}), 1).holds);
}

}  // TEST_SUITE("array")
