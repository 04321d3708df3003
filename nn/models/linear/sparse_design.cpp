// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/models/linear/sparse_design.hpp"

#include <algorithm>
#include <cmath>

#include "ebb/autodiff/operations/linear_algebra.hpp"
#include "ebb/autodiff/ops.hpp"

namespace ebb::inline v0::nn::detail {
namespace {

using Numbers = Array<double>;

/// Calls f(row, column, value) for each element.
template <class F>
void for_each_element(const SparseRows<double>& x, const F& f) {
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    const auto row = x.row(i);
    for (std::size_t k = 0; k < row.columns.size(); ++k) f(i, row.columns[k], row.values[k]);
  }
}

}  // namespace

SparseDesign::SparseDesign(const SparseRows<double>& rows, const Numbers& weights, bool intercept)
    : x(rows),
      means(Numbers::zeros({rows.columns()})),
      deviations(Numbers::zeros({rows.columns()})) {
  const std::int64_t d = x.columns();
  double* const mean = means.mutate();
  double* const deviation = deviations.mutate();
  // Of the rows that list a column: the sum of their weights. The others have zeros in it.
  auto listed = Numbers::zeros({d}), largest = Numbers::zeros({d});
  double* const part = listed.mutate();
  double* const most = largest.mutate();
  for_each_element(x, [&](std::int64_t i, std::int64_t j, double v) {
    if (intercept) mean[j] += weights[i] * v;
    part[j] += weights[i];
  });
  // Relative to the largest number of each column, so that no square overflows or vanishes.
  for (std::int64_t j = 0; j < d; ++j) most[j] = std::abs(mean[j]);
  for_each_element(x, [&](std::int64_t, std::int64_t j, double v) {
    most[j] = std::fmax(most[j], std::abs(v - mean[j]));
  });
  for_each_element(x, [&](std::int64_t i, std::int64_t j, double v) {
    const double e = most[j] > 0 ? (v - mean[j]) / most[j] : 0;
    deviation[j] += weights[i] * e * e;
  });
  auto factors = Numbers::ones({d});
  bool has_constant = false;
  for (std::int64_t j = 0; j < d; ++j) {
    if (most[j] == 0) continue;
    const double rest = 1 - part[j], e = mean[j] / most[j];
    if (rest > 1e-14) deviation[j] += rest * e * e;
    deviation[j] = std::sqrt(deviation[j]) * most[j];
    // A constant column, whose deviation is rounding. It does without elements.
    if (deviation[j] > 1e-14 * std::abs(mean[j])) continue;
    deviation[j] = mean[j] = factors.mutate()[j] = 0;
    has_constant = true;
  }
  if (has_constant) x = x.scaled(factors);
}

Tensor<double> SparseDesign::times(const Tensor<double>& w) const {
  return linear(x, w, -matmul(w, means));
}

Numbers SparseDesign::transposed_times(const Numbers& g) const {
  auto product = Numbers::zeros({x.columns()});
  double* const to = product.mutate();
  for_each_element(x, [&](std::int64_t i, std::int64_t j, double v) { to[j] += v * g[i]; });
  const double all = sum(g).item();
  for (std::int64_t j = 0; j < x.columns(); ++j) to[j] -= all * means.data()[j];
  return product;
}

Numbers SparseDesign::gram(const Numbers& c) const {
  const std::int64_t d = x.columns(), p = d + 1;
  auto products = Numbers::zeros({p, p});
  double* const to = products.mutate();
  double* const sums = to + d * p;  // c^T x, and the sum of c
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    const auto row = x.row(i);
    for (std::size_t a = 0; a < row.columns.size(); ++a) {
      const double e = c[i] * row.values[a];
      double* const line = to + row.columns[a] * p;
      for (std::size_t b = 0; b <= a; ++b) line[row.columns[b]] += e * row.values[b];
      sums[row.columns[a]] += e;
    }
    sums[d] += c[i];
  }
  for (std::int64_t a = 0; a < d; ++a) {
    const double m = means.data()[a], s = sums[a];
    for (std::int64_t b = 0; b <= a; ++b) {
      const double n = means.data()[b];
      to[a * p + b] += sums[d] * m * n - m * sums[b] - s * n;
      to[b * p + a] = to[a * p + b];
    }
  }
  for (std::int64_t a = 0; a < d; ++a) {
    sums[a] -= sums[d] * means.data()[a];
    to[a * p + d] = sums[a];
  }
  return products;
}

}  // namespace ebb::inline v0::nn::detail
