// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/joins.hpp"

#include <algorithm>

#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/ops/shapes.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

/// Gives each part its slice of the gradient.
template <class T>
void vjp_concat(VjpContext context) {
  const Record& record = context.record();
  const auto axis = int(record.attributes.bits);
  const Tensor<T> g = context.gradient<T>();
  // Constant parts have no shape on the tape, so that an empty block keeps their shape.
  std::int64_t begin = 0;
  for (const Argument& part : many_inputs_of(record)) {
    const std::int64_t size = part.block->shape[axis];
    if (context.needs(part.id)) context.give(part.id, slice(g, axis, {begin, begin + size}));
    begin += size;
  }
}

template <class T>
bool directions_of_concat(DirectionsContext context) {
  const Record& record = context.record();
  const auto axis = int(record.attributes.bits);
  const AxisView v(context.shape(), axis);
  const std::int64_t lines = context.count() * v.outer;
  const T* from = context.gradients()->template data<T>();
  for (const Argument& part : many_inputs_of(record)) {
    const Shape& shape = part.block->shape;
    const std::int64_t width = shape[axis] * v.inner;
    if (context.needs(part.id)) {
      BlockHandle parts(allocate({context.count(), shape.size()}, sizeof(T)));
      T* to = parts->data<T>();
      for (std::int64_t i = 0; i < lines; ++i) {
        const T* const line = from + i * v.size * v.inner;
        for (std::int64_t j = 0; j < width; ++j) *to++ = line[j];
      }
      context.give<T>(part.id, std::move(parts), shape);
    }
    from += width;
  }
  return true;
}

template <class T>
constexpr Op concat_op{.name = op::Concat::name,
                       .vjp = &vjp_concat<T>,
                       .many_inputs = true,
                       .is_double = sizeof(T) == 8,
                       .directions = &directions_of_concat<T>};

template <class T>
Tensor<T> concat_all(const std::vector<Tensor<T>>& parts, int axis) {
  if (parts.empty()) throw ArgumentError("concat: no tensors to join");
  OperandReader inputs;
  std::vector<Tensor<T>> whole;
  std::vector<Argument> in;
  for (const auto& part : parts) {
    whole.push_back(dense(part, "concat"));
    in.push_back(read_array(inputs, "concat", whole.back()));
  }
  const Shape& first = in[0].block->shape;
  axis = resolve_axis("concat", axis, first);
  std::int64_t total = 0;
  for (const auto& part : in) {
    const Shape& s = part.block->shape;
    if (s.rank() != first.rank() || !(s.with(axis, 0) == first.with(axis, 0))) {
      throw_shapes("concat", "all sizes except along the axis must agree", first, s);
    }
    total += s[axis];
  }
  BlockHandle y(allocate(first.with(axis, total), sizeof(T)));
  const AxisView view(y->shape, axis);
  std::int64_t begin = 0;
  for (const auto& part : in) {
    const std::int64_t width = part.block->shape[axis] * view.inner;
    const T* from = part.block->template data<T>();
    T* const to = y->data<T>() + begin;
    if (width == 1) {  // without a call for each element
      for (std::int64_t o = 0; o < view.outer; ++o) to[o * total * view.inner] = from[o];
    } else {
      for (std::int64_t o = 0; o < view.outer; ++o) {
        std::copy_n(from + o * width, width, to + o * total * view.inner);
      }
    }
    begin += width;
  }
  if (!inputs.recorded) return inputs.unrecorded<T>(op::Concat::name, y.take());
  Records& tape = *inputs.tape;
  std::vector<BlockHandle> shapes;
  for (const auto& part : in) {
    shapes.push_back(BlockHandle(allocate_uniform(part.block->shape, sizeof(T))));
  }
  Record& record = tape.next_wide(concat_op<T>, y->shape, parts.size());
  record.attributes.bits = std::uint64_t(axis);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    many_inputs_of(record)[i] = {shapes[i].take(), in[i].id};
  }
  const Place place = tape.publish(y.get());
  return Access::tensor<T>(y.take(), place);
}

template <class To, class From>
void vjp_cast(VjpContext context) {
  const std::uint32_t input = context.record().inputs[0];
  if (context.needs(input)) context.give(input, cast<From>(context.gradient<To>()));
}

template <class To, class From>
constexpr Op cast_op{.name = op::Cast::name,
                     .vjp = &vjp_cast<To, From>,
                     .is_double = sizeof(To) == 8,
                     .elementwise = true};

}  // namespace
}  // namespace detail

Tensor<float> concat(const std::vector<Tensor<float>>& parts, int axis) {
  return detail::concat_all(parts, axis);
}
Tensor<double> concat(const std::vector<Tensor<double>>& parts, int axis) {
  return detail::concat_all(parts, axis);
}

template <Real To, Real T>
Tensor<To> cast(const Operand<T>& x) {
  using namespace detail;
  OperandReader inputs;
  const Tensor<T> whole = dense(x, op::Cast::name);
  const Argument in[] = {read_array(inputs, op::Cast::name, whole)};
  const Shape& shape = in[0].block->shape;
  BlockHandle y(allocate(shape, sizeof(To)));
  const T* from = in[0].block->template data<T>();
  std::transform(from, from + shape.size(), y->data<To>(), [](T v) { return To(v); });
  if (!inputs.recorded) return inputs.unrecorded<To>(op::Cast::name, y.take());
  const Place place = record_structured(cast_op<To, T>, 0, *inputs.tape, in, y.get(), nullptr, 0);
  return Access::tensor<To>(y.take(), place);
}

template EBB_API Tensor<float> cast<float>(const Operand<float>&);
template EBB_API Tensor<float> cast<float>(const Operand<double>&);
template EBB_API Tensor<double> cast<double>(const Operand<float>&);
template EBB_API Tensor<double> cast<double>(const Operand<double>&);

}  // namespace ebb::inline v0
