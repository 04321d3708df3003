// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/indexing.hpp"

#include "ebb/autodiff/kernels/row_copy.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {

void check_index(std::string_view operation, const Shape& x, const Shape& s, int axis) {
  if (s.rank() != x.rank() || !(s.with(axis, 0) == x.with(axis, 0))) {
    throw_shapes(operation, "the index must have the sizes of x except along the axis", x, s);
  }
}

void CheckedIndex::look(std::int64_t n) {
  // Checks at least a whole run at a time, as far as there are indices.
  const std::int64_t end = std::max(n, std::min(good_ + index_stretch, index_->shape.size()));
  const auto* at = index_->data<std::int64_t>();
  // Asks for those that come after the next ones, or their check would wait; past the end, too.
  const auto later = reinterpret_cast<std::uintptr_t>(at + end) + index_stretch * sizeof(*at);
  for (std::uintptr_t k = 0; k < index_stretch * sizeof(*at); k += 64)
    __builtin_prefetch(reinterpret_cast<const void*>(later + k));
  const std::span indices(at + good_, std::size_t(end - good_));
  if (!are_inside(indices, size_)) check_range(operation_, index_, size_, &x_);
  good_ = end;
}

}  // namespace detail

template <Real T>
Tensor<T> index_select(const Operand<T>& x, int axis, const Array<std::int64_t>& indices) {
  axis = resolve_axis("index_select", axis, detail::Access::shape(x, "index_select"));
  return detail::apply<op::IndexSelect, T>({axis}, x, indices);
}
EBB_FOR_REALS(index_select)

template <Real T>
Tensor<T> gather(const Operand<T>& x, int axis, const Array<std::int64_t>& index) {
  axis = detail::axis_of("gather", axis, detail::Access::shape(x, "gather"));
  return detail::apply<op::Gather, T>({axis}, x, index);
}
EBB_FOR_REALS(gather)

template <Real T>
Tensor<T> scatter_add(const Operand<T>& x, int axis, const Array<std::int64_t>& index,
                      const Operand<T>& source) {
  axis = detail::axis_of("scatter_add", axis, detail::Access::shape(x, "scatter_add"));
  return detail::apply<op::ScatterAdd, T>({axis}, x, source, index);
}
EBB_FOR_REALS(scatter_add)

template <Real T>
Tensor<T> masked_select(const Operand<T>& x, const Array<bool>& mask) {
  const Shape& shape = detail::Access::shape(x, "masked_select");
  if (mask.empty()) detail::throw_empty_operand("masked_select");
  if (!(shape == mask.shape())) {
    detail::throw_shapes("masked_select", "the mask must have the shape of x", shape, mask.shape());
  }
  // Each position is written, and kept if the mask is true: branches on masks are hard to predict.
  auto chosen = Array<std::int64_t>::uninitialized({mask.size()});
  std::int64_t* positions = chosen.mutate();
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < mask.size(); ++i) {
    positions[count] = i;
    count += mask[i] ? 1 : 0;
  }
  return gather_rows(reshape(x, {shape.size()}), chosen.leading(0, count));
}
EBB_FOR_REALS(masked_select)

template <Real T>
Array<T> one_hot(const Array<std::int64_t>& indices, std::int64_t classes) {
  if (classes < 1) {
    throw ArgumentError("one_hot: " + std::to_string(classes) + " classes; there is at least one");
  }
  if (indices.empty()) detail::throw_empty_operand("one_hot");
  detail::check_range("one_hot", detail::Access::block(indices), classes);
  std::vector<std::int64_t> sizes(indices.shape().sizes().begin(), indices.shape().sizes().end());
  sizes.push_back(classes);
  auto rows = Array<T>::zeros(detail::shape_for("one_hot", sizes));
  T* to = rows.mutate();
  for (std::int64_t i = 0; i < indices.size(); ++i) to[i * classes + indices[i]] = 1;
  return rows;
}
EBB_FOR_REALS(one_hot)

}  // namespace ebb::inline v0
