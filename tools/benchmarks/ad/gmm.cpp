// SPDX-License-Identifier: BSD-3-Clause
// The log-likelihood of a mixture of Gaussians.
#include "../../gradbench/problems/mixture.hpp"
#include "../limits/ad/ad.hpp"
#include "ad.hpp"
#include "ebb/autodiff/derivatives_of_many.hpp"

namespace bench {
namespace {

// Counts value and gradients.
Sides mixture(std::int64_t n, std::int64_t k, std::int64_t d) {
  ebb::Stream stream(4);
  const std::int64_t size = d * (d + 1) / 2;
  const problems::Mixture p{n, k, d, uniform({n, d}, stream)};
  const Doubles alphas = uniform({k}, stream), means = uniform({k, d}, stream),
                icf = uniform({k, size}, stream, -0.3, 0.3);
  auto room = std::make_shared<Room>(std::size_t(2 * k + 4 * k * d + k * size));
  double* const g = room->data();
  double* const free = g + k + k * d + k * size;
  const limits::Mixture by_hand{n,
                                k,
                                d,
                                p.x.data(),
                                alphas.data(),
                                means.data(),
                                icf.data(),
                                p.gamma,
                                p.m,
                                g,
                                g + k,
                                g + k + k * d,
                                free,
                                free + k * d,
                                free + 3 * k * d,
                                free + 2 * k * d};
  const auto ours = [=] { return ebb::value_and_gradient(p, alphas, means, icf); };
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
