// SPDX-License-Identifier: BSD-3-Clause
// The log-likelihood of a mixture of Gaussians (Srajer, Kukelova and Fitzgibbon 2018, section 4.1).
#include "../limits/ad/ad.hpp"
#include "ad.hpp"
#include "ebb/autodiff/derivatives_of_many.hpp"
#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/operations/reductions.hpp"
#include "ebb/autodiff/ops.hpp"

namespace bench {
namespace {

using ebb::Axes;
using Y = ebb::Tensor<double>;

/// Where each element of a matrix (d, d) stands in a row of `icf`, which a 0 follows.
ebb::Array<std::int64_t> places_of_factor(std::int64_t d) {
  ebb::Array<std::int64_t> places = ebb::Array<std::int64_t>::uninitialized({d * d});
  std::int64_t next = d;
  for (std::int64_t column = 0; column < d; ++column) {
    for (std::int64_t row = 0; row < d; ++row) {
      places.mutate()[row * d + column] = row == column  ? row
                                          : row > column ? next++
                                                         : d * (d + 1) / 2;
    }
  }
  return places;
}

struct Mixture {
  std::int64_t n, k, d;
  Doubles x, alphas, means, icf;
  double gamma = 1, m = 2;
  ebb::Array<std::int64_t> places = places_of_factor(d);

  Y operator()(const Y& a, const Y& centres, const Y& factors) const {
    const auto logs = slice(factors, 1, {0, d}), scales = exp(logs);
    const auto below = slice(factors, 1, {d, d * (d + 1) / 2});
    const auto q =
        reshape(index_select(ebb::concat({scales, below, Y(Doubles::zeros({k, 1}))}, 1), 1, places),
                {k, d, d});
    // Q (x - mean) of all components by one product.
    const auto shifts = matmul(q, reshape(centres, {k, d, 1}));
    const auto z = linear(x, reshape(q, {k * d, d}), reshape(-shifts, {k * d}));
    const auto distances = sum(square(reshape(z, {n, k, d})), Axes{2});
    const auto likelihood = sum(logsumexp(a + sum(logs, Axes{1}) - distances / 2, Axes{1}));
    const auto prior =
        gamma * gamma / 2 * (sum(square(scales)) + sum(square(below))) - m * sum(logs);
    return likelihood - double(n) * logsumexp(a) + prior;
  }
};

// Counts value and gradients.
Sides mixture(std::int64_t n, std::int64_t k, std::int64_t d) {
  ebb::Stream stream(4);
  const std::int64_t size = d * (d + 1) / 2;
  const auto p = std::make_shared<Mixture>(Mixture{n, k, d, uniform({n, d}, stream),
                                                   uniform({k}, stream), uniform({k, d}, stream),
                                                   uniform({k, size}, stream, -0.3, 0.3)});
  auto room = std::make_shared<Room>(std::size_t(2 * k + 4 * k * d + k * size));
  double* const g = room->data();
  double* const free = g + k + k * d + k * size;
  const limits::Mixture by_hand{n,
                                k,
                                d,
                                p->x.data(),
                                p->alphas.data(),
                                p->means.data(),
                                p->icf.data(),
                                p->gamma,
                                p->m,
                                g,
                                g + k,
                                g + k + k * d,
                                free,
                                free + k * d,
                                free + 3 * k * d,
                                free + 2 * k * d};
  const auto ours = [=] { return ebb::value_and_gradient(*p, p->alphas, p->means, p->icf); };
  const auto limit = [by_hand, room] { return limits::gmm(by_hand); };
  const double value = limit();
  const auto found = ours();
  expect_equal("the likelihood of a mixture", found.value, &value);
  expect_equal("the gradient of the alphas", found.gradients[0], by_hand.g_alphas);
  expect_equal("the gradient of the means", found.gradients[1], by_hand.g_means);
  expect_equal("the gradient of the factors", found.gradients[2], by_hand.g_icf);
  return {[=] { keep(ours()); }, [=] { keep(limit()); }};
}

}  // namespace

void add_gmm(std::vector<Case>& cases) {
  cases.push_back(
      versus("ad/gmm/1000x10_k10/f64", "us", 0.6, [] { return mixture(1000, 10, 10); }));
  cases.push_back(
      versus("ad/gmm/1000x32_k50/f64", "us", 0.6, [] { return mixture(1000, 50, 32); }));
}

}  // namespace bench
