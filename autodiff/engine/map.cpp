// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/engine/map.hpp"

#include "ebb/autodiff/engine/higher_order.hpp"
#include "ebb/autodiff/kernels/broadcast.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
namespace {

/// Sets operand k of a layout, which refers to the argument.
template <class T, int N>
EBB_INLINE void set(Layout<T, N>& in, int k, const Argument& x) {
  in.set(k, x.is_number() ? nullptr : x.block, &x.value<T>());
}

/// Computes the value of an operation. In a sweep whose operands are all uniform, the result is
/// uniform, too.
template <class T, int N>
EBB_INLINE BlockHandle evaluate(const Map<T> kernel, const Shape& shape, const Argument (&x)[N],
                                const void* formula) {
  Layout<T, N> in(shape);
  bool uniform = false;
  EBB_UNROLL
  for (int k = 0; k < N; ++k) {
    set(in, k, x[k]);
    uniform |= !x[k].is_number() && x[k].block->is_uniform();
  }
  for (int k = 0; uniform && k < N; ++k) uniform = x[k].is_number() || x[k].block->is_single();
  BlockHandle y(uniform ? allocate_uniform(shape, sizeof(T)) : allocate(shape, sizeof(T)));
  const auto run = [&](T* out, const In<T>* operands, Grid grid)
                       EBB_LAMBDA { kernel(out, operands, grid, formula, false); };
  T* out = reinterpret_cast<T*>(y->payload());
  if (uniform) {
    in.run_uniform(out, run);
  } else {
    in.run(out, run);
  }
  return y;
}

/// Starts a record with the state of a formula.
Record& start_record(Records& tape, const Op& op, const Shape& shape, std::uint32_t like,
                     const FormulaState& formula) {
  Record& record = tape.next(op, shape, like);
  record.attributes.bits = formula.bits;
  if (op.attribute_block) record.attributes.block = retain(formula.block.get());
  return record;
}

}  // namespace

template <class T>
Tensor<T> unary(const MapOp<T>& op, const Operand<T>& operand, const FormulaState& formula) {
  OperandReader inputs;
  const Argument x[] = {inputs.read(op.name, operand)};
  if (x[0].is_number()) throw_empty_operand();
  BlockHandle y = evaluate(kernels<T>().unary_value[op.index], x[0].block->shape, x, formula.data);
  if (!inputs.recorded) return inputs.unrecorded<T>(op.name, y.take());
  Records& tape = *inputs.tape;
  Record& record = start_record(tape, op, y->shape, x[0].id, formula);
  record.inputs[0] = x[0].id;
  if (op.reads[0] & 1U) record.kept[0] = retain(x[0].block);
  if (op.reads[0] & 2U) record.kept[3] = retain(y.get());
  const Place place = tape.publish(y.get());
  return Access::tensor<T>(y.take(), place);
}
EBB_FOR_REALS(unary)

template <class T>
Tensor<T> binary(const MapOp<T>& op, const Operand<T>& a, const Operand<T>& b) {
  OperandReader inputs;
  const Argument x[] = {inputs.read(op.name, a), inputs.read(op.name, b)};
  // For a number, or a second operand of the same shape, the shape is that of the first.
  const bool arrays = !x[0].is_number() && !x[1].is_number();
  const bool same = !arrays || x[0].block->shape == x[1].block->shape;
  const Shape stretched = same ? Shape() : broadcast(op.name, x[0].block->shape, x[1].block->shape);
  const Shape& shape = same ? x[x[0].is_number() ? 1 : 0].block->shape : stretched;
  BlockHandle y = evaluate(kernels<T>().binary_value[op.index], shape, x, nullptr);
  if (!inputs.recorded) return inputs.unrecorded<T>(op.name, y.take());
  Records& tape = *inputs.tape;
  Record& record = tape.next(op, shape, x[0].is_recorded() ? x[0].id : x[1].id);
  const unsigned reads =
      (x[0].is_recorded() ? op.reads[0] : 0U) | (x[1].is_recorded() ? op.reads[1] : 0U);
  record.inputs[0] = x[0].id;
  record.inputs[1] = x[1].id;
  if (reads & 1U) record.keep_input(0, x[0].keep());
  if ((reads & 2U) && !(arrays && x[0].block == x[1].block && record.kept[0]))
    record.keep_input(1, x[1].keep());
  if (reads & 4U) record.kept[3] = retain(y.get());
  const Place place = tape.publish(y.get());
  return Access::tensor<T>(y.take(), place);
}
EBB_FOR_REALS(binary)

namespace {

/// The gradient of one input as a recorded operation. Its inputs are g and the values that the
/// slope reads.
template <class T>
Tensor<T> pull_node(const PullOp<T>& op, const FormulaState& formula, const Shape& shape,
                    const Argument (&x)[4]) {
  Layout<T, 4> in(shape);
  set(in, 0, x[0]);
  for (int k = 1; k < 4; ++k) {
    if (op.reads << 1 >> k & 1U) set(in, k, x[k]);
  }
  BlockHandle out(allocate(shape, sizeof(T)));
  in.run(out->data<T>(),
         [&](T* o, const In<T>* i, Grid grid) { kernel_of(op)(o, i, grid, formula.data, false); });
  Argument arguments[3] = {x[0]};
  std::size_t count = 1;
  for (int k = 1; k < 4; ++k) {
    if (op.reads << 1 >> k & 1U) arguments[count++] = x[k];
  }
  Record& record = start_record(*current_records(), op, shape, x[0].id, formula);
  return publish_pull<T>(record, std::span(arguments, count), std::move(out));
}

}  // namespace

namespace {

/// Calls f(arguments, the pull in operations on tensors).
template <class T, class F>
void with_pull(const Record& record, const F& f) {
  const auto& op = static_cast<const PullOp<T>&>(*record.op);
  const FormulaState formula(record);
  const Argument arguments[] = {record.input(0), record.input(1), record.input(2)};
  const auto count = 1 + std::size_t(__builtin_popcount(op.reads));
  f(std::span(arguments, count),
    [&](std::span<const Tensor<T>> x) { return op.on_tensors(formula.data, x); });
}

}  // namespace

template <class T>
void vjp_pull(VjpContext context) {
  with_pull<T>(context.record(), [&](std::span<const Argument> arguments, const auto& f) {
    differentiate_pull<T>(context, arguments, f);
  });
}
EBB_FOR_REALS(vjp_pull)

template <class T>
bool directions_of_pull_node(DirectionsContext context) {
  if (context.shape().rank() == Shape::max_rank) return false;
  with_pull<T>(context.record(), [&](std::span<const Argument> arguments, const auto& f) {
    directions_of_pull<T>(context, arguments, f);
  });
  return true;
}
EBB_FOR_REALS(directions_of_pull_node)

namespace {

/// The parts of the gradient in a recorded sweep: one operation each.
template <int arity, class T>
void give_recorded(VjpContext context, const MapOp<T>& op) {
  const Record& record = context.record();
  const FormulaState formula(record);
  const Tensor<T> g = context.gradient<T>();
  Argument x[4] = {{context.gradient_block(), Access::place(g).record}, {}, {}, {}};
  for (int k = 0; k < arity; ++k) {
    x[k + 1] = record.input(k);
    if (!x[k + 1].is_number()) x[k + 1].block = kept_block(record, k);
  }
  x[arity + 1] = {record.kept[3], context.id()};
  for (int k = 0; k < arity; ++k) {
    const std::uint32_t input = record.inputs[k];
    if (!context.needs(input)) continue;
    if (op.literal[k] == 1) {
      context.give(input, Tensor<T>(g));
    } else if (op.literal[k] == -1) {
      context.give(input, -g);
    } else if (op.literal[k] != 0) {
      context.give(input, pull_node<T>(*op.pull[k], formula, Shape(context.shape()), x));
    }
  }
}

/// The part of one input, computed by its kernel: into the existing gradient, in place of an array
/// that is not read any more, or into a new one.
template <class T, int N>
EBB_INLINE void give_pulled(VjpContext context, const PullOp<T>& op, std::uint32_t input,
                            const Layout<T, N>& in, bool last) {
  const Shape& shape = context.shape();
  const auto fill = [&](Block* out, bool accumulate) {
    const Map<T> kernel = kernel_of(op);
    const void* formula = formula_in(context.record());
    in.run(out->data<T>(),
           [&](T* o, const In<T>* i, Grid grid) { kernel(o, i, grid, formula, accumulate); });
  };
  Block* into = context.accumulator(input);
  if (into && into->shape == shape) return fill(into, true);
  Block* reused = nullptr;
  if (last && in.flat()) {
    reused = context.reuse_gradient();
    if (!reused) reused = context.reuse_kept(3);
  }
  BlockHandle part(reused ? reused : allocate(shape, sizeof(T)));
  fill(part.get(), false);
  context.give(input, Access::tensor<T>(part.take()));
}

/// Both parts of a binary operation in one pass, if neither has an earlier part to be added to;
/// their sum, if both are for the same input.
template <class T>
void give_both(VjpContext context, const MapOp<T>& op, const Layout<T, 4>& in) {
  const Record& record = context.record();
  const Shape& shape = context.shape();
  const bool to_one = record.inputs[0] == record.inputs[1];
  BlockHandle da(in.flat() ? context.reuse_gradient() : nullptr);
  if (!da) da = BlockHandle(allocate(shape, sizeof(T)));
  BlockHandle db(to_one ? nullptr : allocate(shape, sizeof(T)));
  T *const to_a = da->data<T>(), *const to_b = to_one ? nullptr : db->data<T>();
  in.run(to_a, [&](T* a, const In<T>* i, Grid grid) {
    kernels<T>().binary_both[op.index](a, to_b ? to_b + (a - to_a) : nullptr, i, grid, nullptr);
  });
  context.give(record.inputs[0], Access::tensor<T>(da.take()));
  if (!to_one) context.give(record.inputs[1], Access::tensor<T>(db.take()));
}

}  // namespace

template <class T, int arity>
void vjp_map(VjpContext context) {
  const Record& record = context.record();
  const auto& op = static_cast<const MapOp<T>&>(*record.op);
  if (context.is_recorded()) [[unlikely]]
    return give_recorded<arity>(context, op);
  bool needs[arity], pulls[arity];
  unsigned reads = 0;
  EBB_UNROLL
  for (int k = 0; k < arity; ++k) {
    needs[k] = op.literal[k] != 0 && context.needs(record.inputs[k]);
    pulls[k] = needs[k] && op.literal[k] == op::not_literal;
    if (pulls[k]) reads |= op.reads[k];
  }
  Layout<T, arity + 2> in(context.shape());
  in.set(0, context.gradient_block(), nullptr);
  T numbers[arity];
  EBB_UNROLL
  for (int k = 0; k < arity; ++k) {
    if (!(reads >> k & 1U)) continue;
    if (record.inputs[k] == Argument::number) {
      numbers[k] = record.number<T>(k);
      in.set(k + 1, nullptr, &numbers[k]);
    } else {
      in.set(k + 1, kept_block(record, k), nullptr);
    }
  }
  if (reads >> arity & 1U) in.set(arity + 1, record.kept[3], nullptr);
  if constexpr (arity == 2) {
    if (pulls[0] && pulls[1] && !context.accumulator(record.inputs[0]) &&
        !context.accumulator(record.inputs[1])) {
      return give_both(context, op, in);
    }
  }
  EBB_UNROLL
  for (int k = 0; k < arity; ++k) {
    if (!needs[k]) continue;
    const bool last = k + 1 == arity || !needs[arity - 1];
    if (pulls[k]) {
      give_pulled(context, *op.pull[k], record.inputs[k], in, last);
    } else {
      Tensor<T> g = context.gradient<T>(last);
      context.give(record.inputs[k], op.literal[k] == 1 ? std::move(g) : -g);
    }
  }
}

template void vjp_map<float, 1>(VjpContext);
template void vjp_map<double, 1>(VjpContext);
template void vjp_map<float, 2>(VjpContext);
template void vjp_map<double, 2>(VjpContext);

}  // namespace ebb::inline v0::detail
