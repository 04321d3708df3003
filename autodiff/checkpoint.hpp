// SPDX-License-Identifier: BSD-3-Clause
// Parts of a computation that the sweep computes again instead of storing.
#pragma once
#include <span>
#include <vector>

#include "ebb/autodiff/values/function_types.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0 {
namespace detail {

template <Real T>
EBB_API Tensor<T> checkpoint(TensorFunction<T> f, std::span<const Operand<T>* const> inputs);

}  // namespace detail

/// Computes f(x...) as one record that keeps only the inputs; the sweep runs f again to get the
/// rest (Chen et al. 2016). f is copied, runs at least twice, and must return equal results each
/// time. Variables that it uses get their gradients. Its draws from a `Stream` are made once and
/// repeated. It saves memory at the cost of time: one more forward pass, but the arrays of only one
/// such part at a time.
/// @throws ArgumentError if f uses a variable of another element type than x.
template <class F, Real T, class... Rest>
EBB_INLINE Tensor<T> checkpoint(F f, const Operand<T>& x, const Rest&... rest) {
  const Operand<T>* const inputs[] = {&x, &static_cast<const Operand<T>&>(rest)...};
  return detail::checkpoint<T>(
      [f](std::span<const Tensor<T>> in) {
        return [&]<std::size_t... k>(std::index_sequence<k...>) { return Tensor<T>(f(in[k]...)); }
        (std::make_index_sequence<1 + sizeof...(Rest)>{});
      },
      inputs);
}

}  // namespace ebb::inline v0
