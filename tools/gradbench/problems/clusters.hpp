// SPDX-License-Identifier: BSD-3-Clause
// The cost of centres of clusters, and a step of Newton's method (Bottou and Bengio 1994).
#pragma once
#include <algorithm>

#include "ebb/autodiff/derivatives.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"

namespace problems {

struct Clusters {
  struct Step {
    ebb::Tensor<double> value, gradient, hessian;  ///< the diagonal of the Hessian, which is all
  };

  ebb::Array<double> points;  ///< (n, d)

  /// The nearest of the centres (k, d) for each point. The distances of a block of points stay in a
  /// near cache: a table of all would take twice the time.
  ebb::Array<std::int64_t> nearest(const ebb::Array<double>& centres) const {
    constexpr std::int64_t block = 256;
    const std::int64_t n = points.shape()[0];
    const ebb::Array<double> directions = -2 * centres;
    const ebb::Array<double> squares = sum(square(centres), ebb::Axes{1});
    auto nearest = ebb::Array<std::int64_t>::uninitialized({n});
    std::int64_t* const to = nearest.mutate();
    for (std::int64_t i = 0; i < n; i += block) {
      // |p|^2 is the same for every centre.
      const auto distances =
          linear(slice(points, 0, {i, std::min(i + block, n)}), directions, squares);
      const auto found = argmin(distances, 1);
      std::copy_n(found.data(), found.size(), to + i);
    }
    return nearest;
  }
  /// The sum of the squared distances to the nearest of the centres (k, d). Which centre that is
  /// does not change with a small step, so that it is found outside of what is differentiated.
  auto cost(const ebb::Array<double>& centres) const {
    return [this, nearest = nearest(centres)](const auto& c) {
      return fuse_sum([](auto p, auto q) { return square(p - q); }, gather_rows(c, nearest),
                      points);
    };
  }
  Step step(const ebb::Array<double>& centres) const {
    // The product of a diagonal matrix with ones is its diagonal.
    auto [value, gradient, hessian] =
        value_gradient_and_hvp(cost(centres), centres, ebb::Array<double>::ones(centres.shape()));
    return {value, gradient, hessian};
  }
};

}  // namespace problems
