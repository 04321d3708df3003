// SPDX-License-Identifier: BSD-3-Clause
// The cost of centres of clusters, and a step of Newton's method (Bottou and Bengio 1994).
#pragma once
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

  /// The sum of the squared distances to the nearest of the centres (k, d). Which centre that is
  /// does not change with a small step, so that it is found outside of what is differentiated.
  auto cost(const ebb::Array<double>& centres) const {
    // |p|^2 is the same for every centre.
    const auto nearest =
        argmin(linear(points, -2 * centres, sum(square(centres), ebb::Axes{1})), 1);
    return [this, nearest](const auto& c) {
      return fuse_sum([](auto p, auto q) { return square(p - q); }, gather_rows(c, nearest),
                      points);
    };
  }
  Step step(const ebb::Array<double>& centres) const {
    const auto of = cost(centres);
    auto [value, gradient] = ebb::value_and_gradient(of, centres);
    // The product of a diagonal matrix with ones is its diagonal.
    return {value, gradient, hvp(of, centres, ebb::Array<double>::ones(centres.shape()))};
  }
};

}  // namespace problems
