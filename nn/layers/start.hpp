// SPDX-License-Identifier: BSD-3-Clause
// Where the weights of layers start.
#pragma once
#include "ebb/autodiff/values/array.hpp"
#include "ebb/autodiff/values/random.hpp"

namespace ebb::inline v0::nn::detail {

/// Numbers drawn uniformly from +-limit.
template <class T>
Array<T> uniform_within(const Shape& shape, double limit, Stream& stream) {
  auto values = Array<T>::uninitialized(shape);
  T* const v = values.mutate();
  for (std::int64_t i = 0; i < shape.size(); ++i) v[i] = T((2 * stream.uniform() - 1) * limit);
  return values;
}

}  // namespace ebb::inline v0::nn::detail
