// SPDX-License-Identifier: BSD-3-Clause
// The check of a formula for `fuse`, against differences and against forward mode on plain numbers.
#pragma once
#include <cmath>

#include "ebb/autodiff/formula/dual.hpp"
#include "ebb/autodiff/fuse.hpp"
#include "ebb/autodiff/gradcheck.hpp"
#include "ebb/autodiff/tape.hpp"

namespace ebb::inline v0 {

/// Checks a formula with one argument for each array; all arrays have the same shape. It compares
/// derivatives of both orders with differences, and the gradient of the sweep, which runs on SIMD
/// lanes, with forward mode on plain numbers.
template <class F, class... Arrays>
GradientReport check_formula(const F& f, const Arrays&... inputs) {
  constexpr int n = sizeof...(Arrays);
  const std::vector<Array<double>> at{inputs...};
  const auto fused = [&]<std::size_t... k>(std::span<const Tensor<double>> x,
                                           std::index_sequence<k...>) {
    return fuse(f, x[k]...);
  };
  const auto indices = std::make_index_sequence<n>{};
  auto report =
      check_gradients([&](std::span<const Tensor<double>> x) { return fused(x, indices); }, at);
  if (!report) return report;

  Tape tape;
  std::vector<Tensor<double>> x;
  for (const auto& input : at) x.push_back(tape.watch(input));
  const auto gradients =
      grad(sum(fused(x, indices)), std::vector<GradientOf<double>>(x.begin(), x.end()));
  for (std::int64_t i = 0; i < at[0].size(); ++i) {
    using D = Dual<double, n>;
    D seeded[n];
    for (int k = 0; k < n; ++k) {
      seeded[k] = D(at[std::size_t(k)][i]);
      seeded[k].d[k] = 1;
    }
    const D y = [&]<std::size_t... k>(std::index_sequence<k...>) { return D(f(seeded[k]...)); }
    (indices);
    for (int k = 0; k < n; ++k) {
      const double swept = gradients[std::size_t(k)].data()[i];
      // Both evaluate the same formulas; the functions differ by some units in the last place.
      const double tolerance = 1e-12 * (1 + std::abs(y.d[k]));
      ++report.compared;
      if (std::abs(swept - y.d[k]) <= tolerance) continue;
      report.passed = false;
      report.order = 1;
      report.input = k;
      report.element = i;
      report.swept = swept;
      report.difference = y.d[k];
      report.tolerance = tolerance;
      report.reason = "the sweep and forward mode (given as the difference) disagree";
      return report;
    }
  }
  return report;
}

}  // namespace ebb::inline v0
