// SPDX-License-Identifier: BSD-3-Clause
// Parts of a computation that the sweep computes again instead of keeping, and gradients that pass
// through a function of the user's own.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "ebb/autodiff/tensor.hpp"
#include "ebb/autodiff/variable.hpp"

namespace ebb::inline v0 {
namespace detail {

template <class T>
using OneToOne = std::function<Tensor<T>(const Tensor<T>& gradient)>;
template <class T>
using ManyToOne = std::function<Tensor<T>(std::span<const Tensor<T>> x)>;
template <Real T>
EBB_API Tensor<T> checkpoint(ManyToOne<T> f, std::span<const Operand<T>* const> inputs);

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

/// x, whose gradient passes through f on its way back: f takes it and gives what takes its place,
/// of the same shape; a tensor without elements of its own, `Tensor<T>()`, leaves it as it is.
template <Real T>
EBB_API Tensor<T> hook(const Operand<T>& x, std::type_identity_t<detail::OneToOne<T>> f);

}  // namespace ebb::inline v0
