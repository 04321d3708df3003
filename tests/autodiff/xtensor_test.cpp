// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/xtensor.hpp"

#include <doctest/doctest.h>

#include <xtensor/xmath.hpp>
#include <xtensor/xview.hpp>

#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"

using namespace ebb;

TEST_SUITE("xtensor") {

TEST_CASE("an array is made from any xtensor expression") {
  const xt::xarray<double> x = {{1, 2, 3}, {4, 5, 6}};
  CHECK(equal(from_xtensor(2.0 * x + 1.0), Array<double>::of({{3, 5, 7}, {9, 11, 13}})));
  CHECK(equal(from_xtensor(xt::view(x, xt::all(), xt::range(1, 3))),
              Array<double>::of({{2, 3}, {5, 6}})));
  CHECK(equal(from_xtensor(xt::transpose(x)), Array<double>::of({{1, 4}, {2, 5}, {3, 6}})));
  CHECK(equal(from_xtensor(xt::xarray<float>(3.0f)), Array<float>(3.0f)));
}

TEST_CASE("an xtensor view of an array copies nothing and keeps it alive") {
  auto array = Array<double>::of({{1, 2}, {3, 4}});
  const double* data = array.data();
  const auto view = to_xtensor(array);
  array = {};
  CHECK(&view(0, 0) == data);
  CHECK(view(1, 0) == 3);
  CHECK(view.shape()[0] == 2);
  Variable<double> w(from_xtensor(view * view));
  Tape tape;
  CHECK(to_xtensor(sum(w * 1.0))() == 30);
}

TEST_CASE("immediate reductions of xarrays work under C++20") {
  const xt::xarray<double> x = {{1, 2, 3}, {4, 5, 6}};
  const xt::xarray<double> sums = xt::sum(x, {0}, xt::evaluation_strategy::immediate);
  CHECK(equal(from_xtensor(sums), Array<double>::of({5, 7, 9})));
}

}  // TEST_SUITE("xtensor")
