// SPDX-License-Identifier: BSD-3-Clause
// The gradient of a mean over more rows than the caches hold.
#pragma once
#include <algorithm>

#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0 {

struct RowBlockOptions {
  std::int64_t rows = 0;  ///< rows of a block; 0: as many as fit into half of a second-level cache
};

namespace detail {

/// The number of rows in a block.
/// @throws ShapeError unless x and y have the same number of rows, at least one; ArgumentError for
/// a negative number of rows.
EBB_API std::int64_t rows_in_block(const Shape& x, const Shape& y, std::size_t element_size,
                                   const RowBlockOptions& options);
/// @throws ShapeError unless the loss of a block is a single value.
EBB_API void check_single(const Shape& loss);

}  // namespace detail

/// Adds the gradient of the mean over all rows of x and y to every Variable, and returns the mean.
/// `loss(x, y)` must return the mean over the rows that it is given. It is called with one block of
/// rows after the other, each on a new tape, so that forward pass and sweep find the block in the
/// cache. Except for rounding, the result is that of `backward(loss(x, y))`, in two thirds of the
/// time and a fraction of the memory. If a block throws, the gradients of the blocks before it have
/// been added.
/// @throws ShapeError if x and y differ in rows, and if a loss is not a single value.
template <class F, Real T, class U>
double backward_by_rows(const F& loss, const Array<T>& x, const Array<U>& y,
                        const RowBlockOptions& options = {}) {
  const std::int64_t block = detail::rows_in_block(x.shape(), y.shape(), sizeof(T), options);
  const std::int64_t n = x.shape()[0];
  double mean = 0;
  for (std::int64_t first = 0; first < n; first += block) {
    const std::int64_t last = std::min(first + block, n);
    const double weight = double(last - first) / double(n);
    Tape tape;
    const Tensor<T> value = loss(x.leading(first, last), y.leading(first, last));
    detail::check_single(value.shape());
    mean += weight * double(value.item());
    backward(SweepStart(value, Array<T>::full(value.shape(), T(weight))));
  }
  return mean;
}

}  // namespace ebb::inline v0
