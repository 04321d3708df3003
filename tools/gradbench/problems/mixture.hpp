// SPDX-License-Identifier: BSD-3-Clause
// The log-likelihood of a mixture of Gaussians (Srajer, Kukelova and Fitzgibbon 2018, section 4.1),
// without the terms that are constants.
#pragma once
#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"

namespace problems {

struct Mixture {
  using Y = ebb::Tensor<double>;

  std::int64_t n, k, d;
  ebb::Array<double> x;     ///< (n, d)
  double gamma = 1, m = 2;  ///< the numbers of the Wishart prior

  /// Weights (k), means (k, d), and inverse covariance factors (k, d (d + 1) / 2): logarithms of
  /// the diagonal, then what is below it, column by column.
  Y operator()(const Y& alphas, const Y& means, const Y& factors) const {
    using ebb::Axes;
    const auto logs = slice(factors, 1, {0, d}), scales = exp(logs);
    const auto below = slice(factors, 1, {d, d * (d + 1) / 2});
    const auto q = lower_triangle(below, scales);
    // Q (x - mean) of all components by one product.
    const auto shifts = matmul(q, reshape(means, {k, d, 1}));
    const auto z = linear(x, reshape(q, {k * d, d}), reshape(-shifts, {k * d}));
    const auto distances = sum(square(reshape(z, {n, k, d})), Axes{2});
    const auto likelihood = sum(logsumexp(alphas + sum(logs, Axes{1}) - distances / 2, Axes{1}));
    const auto prior =
        m * sum(logs) - gamma * gamma / 2 * (sum(square(scales)) + sum(square(below)));
    return likelihood - double(n) * logsumexp(alphas) + prior;
  }
};

}  // namespace problems
