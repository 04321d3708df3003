// SPDX-License-Identifier: BSD-3-Clause
// A step of Newton's method for the centres of clusters (Bottou and Bengio 1994).
#include "../limits/ad/ad.hpp"
#include "ad.hpp"
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"

namespace bench {
namespace {

struct Step {
  ebb::Tensor<double> value, gradient, hessian;
};

// Which centre is the nearest does not change with a small step, so that it is found outside of
// what is differentiated. |p|^2 is the same for every centre.
Step step(const Doubles& points, const Doubles& centres) {
  const auto nearest = argmin(linear(points, -2 * centres, sum(square(centres), ebb::Axes{1})), 1);
  const auto cost = [&](const auto& c) {
    return fuse_sum([](auto p, auto q) { return square(p - q); }, gather_rows(c, nearest), points);
  };
  auto [value, gradient] = ebb::value_and_gradient(cost, centres);
  // The Hessian is diagonal: its product with ones is its diagonal.
  return {value, gradient, hvp(cost, centres, Doubles::ones(centres.shape()))};
}

// Counts the cost, its gradient and the diagonal of the Hessian.
Sides kmeans(std::int64_t k, std::int64_t n, std::int64_t d) {
  ebb::Stream stream(3);
  const Doubles points = uniform({n, d}, stream), centres = uniform({k, d}, stream);
  auto g = std::make_shared<Room>(std::size_t(k * d));
  auto h = std::make_shared<Room>(std::size_t(k * d));
  auto room = std::make_shared<Room>(std::size_t((d + 1) * (k + 16)));
  const auto limit = [=] {
    return limits::kmeans(points.data(), centres.data(), g->data(), h->data(), room->data(), n, k,
                          d);
  };
  const double value = limit();
  const Step found = step(points, centres);
  expect_equal("the cost of k-means", found.value, &value);
  expect_equal("the gradient of k-means", found.gradient, g->data());
  expect_equal("the Hessian of k-means", found.hessian, h->data());
  return {[=] { keep(step(points, centres)); }, [=] { keep(limit()); }};
}

}  // namespace

void add_kmeans(std::vector<Case>& cases) {
  // To keep this, the nearest centre would have to be found without a table of all
  // distances, and the Hessian without a recorded sweep.
  cases.push_back(
      versus("ad/kmeans/100_of_10000x16/f64", "us", 1.25, [] { return kmeans(100, 10000, 16); }));
}

}  // namespace bench
