// SPDX-License-Identifier: BSD-3-Clause
// Bundle adjustment: what cameras see of points, and the sparse Jacobian of its errors.
#include "../../gradbench/problems/bundle.hpp"
#include "../limits/ad/ad.hpp"
#include "ad.hpp"

namespace bench {
namespace {

/// The data of the limit, which reads and writes one observation after the other.
struct ByHand {
  Doubles seen;
  Room rows, g_weights;
};

// Counts the gathering of what each observation needs, and all numbers of the Jacobian that can
// differ from 0.
Sides bundle(std::int64_t cameras, std::int64_t points, std::int64_t n) {
  ebb::Stream stream(7);
  Doubles camera = uniform({cameras, 11}, stream, -0.5, 0.5);
  for (std::int64_t i = 0; i < cameras; ++i) {
    for (std::int64_t k = 0; k < 3; ++k) camera.mutate()[11 * i + k] /= 2;
    camera.mutate()[11 * i] += 0.3;    // a rotation that is not 0, and leaves the points before it
    camera.mutate()[11 * i + 5] -= 5;  // away from the points
    camera.mutate()[11 * i + 6] += 2;
    camera.mutate()[11 * i + 9] /= 5;
    camera.mutate()[11 * i + 10] /= 5;
  }
  const auto draw = [&](std::int64_t size) {
    ebb::Array<std::int64_t> x = ebb::Array<std::int64_t>::uninitialized({n});
    for (std::int64_t i = 0; i < n; ++i) {
      x.mutate()[i] = std::int64_t(stream.uniform() * double(size));
    }
    return x;
  };
  const auto p = std::make_shared<problems::Bundle>(
      problems::Bundle{camera, uniform({points, 3}, stream), uniform({n}, stream, 0, 2),
                       uniform({2, n}, stream), draw(cameras), draw(points)});
  const auto h = std::make_shared<ByHand>(
      ByHand{transpose(p->seen).array(), Room(std::size_t(30 * n)), Room(std::size_t(n))});
  const limits::Bundle by_hand{n,
                               p->cameras.data(),
                               p->points.data(),
                               p->weights.data(),
                               h->seen.data(),
                               p->camera_of.data(),
                               p->point_of.data(),
                               h->rows.data(),
                               h->g_weights.data()};
  const auto limit = [=] { limits::bundle(by_hand); };
  limit();
  const auto found = p->jacobian();
  for (std::int64_t k = 0; k < 30; ++k) {
    Room column;
    for (std::int64_t i = 0; i < n; ++i) column.push_back(h->rows[std::size_t(30 * i + k)]);
    expect_equal("column " + std::to_string(k) + " of the Jacobian", found[std::size_t(k)],
                 column.data());
  }
  expect_equal("the derivatives in the weights", found[30], h->g_weights.data());
  return {[=] { keep(p->jacobian()); },
          [h, limit] {
            limit();
            keep(h->rows);
          }};
}

}  // namespace

void add_bundle(std::vector<Case>& cases) {
  cases.push_back(versus("ad/ba/30000/f64", "us", 1.25, [] { return bundle(50, 10000, 30000); }));
}

}  // namespace bench
