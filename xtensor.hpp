// SPDX-License-Identifier: BSD-3-Clause
// xtensor at the border: arrays and tensors from any xtensor expression, and xtensor views of them.
// Include this before any other xtensor header, or link ebb::xtensor: either mends xtensor 0.24
// under g++ and C++20, where it takes the dynamic shape of an xarray for one of fixed rank.
#pragma once
#include <xtensor/xexpression_traits.hpp>
#include <xtensor/xstorage.hpp>

#if defined(__GNUC__) && !defined(__clang__)
namespace xt::detail {
template <>
struct xtype_for_shape<xt::svector<std::size_t, 4, std::allocator<std::size_t>, true>> {
  template <class T, layout_type L>
  using type = xarray<T, L>;
};
}  // namespace xt::detail
#endif

#include <algorithm>
#include <memory>
#include <vector>
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>

#include "ebb/autodiff/values/tensor.hpp"

namespace ebb::inline v0 {

/// The values of an xtensor expression as an array, evaluated once and copied.
template <class E>
auto from_xtensor(const xt::xexpression<E>& expression) {
  using T = std::remove_cv_t<typename E::value_type>;
  const auto& e = expression.derived_cast();
  std::vector<std::int64_t> sizes(e.shape().begin(), e.shape().end());
  auto array = Array<T>::uninitialized(Shape(std::span<const std::int64_t>(sizes)));
  std::copy(e.template begin<xt::layout_type::row_major>(),
            e.template end<xt::layout_type::row_major>(), array.mutate());
  return array;
}

/// The values of an array as a constant xtensor array. Nothing is copied, and the values live as
/// long as the result.
template <class T>
auto to_xtensor(const Array<T>& array) {
  const auto owner = std::make_shared<const Array<T>>(array);
  std::vector<std::size_t> shape;
  for (std::int64_t size : array.shape().sizes()) shape.push_back(std::size_t(size));
  return xt::adapt_smart_ptr(owner->data(), shape, owner);
}
/// The values of a tensor, which do not know where they come from.
template <Real T>
auto to_xtensor(const Tensor<T>& tensor) {
  return to_xtensor(tensor.array());
}

}  // namespace ebb::inline v0
