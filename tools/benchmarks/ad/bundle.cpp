// SPDX-License-Identifier: BSD-3-Clause
// Bundle adjustment: what cameras see of points, and the sparse Jacobian of its errors.
#include "../limits/ad/ad.hpp"
#include "ad.hpp"
#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"

namespace bench {
namespace {

using Y = ebb::Tensor<double>;

/// The two errors of an observation, weight (image - seen), times a number each. They share one
/// formula, which takes long to compile.
constexpr auto error = [](auto rx, auto ry, auto rz, auto cx, auto cy, auto cz, auto focal,
                          auto centre_x, auto centre_y, auto k1, auto k2, auto px, auto py, auto pz,
                          auto weight, auto seen, auto first, auto second) {
  const auto x = px - cx;
  const auto y = py - cy;
  const auto z = pz - cz;
  const auto square = rx * rx + ry * ry + rz * rz;
  const auto angle = sqrt(square);
  const auto a = cos(angle);
  const auto b = sin(angle) / angle;
  const auto c = (1 - a) / square * (rx * x + ry * y + rz * z);
  const auto depth = a * z + b * (rx * y - ry * x) + c * rz;
  const auto u = (a * x + b * (ry * z - rz * y) + c * rx) / depth;
  const auto v = (a * y + b * (rz * x - rx * z) + c * ry) / depth;
  const auto s = u * u + v * v;
  const auto scale = focal * (1 + s * (k1 + s * k2));
  return weight * (first * (scale * u + centre_x) + second * (scale * v + centre_y) - seen);
};

struct Bundle {
  std::int64_t n;
  Doubles cameras, points;  ///< 11 and 3 numbers each
  Doubles weights, seen;    ///< (n), (2, n)
  ebb::Array<std::int64_t> camera_of, point_of;
};

/// The derivatives of the first or the second error of all observations by the 15 numbers that each
/// depends on, (n) each. No two observations share a column, so that those of the sum are the rows
/// of the Jacobian.
std::vector<Y> rows(const Y& seen, int first, int second, const std::vector<Y>& columns) {
  ebb::Tape tape;
  std::vector<Y> x;
  for (const Y& column : columns) x.push_back(tape.watch(column));
  const auto total = [&]<std::size_t... k>(std::index_sequence<k...>) {
    return fuse_sum(error, x[k]..., seen, first, second);
  }
  (std::make_index_sequence<15>());
  return grad(total, std::vector<ebb::GradientOf<double>>(x.begin(), x.end()));
}
std::vector<Y> jacobian(const Bundle& p) {
  auto columns = unbind(transpose(gather_rows(p.cameras, p.camera_of)));
  for (Y& x : unbind(transpose(gather_rows(p.points, p.point_of)))) columns.push_back(std::move(x));
  columns.push_back(p.weights);
  const auto seen = unbind(p.seen);
  auto all = rows(seen[0], 1, 0, columns);
  for (Y& g : rows(seen[1], 0, 1, columns)) all.push_back(std::move(g));
  all.push_back(ebb::gradient([](const Y& w) { return sum(1 - square(w)); }, p.weights));
  return all;
}

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
  const auto p = std::make_shared<Bundle>(
      Bundle{n, camera, uniform({points, 3}, stream), uniform({n}, stream, 0, 2),
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
  const auto found = jacobian(*p);
  for (std::int64_t k = 0; k < 30; ++k) {
    Room column;
    for (std::int64_t i = 0; i < n; ++i) column.push_back(h->rows[std::size_t(30 * i + k)]);
    expect_equal("column " + std::to_string(k) + " of the Jacobian", found[std::size_t(k)],
                 column.data());
  }
  expect_equal("the derivatives in the weights", found[30], h->g_weights.data());
  return {[=] { keep(jacobian(*p)); },
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
