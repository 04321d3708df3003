// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/slices.hpp"

#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {

op::SliceOptions op::slice_options(const Shape& shape, int axis, SliceRange range) {
  axis = resolve_axis("slice", axis, shape);
  const std::int64_t size = shape[axis];
  if (range.step < 1) {
    throw ArgumentError("slice: a step of " + std::to_string(range.step) +
                        "; steps are at least 1");
  }
  const std::int64_t begin = range.begin < 0 ? range.begin + size : range.begin;
  const std::int64_t end = range.end == INT64_MAX ? size
                           : range.end < 0        ? range.end + size
                                                  : range.end;
  if (begin < 0 || begin > size || end < begin || end > size) {
    throw ArgumentError("slice: [" + std::to_string(range.begin) + ", " +
                        std::to_string(range.end == INT64_MAX ? size : range.end) + ") of axis " +
                        std::to_string(axis) + " with size " + std::to_string(size) + "; x is " +
                        to_string(shape));
  }
  const std::int64_t count = (end - begin + range.step - 1) / range.step;
  return {axis, begin, count, range.step, size};
}

template <Real T>
Tensor<T> slice(const Operand<T>& x, int axis, SliceRange range) {
  const Shape& shape = detail::Access::shape(x, "slice");
  return detail::apply<op::Slice, T>(op::slice_options(shape, axis, range), x);
}
EBB_FOR_REALS(slice)

template <Real T>
Tensor<T> detail::element(const Operand<T>& x, std::int64_t index) {
  const Shape& shape = Access::shape(x, "operator[]");
  const std::int64_t size = shape[resolve_axis("operator[]", 0, shape)];
  const std::int64_t begin = index < 0 ? index + size : index;
  if (begin < 0 || begin >= size) {
    throw ArgumentError("operator[]: index " + std::to_string(index) + " of an axis of size " +
                        std::to_string(size) + "; x is " + to_string(shape));
  }
  return apply<op::Slice, T>({0, begin, 1, 1, size, true}, x);
}

template <Real T>
Tensor<T> detail::rows(const Operand<T>& x, SliceRange range) {
  return slice(x, 0, range);
}
namespace detail {
EBB_FOR_REALS(element)
EBB_FOR_REALS(rows)
}  // namespace detail

}  // namespace ebb::inline v0
