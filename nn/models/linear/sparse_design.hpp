// SPDX-License-Identifier: BSD-3-Clause
// Sparse rows without their means. The means are taken away from results and not from the rows,
// which would fill all their zeros.
#pragma once
#include "ebb/autodiff/operations/sparse.hpp"

namespace ebb::inline v0::nn::detail {

/// The matrix z = x - 1 means^T of sparse rows x (n, d), in the memory of their non-zeros.
class SparseDesign {
 public:
  /// The means and deviations are those of rows with these weights (n,), which add up to 1; without
  /// an intercept the means are 0.
  SparseDesign(const SparseRows<double>& x, const Array<double>& weights, bool intercept);

  SparseRows<double> x;
  Array<double> means;       ///< (d,)
  Array<double> deviations;  ///< (d,): the root of the mean of z^2; 0 for a constant column

  /// z w^T, (n, k), for w (k, d).
  Tensor<double> times(const Tensor<double>& w) const;
  /// z^T g, (d,), for g (n,).
  Array<double> transposed_times(const Array<double>& g) const;
  /// The products of the columns of z and of a column of ones, each row times its number of c (n,):
  /// (d + 1, d + 1).
  Array<double> gram(const Array<double>& c) const;
};

}  // namespace ebb::inline v0::nn::detail
