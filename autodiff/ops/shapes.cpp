// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/shapes.hpp"

#include <numeric>

#include "ebb/autodiff/kernels/broadcast.hpp"
#include "ebb/autodiff/kernels/row_copy.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

template <class Element>
void copy_elements(Element* to, const Element* from, const Shape& shape,
                   const std::int64_t* strides) {
  // The two innermost axes of the result are copied in square tiles, so that both sides stay in the
  // cache.
  constexpr std::int64_t tile = 16;
  const int rank = shape.rank();
  const std::int64_t cols = rank > 0 ? shape[rank - 1] : 1, rows = rank > 1 ? shape[rank - 2] : 1;
  const std::int64_t col = rank > 0 ? strides[rank - 1] : 0, row = rank > 1 ? strides[rank - 2] : 0;
  if (shape.size() == 0) return;
  std::int64_t index[Shape::max_rank] = {};
  for (;; to += rows * cols) {
    const Element* start = from;
    for (int i = 0; i + 2 < rank; ++i) start += index[i] * strides[i];
    for (std::int64_t r0 = 0; r0 < rows; r0 += tile) {
      for (std::int64_t c0 = 0; c0 < cols; c0 += tile) {
        for (std::int64_t r = r0; r < std::min(rows, r0 + tile); ++r) {
          for (std::int64_t c = c0; c < std::min(cols, c0 + tile); ++c) {
            to[r * cols + c] = start[r * row + c * col];
          }
        }
      }
    }
    int i = rank - 3;
    for (; i >= 0 && ++index[i] == shape[i]; --i) index[i] = 0;
    if (i < 0) return;
  }
}

}  // namespace

Block* copy_strided(Block* x, const Shape& shape, std::int64_t offset, const std::int64_t* strides,
                    std::size_t element_size) {
  BlockHandle y(allocate(shape, element_size));
  if (element_size == sizeof(float)) {
    copy_elements(y->data<std::uint32_t>(), x->data<std::uint32_t>() + offset, shape, strides);
  } else {
    copy_elements(y->data<std::uint64_t>(), x->data<std::uint64_t>() + offset, shape, strides);
  }
  return y.take();
}

Block* permute(Block* x, const int* order, std::size_t element_size) {
  const Shape& from = x->shape;
  std::int64_t sizes[Shape::max_rank] = {}, strides[Shape::max_rank] = {}, stride[Shape::max_rank];
  std::int64_t s = 1;
  for (int i = from.rank() - 1; i >= 0; --i) {
    stride[i] = s;
    s *= from[i];
  }
  for (int i = 0; i < from.rank(); ++i) {
    sizes[i] = from[order[i]];
    strides[i] = stride[order[i]];
  }
  const Shape shape(std::span<const std::int64_t>(sizes, std::size_t(from.rank())));
  return copy_strided(x, shape, 0, strides, element_size);
}

AxisView::AxisView(const Shape& shape, int axis) : size(shape.rank() > 0 ? shape[axis] : 1) {
  for (int i = 0; i < axis; ++i) outer *= shape[i];
  for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
}

Shape shape_with(std::string_view operation, const Shape& x, int axis, std::int64_t size) {
  std::int64_t sizes[Shape::max_rank];
  std::copy_n(x.sizes().begin(), x.rank(), sizes);
  sizes[axis] = size;
  return shape_for(operation, {sizes, std::size_t(x.rank())});
}

Shape behind_first(const Shape& x, int rank) {
  std::int64_t sizes[Shape::max_rank] = {x[0]};
  const int added = rank - x.rank();
  std::fill_n(sizes + 1, added, 1);
  std::copy(x.sizes().begin() + 1, x.sizes().end(), sizes + 1 + added);
  return Shape(std::span<const std::int64_t>(sizes, std::size_t(rank)));
}

int axis_of(const char* operation, int axis, const Shape& shape) {
  if (shape.rank() == 0 && (axis == 0 || axis == -1)) return 0;
  return resolve_axis(operation, axis, shape);
}

void check_range(std::string_view operation, Block* indices, std::int64_t size, const Shape* x) {
  const auto* index = indices->data<std::int64_t>();
  if (are_inside({index, std::size_t(indices->shape.size())}, size)) return;
  for (std::int64_t i = 0; i < indices->shape.size(); ++i) {
    if (index[i] >= 0 && index[i] < size) continue;
    throw ArgumentError(std::string(operation) + ": index " + std::to_string(index[i]) +
                        " at position " + std::to_string(i) + " is not in [0, " +
                        std::to_string(size) + "); the indices are " + to_string(indices->shape) +
                        (x ? " and x is " + to_string(*x) : std::string()));
  }
}

template <class T>
Block* broadcast_block(Block* x, const Shape& shape, bool uniform) {
  bool fits = x->shape.rank() <= shape.rank();
  for (int i = 1; fits && i <= x->shape.rank(); ++i) {
    const std::int64_t size = x->shape[x->shape.rank() - i];
    fits = size == 1 || size == shape[shape.rank() - i];
  }
  if (!fits) {
    throw_shapes("broadcast_to", "the first does not broadcast to the second", x->shape, shape);
  }
  if (uniform && x->shape.size() == 1 && shape.size() > 1) {
    Block* y = allocate_uniform(shape, sizeof(T));
    *y->data<T>() = *x->data<T>();
    return y;
  }
  BlockHandle y(allocate(shape, sizeof(T)));
  const Shape* shapes[] = {&x->shape};
  for_each_offset(shape, shapes,
                  [&](std::int64_t start, const std::int64_t* offsets, const Planes& planes) {
                    T* to = y->data<T>() + start;
                    for (std::int64_t r = 0; r < planes.grid.rows; ++r, to += planes.grid.cols) {
                      const T* from = x->data<T>() + offsets[0] + r * planes.row[0];
                      if (planes.col[0]) {
                        std::copy_n(from, planes.grid.cols, to);
                      } else {
                        std::fill_n(to, planes.grid.cols, *from);
                      }
                    }
                  });
  return y.take();
}

template <class T>
EBB_HOT Block* sum_to_block(Block* x, const Shape& shape) {
  const Shape& from = x->shape;
  if (from.rank() == 2 && shape.rank() == 1 && shape[0] == from[1] && !x->is_uniform()) {
    // A row that was broadcast to a matrix, such as a bias.
    Block* y = allocate(shape, sizeof(T));
    if (from[1] == 1) {
      *y->data<T>() = T(kernels<T>().sum(x->data<T>(), from[0]));
    } else {
      kernels<T>().column_sum(y->data<T>(), x->data<T>(), from[0], from[1], 1);
    }
    return y;
  }
  const BlockHandle dense(x->is_uniform() ? densify<T>(x) : retain(x));
  x = dense.get();
  // The axes to reduce are those that `shape` lacks, or has with size 1.
  const int missing = from.rank() - shape.rank();
  bool fits = missing >= 0;
  unsigned axes = 0;
  for (int i = 0; fits && i < from.rank(); ++i) {
    const std::int64_t size = i < missing ? 1 : shape[i - missing];
    fits = size == from[i] || size == 1;
    if (i < missing || (size == 1 && from[i] != 1)) axes |= 1U << i;
  }
  if (!fits) throw_shapes("sum_to", "the second does not broadcast to the first", from, shape);
  BlockHandle y(sum_block<T>(x, axes));
  return y->shape == shape ? y.take() : allocate_view(y.get(), y->data<T>(), shape);
}

EBB_FOR_REALS(broadcast_block)
EBB_FOR_REALS(sum_to_block)

}  // namespace detail

template <Real T>
Tensor<T> reshape(const Operand<T>& x, const Shape& shape) {
  return detail::apply<op::Reshape, T>({shape}, x);
}
EBB_OVERLOAD_FOR_REALS(reshape, Tensor<T>(const Operand<T>&, const Shape&))

template <Real T>
Tensor<T> detail::reshape_to(const Operand<T>& x, std::span<const std::int64_t> sizes) {
  return reshape(x, inferred_shape("reshape", sizes, Access::shape(x, "reshape")));
}
namespace detail {
EBB_FOR_REALS(reshape_to)
}  // namespace detail

template <Real T>
Tensor<T> transpose(const Operand<T>& x) {
  const int rank = detail::Access::shape(x, "transpose").rank();
  int order[Shape::max_rank];
  for (int i = 0; i < rank; ++i) order[i] = rank - 1 - i;
  return detail::apply<op::Transpose, T>(op::Transpose::Options(order, rank), x);
}
EBB_OVERLOAD_FOR_REALS(transpose, Tensor<T>(const Operand<T>&))

namespace {

template <class T>
Tensor<T> permute_axes(const char* operation, const Operand<T>& x, std::span<const int> axes) {
  const Shape& shape = detail::Access::shape(x, operation);
  Axes(axes).mask(operation, shape);  // throws for an axis that is out of range or occurs twice
  if (int(axes.size()) != shape.rank()) {
    throw ArgumentError(std::string(operation) + ": " + std::to_string(axes.size()) +
                        " axes for the shape " + to_string(shape));
  }
  int order[Shape::max_rank], n = 0;
  for (int axis : axes) order[n++] = resolve_axis(operation, axis, shape);
  return detail::apply<op::Transpose, T>(op::Transpose::Options(order, n), x);
}

}  // namespace

template <Real T>
Tensor<T> transpose(const Operand<T>& x, std::span<const int> order) {
  return permute_axes("transpose", x, order);
}
EBB_OVERLOAD_FOR_REALS(transpose, Tensor<T>(const Operand<T>&, std::span<const int>))

template <Real T>
Tensor<T> permute(const Operand<T>& x, std::span<const int> order) {
  return permute_axes("permute", x, order);
}
EBB_OVERLOAD_FOR_REALS(permute, Tensor<T>(const Operand<T>&, std::span<const int>))

template <Real T>
Tensor<T> gather_rows(const Operand<T>& x, const Array<std::int64_t>& indices) {
  return detail::apply<op::GatherRows, T>({}, x, indices);
}
EBB_FOR_REALS(gather_rows)

template <Real T>
Tensor<T> scatter_add_rows(const Operand<T>& x, const Array<std::int64_t>& indices,
                           std::int64_t rows) {
  return detail::apply<op::ScatterAddRows, T>({rows}, x, indices);
}
EBB_FOR_REALS(scatter_add_rows)

namespace {

template <class To, class T>
To& assign_result(const char* operation, To& a, const Tensor<T>& result) {
  if (!(a.shape() == result.shape())) {
    throw ShapeError(std::string(operation) + ": shape " + to_string(a.shape()) + " would become " +
                     to_string(result.shape()) + "; write a = a " +
                     std::string(operation).substr(8, 1) + " b");
  }
  return a = To(result);
}

}  // namespace

template <Real T>
Array<T>& detail::assign(const char* operation, Array<T>& a, const Tensor<T>& result) {
  return assign_result(operation, a, result);
}
template <Real T>
Tensor<T>& detail::assign(const char* operation, Tensor<T>& a, const Tensor<T>& result) {
  return assign_result(operation, a, result);
}
template <Real T>
Tensor<T> detail::with_all_axes(const Tensor<T>& x, int rank) {
  constexpr std::int64_t ones[Shape::max_rank] = {1, 1, 1, 1, 1, 1};
  return reshape(x, Shape(std::span(ones, std::size_t(rank))));
}
namespace detail {
EBB_FOR_REALS(with_all_axes)
EBB_OVERLOAD_FOR_REALS(assign, Array<T>&(const char*, Array<T>&, const Tensor<T>&))
EBB_OVERLOAD_FOR_REALS(assign, Tensor<T>&(const char*, Tensor<T>&, const Tensor<T>&))
}  // namespace detail

template <Real T>
Tensor<T> broadcast_to(const Operand<T>& x, const Shape& shape) {
  return detail::apply<op::BroadcastTo, T>({shape, false}, x);
}
EBB_FOR_REALS(broadcast_to)

template <Real T>
Tensor<T> sum_to(const Operand<T>& x, const Shape& shape) {
  return detail::apply<op::SumTo, T>({shape}, x);
}
EBB_FOR_REALS(sum_to)

}  // namespace ebb::inline v0
