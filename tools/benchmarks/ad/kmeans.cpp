// SPDX-License-Identifier: BSD-3-Clause
// A step of Newton's method for the centres of clusters.
#include "../../gradbench/problems/clusters.hpp"
#include "../limits/ad/ad.hpp"
#include "ad.hpp"

namespace bench {
namespace {

// Counts the cost, its gradient and the diagonal of the Hessian.
Sides kmeans(std::int64_t k, std::int64_t n, std::int64_t d) {
  ebb::Stream stream(3);
  const problems::Clusters p{uniform({n, d}, stream)};
  const Doubles points = p.points, centres = uniform({k, d}, stream);
  auto g = std::make_shared<Room>(std::size_t(k * d));
  auto h = std::make_shared<Room>(std::size_t(k * d));
  auto room = std::make_shared<Room>(std::size_t((d + 1) * (k + 16)));
  const auto limit = [=] {
    return limits::kmeans(points.data(), centres.data(), g->data(), h->data(), room->data(), n, k,
                          d);
  };
  const double value = limit();
  const auto found = p.step(centres);
  expect_equal("the cost of k-means", found.value, &value);
  expect_equal("the gradient of k-means", found.gradient, g->data());
  expect_equal("the Hessian of k-means", found.hessian, h->data());
  return {[=] { keep(p.step(centres)); }, [=] { keep(limit()); }};
}

}  // namespace

void add_kmeans(std::vector<Case>& cases) {
  cases.push_back(
      versus("ad/kmeans/100_of_10000x16/f64", "us", 1.25, [] { return kmeans(100, 10000, 16); }));
}

}  // namespace bench
