// SPDX-License-Identifier: BSD-3-Clause
// Bundle adjustment: what cameras see of points, and the sparse Jacobian of its errors.
#pragma once
#include <vector>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"

namespace problems {

struct Bundle {
  using Y = ebb::Tensor<double>;
  using Index = ebb::Array<std::int64_t>;

  ebb::Array<double> cameras, points;  ///< (cameras, 11), (points, 3)
  ebb::Array<double> weights, seen;    ///< (n), (2, n)
  Index camera_of, point_of;           ///< (n)

  /// The two errors of an observation, weight (image - seen), times a number each. They share one
  /// formula, which takes long to compile. A camera is a rotation, a place, the focal length, the
  /// centre of the image and two numbers of distortion.
  static constexpr auto error = [](auto rx, auto ry, auto rz, auto cx, auto cy, auto cz, auto focal,
                                   auto centre_x, auto centre_y, auto k1, auto k2, auto px, auto py,
                                   auto pz, auto weight, auto seen, auto first, auto second) {
    const auto x = px - cx;
    const auto y = py - cy;
    const auto z = pz - cz;
    const auto square = rx * rx + ry * ry + rz * rz;
    const auto angle = sqrt(square);
    const auto a = cos(angle);
    // Their limits where nothing is turned.
    const auto b = select(square > 0, sin(angle) / angle, 1);
    const auto c = select(square > 0, (1 - a) / square, 0.5) * (rx * x + ry * y + rz * z);
    const auto depth = a * z + b * (rx * y - ry * x) + c * rz;
    const auto u = (a * x + b * (ry * z - rz * y) + c * rx) / depth;
    const auto v = (a * y + b * (rz * x - rx * z) + c * ry) / depth;
    const auto s = u * u + v * v;
    const auto scale = focal * (1 + s * (k1 + s * k2));
    return weight * (first * (scale * u + centre_x) + second * (scale * v + centre_y) - seen);
  };

  /// The 15 numbers on which each observation depends, (n) each.
  std::vector<Y> columns() const {
    auto all = unbind(transpose(gather_rows(cameras, camera_of)));
    for (Y& x : unbind(transpose(gather_rows(points, point_of)))) all.push_back(std::move(x));
    all.push_back(weights);
    return all;
  }
  /// The errors in x and in y, (n) each.
  std::vector<Y> errors() const {
    const auto x = columns();
    const auto image = unbind(seen);
    return {error_of(x, image[0], 1, 0), error_of(x, image[1], 0, 1)};
  }
  /// The derivatives of the error in x by these numbers, then of that in y, then of 1 - weight^2.
  std::vector<Y> jacobian() const {
    const auto x = columns();
    const auto image = unbind(seen);
    auto all = rows(x, image[0], 1, 0);
    for (Y& g : rows(x, image[1], 0, 1)) all.push_back(std::move(g));
    all.push_back(ebb::gradient([](const Y& w) { return sum(1 - square(w)); }, weights));
    return all;
  }

 private:
  static Y error_of(const std::vector<Y>& x, const Y& image, int first, int second) {
    return [&]<std::size_t... k>(std::index_sequence<k...>) {
      return fuse(error, x[k]..., image, first, second);
    }
    (std::make_index_sequence<15>());
  }
  /// No two observations share a column, so that the derivatives of the sum are the rows of the
  /// Jacobian.
  static std::vector<Y> rows(const std::vector<Y>& columns, const Y& image, int first, int second) {
    ebb::Tape tape;
    std::vector<Y> x;
    for (const Y& column : columns) x.push_back(tape.watch(column));
    const auto total = [&]<std::size_t... k>(std::index_sequence<k...>) {
      return fuse_sum(error, x[k]..., image, first, second);
    }
    (std::make_index_sequence<15>());
    return grad(total, std::vector<ebb::GradientOf<double>>(x.begin(), x.end()));
  }
};

}  // namespace problems
