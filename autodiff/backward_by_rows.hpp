// SPDX-License-Identifier: BSD-3-Clause
// The gradient of a mean over more rows than the caches hold.
#pragma once
#include <algorithm>

#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0 {

struct RowBlockOptions {
  std::int64_t rows = 0;  ///< in a block; 0 chooses as many as half of a second-level cache holds
};

namespace detail {

/// The rows of a block. @throws ShapeError unless x and y have the same number of rows, at least
/// one; ArgumentError for options that make no block.
EBB_API std::int64_t rows_in_block(const Shape& x, const Shape& y, std::size_t element_size,
                                   const RowBlockOptions& options);
/// @throws ShapeError unless the loss of a block is one value.
EBB_API void demand_single(const Shape& loss);

}  // namespace detail

/// Adds the gradient of the mean over all rows of x and y into every Variable, and returns that
/// mean. `loss(x, y)` is the mean over the rows that it is given; it is called with one block of
/// rows after another, each on a tape of its own, whose forward pass and sweep find the block in
/// the cache. The result is that of `backward(loss(x, y))` to rounding, in two thirds of the time
/// and a fraction of the memory. When a block throws, the gradients of those before it have been
/// added.
/// @throws ShapeError when x and y differ in rows, or a loss is not a single value.
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
    detail::demand_single(value.shape());
    mean += weight * double(value.item());
    backward(Loss(value, Array<T>::full(value.shape(), T(weight))));
  }
  return mean;
}

}  // namespace ebb::inline v0
