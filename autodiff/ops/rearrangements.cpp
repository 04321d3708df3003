// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/rearrangements.hpp"

#include "ebb/autodiff/ops/slices.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0 {
namespace detail {

Block* flip(Block* x, unsigned axes, std::size_t element_size) {
  std::int64_t strides[Shape::max_rank], offset = 0, stride = 1;
  for (int i = x->shape.rank() - 1; i >= 0; --i) {
    const bool flips = axes >> i & 1U;
    strides[i] = flips ? -stride : stride;
    if (flips) offset += (x->shape[i] - 1) * stride;
    stride *= x->shape[i];
  }
  return copy_strided(x, x->shape, x->shape.size() > 0 ? offset : 0, strides, element_size);
}

namespace {

void check_count(std::string_view operation, std::int64_t count) {
  if (count >= 0) return;
  throw ArgumentError(std::string(operation) + ": a count of " + std::to_string(count) +
                      "; counts are at least 0");
}

/// One axis repeated `count` times: each element in turn with `interleave`, otherwise the whole
/// axis.
template <class T>
Tensor<T> repeat_axis(std::string_view operation, const Operand<T>& x, int axis, std::int64_t count,
                      bool interleave) {
  const Shape shape = Access::shape(x, operation);
  const AxisView v(shape, axis);
  const std::int64_t outer = interleave ? v.outer * v.size : v.outer;
  const std::int64_t inner = interleave ? v.inner : v.size * v.inner;
  std::vector<std::int64_t> sizes(shape.sizes().begin(), shape.sizes().end());
  if (__builtin_mul_overflow(v.size, count, &sizes[std::size_t(axis)])) {
    throw ShapeError(std::string(operation) + ": " + std::to_string(count) + " times axis " +
                     std::to_string(axis) + " of " + to_string(shape) +
                     " is more than an array can hold");
  }
  const Shape result = shape_for(operation, sizes);
  const auto stretched = broadcast_to(reshape(x, {outer, 1, inner}), {outer, count, inner});
  return reshape(stretched, result);
}

/// Adds axes of size 1 in front, if there are more counts than axes: counts belong to the last
/// axes.
template <class T>
Tensor<T> tile_axes(std::string_view operation, const Operand<T>& x,
                    const std::vector<std::int64_t>& counts) {
  const Shape& shape = Access::shape(x, operation);
  std::vector<std::int64_t> sizes(shape.sizes().begin(), shape.sizes().end());
  if (counts.size() > sizes.size()) sizes.insert(sizes.begin(), counts.size() - sizes.size(), 1);
  const std::size_t first = sizes.size() - counts.size();
  for (const std::int64_t count : counts) check_count(operation, count);
  Tensor<T> y = reshape(x, shape_for(operation, sizes));
  // The first axis is repeated first, while the later ones are still short.
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 1) y = repeat_axis<T>(operation, y, int(first + i), counts[i], false);
  }
  return y;
}

/// The shape with an additional axis of size 1, which is axis `axis` of the result. Makes `axis`
/// positive.
Shape with_new_axis(const char* operation, const Shape& shape, int& axis) {
  const int rank = shape.rank();
  if (axis < -rank - 1 || axis > rank) {
    throw ArgumentError(std::string(operation) + ": axis " + std::to_string(axis) +
                        " of a result with " + std::to_string(rank + 1) + " axes; x is " +
                        to_string(shape));
  }
  if (axis < 0) axis += rank + 1;
  std::vector<std::int64_t> sizes(shape.sizes().begin(), shape.sizes().end());
  sizes.insert(sizes.begin() + axis, 1);
  return shape_for(operation, sizes);
}

template <class T>
Tensor<T> stack_all(const std::vector<Tensor<T>>& parts, int axis) {
  if (parts.empty()) throw ArgumentError("stack: no tensors to join");
  std::vector<Tensor<T>> whole;
  for (const auto& part : parts) {
    if (part.empty()) throw_empty_operand("stack");
    if (!(part.shape() == parts[0].shape())) {
      throw_shapes("stack", "the shapes must be equal", parts[0].shape(), part.shape());
    }
  }
  const Shape with_axis = with_new_axis("stack", parts[0].shape(), axis);
  for (const auto& part : parts) whole.push_back(reshape(part, with_axis));
  return concat(whole, axis);
}

}  // namespace
}  // namespace detail

Tensor<float> stack(const std::vector<Tensor<float>>& parts, int axis) {
  return detail::stack_all(parts, axis);
}
Tensor<double> stack(const std::vector<Tensor<double>>& parts, int axis) {
  return detail::stack_all(parts, axis);
}

template <Real T>
std::vector<Tensor<T>> split(const Operand<T>& x, const std::vector<std::int64_t>& sizes,
                             int axis) {
  const Shape& shape = detail::Access::shape(x, "split");
  axis = resolve_axis("split", axis, shape);
  std::int64_t total = 0;
  for (const std::int64_t size : sizes) {
    if (size < 0) {
      throw ArgumentError("split: a size of " + std::to_string(size) + "; sizes are at least 0");
    }
    total += size;
  }
  if (total != shape[axis]) {
    throw ArgumentError("split: the sizes add up to " + std::to_string(total) + ", not to " +
                        std::to_string(shape[axis]) + ", the size of axis " + std::to_string(axis) +
                        " of " + to_string(shape));
  }
  std::vector<Tensor<T>> parts;
  std::int64_t begin = 0;
  for (const std::int64_t size : sizes) {
    parts.push_back(slice(x, axis, {begin, begin + size}));
    begin += size;
  }
  return parts;
}
EBB_OVERLOAD_FOR_REALS(split, std::vector<Tensor<T>>(const Operand<T>&,
                                                     const std::vector<std::int64_t>&, int))

template <Real T>
std::vector<Tensor<T>> unbind(const Operand<T>& x, int axis) {
  const Shape& shape = detail::Access::shape(x, "unbind");
  axis = resolve_axis("unbind", axis, shape);
  const std::int64_t size = shape[axis];
  std::vector<Tensor<T>> parts;
  parts.reserve(std::size_t(size));
  for (std::int64_t i = 0; i < size; ++i)
    parts.push_back(detail::apply<op::Slice, T>({axis, i, 1, 1, size, true}, x));
  return parts;
}
EBB_FOR_REALS(unbind)

template <Real T>
std::vector<Tensor<T>> split(const Operand<T>& x, std::int64_t size, int axis) {
  const Shape& shape = detail::Access::shape(x, "split");
  axis = resolve_axis("split", axis, shape);
  if (size < 1) {
    throw ArgumentError("split: a size of " + std::to_string(size) + "; parts have at least 1");
  }
  std::vector<std::int64_t> sizes(std::size_t(shape[axis] / size), size);
  // An empty axis is one part, as in PyTorch.
  if (shape[axis] % size > 0 || sizes.empty()) sizes.push_back(shape[axis] % size);
  return split(x, sizes, axis);
}
EBB_OVERLOAD_FOR_REALS(split, std::vector<Tensor<T>>(const Operand<T>&, std::int64_t, int))

template <Real T>
Tensor<T> squeeze(const Operand<T>& x, const Axes& axes) {
  const Shape& shape = detail::Access::shape(x, "squeeze");
  const unsigned mask = axes.mask("squeeze", shape);
  std::vector<std::int64_t> sizes;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] != 1 || !(mask >> i & 1U)) sizes.push_back(shape[i]);
  }
  return reshape(x, Shape(sizes));
}
EBB_OVERLOAD_FOR_REALS(squeeze, Tensor<T>(const Operand<T>&, const Axes&))

template <Real T>
Tensor<T> squeeze(const Operand<T>& x) {
  std::vector<int> all;
  for (int i = 0; i < detail::Access::shape(x, "squeeze").rank(); ++i) all.push_back(i);
  return squeeze(x, Axes(all));
}
EBB_OVERLOAD_FOR_REALS(squeeze, Tensor<T>(const Operand<T>&))

template <Real T>
Tensor<T> unsqueeze(const Operand<T>& x, int axis) {
  const Shape& shape = detail::Access::shape(x, "unsqueeze");
  return reshape(x, detail::with_new_axis("unsqueeze", shape, axis));
}
EBB_FOR_REALS(unsqueeze)

template <Real T>
Tensor<T> flip(const Operand<T>& x, const Axes& axes) {
  return detail::apply<op::Flip, T>({axes.mask("flip", detail::Access::shape(x, "flip"))}, x);
}
EBB_FOR_REALS(flip)

template <Real T>
Tensor<T> roll(const Operand<T>& x, std::int64_t shift, int axis) {
  const Shape& shape = detail::Access::shape(x, "roll");
  axis = resolve_axis("roll", axis, shape);
  const std::int64_t size = shape[axis];
  return detail::apply<op::Roll, T>({axis, size > 0 ? (shift % size + size) % size : 0}, x);
}
EBB_FOR_REALS(roll)

template <Real T>
Tensor<T> pad(const Operand<T>& x, const std::vector<PadWidth>& widths, double value) {
  const Shape& shape = detail::Access::shape(x, "pad");
  if (int(widths.size()) != shape.rank()) {
    throw ArgumentError("pad: " + std::to_string(widths.size()) + " widths for the shape " +
                        to_string(shape));
  }
  op::PadOptions options{.value = value};
  for (std::size_t i = 0; i < widths.size(); ++i) {
    // No array has a size of this limit, and sums of such widths do not overflow.
    constexpr std::int64_t limit = std::int64_t(1) << 48;
    const auto [before, after] = widths[i];
    if (std::min(before, after) < 0 || std::max(before, after) > limit) {
      throw ArgumentError("pad: widths (" + std::to_string(before) + ", " + std::to_string(after) +
                          ") of axis " + std::to_string(i) + "; widths are in [0, 2^48]");
    }
    options.before[i] = before;
    options.after[i] = after;
  }
  return detail::apply<op::Pad, T>(options, x);
}
EBB_FOR_REALS(pad)

template <Real T>
Tensor<T> tile(const Operand<T>& x, const std::vector<std::int64_t>& counts) {
  return detail::tile_axes("tile", x, counts);
}
EBB_FOR_REALS(tile)

template <Real T>
Tensor<T> repeat(const Operand<T>& x, const std::vector<std::int64_t>& counts) {
  const Shape& shape = detail::Access::shape(x, "repeat");
  if (int(counts.size()) < shape.rank()) {
    throw ArgumentError("repeat: " + std::to_string(counts.size()) + " counts for the shape " +
                        to_string(shape) + "; tile takes fewer");
  }
  return detail::tile_axes("repeat", x, counts);
}
EBB_FOR_REALS(repeat)

template <Real T>
Tensor<T> repeat_interleave(const Operand<T>& x, std::int64_t count, int axis) {
  axis = resolve_axis("repeat_interleave", axis, detail::Access::shape(x, "repeat_interleave"));
  detail::check_count("repeat_interleave", count);
  return detail::repeat_axis("repeat_interleave", x, axis, count, true);
}
EBB_FOR_REALS(repeat_interleave)

}  // namespace ebb::inline v0
