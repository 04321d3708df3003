// SPDX-License-Identifier: BSD-3-Clause
// Parts of a computation that the sweep computes again instead of keeping.
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

/// f(x...) as one record, which keeps the inputs alone: the sweep runs f again for what it needs
/// (Chen et al. 2016). f is copied, runs twice or more, and must give the same each time; variables
/// that it uses get their gradients, and what it draws from a `Stream` is drawn once and repeated.
/// Memory for time: one forward pass more, and the arrays of one such part at a time instead of
/// all.
/// @throws ArgumentError when f uses a variable of another element type than x.
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
