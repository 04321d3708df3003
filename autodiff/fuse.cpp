// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/fuse.hpp"

#include <algorithm>

#include "ebb/autodiff/engine/fused_run.hpp"
#include "ebb/autodiff/engine/higher_order.hpp"
#include "ebb/autodiff/engine/identity.hpp"
#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/engine/sweep.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
namespace {

// A record of one or two arguments keeps them, and behind them up to two more blocks: the gradients
// that a reduction computed, one for each argument, or the steps that the pass back reads and the
// value, if it reads that. A record of more has a `ManyInputs` in the same order, and the number of
// arguments in `inputs`, which such a record does not use otherwise. So has every record of a pull,
// with g before the arguments. The attributes are a pointer to the loops; its lowest bits, which
// are 0 in a pointer, have the kind of reduction and whether there is a second argument.

template <class T>
void vjp_fuse(VjpContext context);
template <class T>
void vjp_fuse_reduced(VjpContext context);
template <class T>
void vjp_fuse_pull(VjpContext context);
template <class T>
std::string_view formula_name(const Record& record);
template <class T, bool many_inputs>
constexpr Op fuse_op{.name = "fuse",
                     .vjp = &vjp_fuse<T>,
                     .many_inputs = many_inputs,
                     .is_double = sizeof(T) == 8,
                     .elementwise = true,
                     .name_of = &formula_name<T>};
template <class T, bool many_inputs>
constexpr Op fuse_reduced_op{.name = "fuse",
                             .vjp = &vjp_fuse_reduced<T>,
                             .many_inputs = many_inputs,
                             .is_double = sizeof(T) == 8,
                             .name_of = &formula_name<T>};
template <class T>
constexpr Op fuse_pull_op{.name = "fuse_pull",
                          .vjp = &vjp_fuse_pull<T>,
                          .many_inputs = true,
                          .is_double = sizeof(T) == 8,
                          .elementwise = true};

constexpr int narrow =
    2;  // the most arguments, and more blocks, of a record without a `ManyInputs`
constexpr std::uint64_t reduction_bits = 3, second_bit = 4;
static_assert(alignof(FusedLoops<float>) == 8);

/// The number of arguments of a record's call.
int count_of(const Record& record) {
  if (record.op->many_inputs) return int(record.inputs[0]);
  return record.attributes.bits & second_bit ? 2 : 1;
}
Argument argument_of(const Record& record, int i) {
  return record.op->many_inputs ? many_inputs_of(record)[std::size_t(i)] : record.input(i);
}

/// The loops to which a record points.
template <class T>
const FusedLoops<T>* loops_of(const Record& record) {
  return reinterpret_cast<const FusedLoops<T>*>(record.attributes.bits &
                                                ~(reduction_bits | second_bit));
}
template <class T>
std::string_view formula_name(const Record& record) {
  return loops_of<T>(record)->name;
}

/// One call. Its arguments are blocks, with the shape of the output or one value, and numbers. It
/// owns none of them.
template <class T>
class Fused {
 public:
  Fused(const FusedLoops<T>* l, FusedReduction r, std::span<const Argument> a)
      : loops(l), reduction(r), arguments(a) {}
  /// The call of a record, which must outlive it.
  explicit Fused(const Record& record) {
    loops = loops_of<T>(record);
    reduction = FusedReduction(record.attributes.bits & reduction_bits);
    const auto count = std::size_t(count_of(record));
    if (record.op->many_inputs) {
      const std::size_t first = record.op == &fuse_pull_op<T> ? 1 : 0;
      arguments = many_inputs_of(record).subspan(first, count);
    } else {
      for (std::size_t i = 0; i < count; ++i) narrow_[i] = argument_of(record, int(i));
      arguments = {narrow_, count};
    }
  }
  Fused(const Fused&) = delete;

  int count() const { return int(arguments.size()); }
  const Argument& operator[](int i) const { return arguments[std::size_t(i)]; }
  std::uint64_t attributes() const {
    return reinterpret_cast<std::uintptr_t>(loops) | std::uint64_t(reduction) |
           (count() > 1 ? second_bit : 0);
  }

  const FusedLoops<T>* loops;
  FusedReduction reduction;
  std::span<const Argument> arguments;

 private:
  Argument narrow_[narrow];
};

/// Block k behind the arguments of a record.
Block*& further_block(Record& record, int k) {
  if (!record.op->many_inputs) return record.kept[narrow + k];
  return many_inputs_of(record)[record.inputs[0] + std::uint32_t(k)].block;
}

/// Records a call with `further` blocks behind the arguments, of which block(k) gives up number k.
template <class T, class F>
EBB_HOT void add_record(Records& tape, const Shape& shape, const Fused<T>& fused, int further,
                        const F& block) {
  const int count = fused.count();
  const bool reduced = fused.reduction != FusedReduction::none;
  if (count <= narrow && further <= narrow) {
    Record& record = tape.next(reduced ? fuse_reduced_op<T, false> : fuse_op<T, false>, shape);
    record.attributes.bits = fused.attributes();
    for (int i = 0; i < count; ++i) record.keep_input(i, fused[i].keep());
    for (int k = 0; k < further; ++k) record.kept[narrow + k] = block(k);
    return;
  }
  Record& record = tape.next_wide(reduced ? fuse_reduced_op<T, true> : fuse_op<T, true>, shape,
                                  std::size_t(count + further));
  record.attributes.bits = fused.attributes();
  record.inputs[0] = std::uint32_t(count);
  const std::span<Argument> inputs = many_inputs_of(record);
  for (int i = 0; i < count; ++i) inputs[std::size_t(i)] = fused[i].keep();
  for (int k = 0; k < further; ++k) {
    inputs[std::size_t(count + k)] = {block(k), Argument::constant};
  }
}

/// The gradient that a reduction computed in its forward pass, for a gradient of 1 of the result.
template <class T>
BlockHandle scaled_gradient(VjpContext context, Block*& kept, Block* g) {
  const bool mine = !context.is_recorded() && context.consumes() && kept->is_sole();
  if (*g->data<T>() == T(1)) return BlockHandle(mine ? std::exchange(kept, nullptr) : retain(kept));
  BlockHandle to(mine ? std::exchange(kept, nullptr) : allocate(kept->shape, sizeof(T)));
  Block* from = mine ? to.get() : kept;
  const In<T> in[] = {{g->data<T>(), 0, 0}, {}, {from->data<T>(), 0, 1}, {}};
  constexpr int mul = op::index_in<op::Mul>(op::Binary{});
  kernels<T>().binary_pull[mul][0](to->template data<T>(), in, {1, to->shape.size()}, nullptr,
                                   false);
  return to;
}

/// The gradient of argument i as a recorded operation of g and the arguments.
template <class T>
__attribute__((noinline)) Tensor<T> pull_node(VjpContext context, int i, BlockHandle value) {
  const Fused<T> fused(context.record());
  const Tensor<T> g = context.gradient<T>();
  std::vector<Argument> arguments{{Access::block(g), Access::place(g).record}};
  arguments.insert(arguments.end(), fused.arguments.begin(), fused.arguments.end());
  Record& pull = current_records()->next_wide(fuse_pull_op<T>, value->shape, arguments.size());
  pull.attributes.bits = fused.attributes();
  pull.inputs[0] = std::uint32_t(fused.count());
  pull.inputs[1] = std::uint32_t(i);
  return publish_pull<T>(pull, arguments, std::move(value));
}

/// Gives argument i its part of the gradient. In a recorded sweep the part is recorded.
template <class T>
EBB_INLINE void give(VjpContext context, int i, BlockHandle part) {
  const std::uint32_t id = argument_of(context.record(), i).id;
  if (context.is_recorded()) [[unlikely]] {
    context.give(id, pull_node<T>(context, i, std::move(part)));
  } else {
    context.give(id, Access::tensor<T>(part.take()));
  }
}

template <class T>
EBB_HOT void vjp_fuse(VjpContext context) {
  const Fused<T> fused(context.record());
  const Shape& shape = context.shape();
  FusedRun<T> run(fused.arguments, shape.size(), fused.loops->kept_count);
  if (fused.loops->kept_count > 0) {
    run.keep(*fused.loops, further_block(context.record(), 0), further_block(context.record(), 1));
  }
  run.upstream(context.gradient_block());
  bool runs = false;
  for (int i = 0; i < fused.count(); ++i) {
    const std::uint32_t id = fused[i].id;
    if (!context.needs(id)) continue;
    if (fused.loops->passes[i]) {
      context.give(id, context.gradient<T>());
      continue;
    }
    runs = true;
    Block* const there = context.accumulator(id);
    if (there && there->shape == shape) {
      run.want_added(i, there);
    } else {
      run.want(i, shape);
    }
  }
  if (!runs) return;
  run(fused.loops->pull);
  for (int i = 0; i < fused.count(); ++i) {
    if (BlockHandle part{run.take(i)}) give<T>(context, i, std::move(part));
  }
}

template <class T>
EBB_HOT void vjp_fuse_reduced(VjpContext context) {
  Record& record = context.record();
  for (int i = 0; i < count_of(record); ++i) {
    if (!context.needs(argument_of(record, i).id)) continue;
    give<T>(context, i,
            scaled_gradient<T>(context, further_block(record, i), context.gradient_block()));
  }
}

template <class T>
Tensor<T> on_tensors(const Fused<T>& fused, std::span<const Tensor<T>> x) {
  const Tensor<T> y = fused.loops->on_tensors(x);
  if (fused.reduction == FusedReduction::none) return y;
  return fused.reduction == FusedReduction::sum ? sum(y) : mean(y);
}

template <class T>
void vjp_fuse_pull(VjpContext context) {
  const Record& record = context.record();
  const Fused<T> fused(record);
  const auto pulled = std::size_t(record.inputs[1]);
  const Shape shape = context.shape();
  differentiate_pull<T>(context, many_inputs_of(record), [&](std::span<const Tensor<T>> x) {
    if (const auto pull = fused.loops->pull_on_tensors)
      return pull(int(pulled), x[0], x.subspan(1));
    std::vector<Tensor<T>> points(x.begin() + 1, x.end());
    // The gradient has one element for each of the result, and differentiating needs a leaf: the
    // input may be a single value, a constant here, or one from which other inputs were computed.
    Tensor<T>& point = points[pulled];
    if (!(point.shape() == shape)) point = broadcast_to(point, shape);
    const Place place = Access::place(point);
    point = identity_record(*current_records(),
                            place.is_constant() ? Argument::constant : place.record, point);
    const Tensor<T> y = on_tensors(fused, std::span<const Tensor<T>>(points));
    if (Access::place(y).is_constant()) return Tensor<T>(Array<T>::zeros(point.shape()));
    return grad(y, {point}, {.create_graph = true}, &x[0])[0];
  });
}

/// Names two arguments whose shapes differ, in an error.
template <class T>
[[noreturn]] void refuse_shapes(const FusedLoops<T>& loops, std::span<const Argument> arguments) {
  const Shape& first = arguments[0].block->shape;
  std::size_t i = 1;
  while (arguments[i].is_number() || arguments[i].block->shape == first) ++i;
  throw_shapes(loops.name, loops.equal_shapes, first, arguments[i].block->shape);
}

/// Runs the call for arguments of one shape, or of one value.
template <class T>
EBB_INLINE Tensor<T> call(const Fused<T>& fused, const Shape& shape, const OperandReader& inputs) {
  const FusedLoops<T>& loops = *fused.loops;
  const std::int64_t n = shape.size();
  if (fused.reduction == FusedReduction::none) {
    const bool keeps = inputs.recorded && loops.kept_count > 0;
    const bool keeps_value = keeps && loops.kept_value >= 0;
    const int rows = keeps ? loops.kept_count - keeps_value : 0;
    FusedRun<T> run(fused.arguments, n, keeps ? loops.kept_count : 0);
    BlockHandle y(allocate(shape, sizeof(T))), kept;
    run.write(y.get());
    if (rows > 0) kept = BlockHandle(allocate({rows * whole_vectors<T>(n)}, sizeof(T)));
    if (keeps) run.keep(loops, kept.get(), y.get());
    run(loops.value);
    if (!inputs.recorded) return inputs.unrecorded<T>(loops.name, y.take());
    Records& tape = *inputs.tape;
    add_record(tape, y->shape, fused, keeps ? 2 : 0, [&](int k) {
      return k == 0 ? kept.take() : keeps_value ? retain(y.get()) : nullptr;
    });
    const Place place = tape.publish(y.get());
    return Access::tensor<T>(y.take(), place);
  }

  FusedRun<T> run(fused.arguments, n);
  const double count = fused.reduction == FusedReduction::mean ? double(n) : 1;
  BlockHandle y(allocate(Shape(), sizeof(T)));
  if (!inputs.recorded) {
    *y->data<T>() = T(run(loops.reduce) / count);
    return inputs.unrecorded<T>(loops.name, y.take());
  }
  // A recorded reduction computes its gradients in the forward pass, without a separate pass.
  for (int i = 0; i < fused.count(); ++i) {
    if (fused[i].is_recorded()) run.want(i, shape);
  }
  run.scale(1 / count);
  *y->data<T>() = T(run(loops.reduce_with_gradient) / count);
  Records& tape = *inputs.tape;
  add_record(tape, y->shape, fused, fused.count(), [&](int k) { return run.take(k); });
  const Place place = tape.publish(y.get());
  return Access::tensor<T>(y.take(), place);
}

/// Runs the call for arguments of several shapes: broadcasts each, unless it is a single value, to
/// one shape, and records that like any broadcast.
template <class T>
__attribute__((noinline)) Tensor<T> call_stretched(const FusedLoops<T>& loops,
                                                   FusedReduction reduction,
                                                   std::span<Argument> arguments,
                                                   const OperandReader& inputs) {
  if (loops.equal_shapes) refuse_shapes<T>(loops, arguments);
  Shape shape;
  for (const Argument& argument : arguments) {
    if (!argument.is_number()) shape = broadcast(loops.name, shape, argument.block->shape);
  }
  std::vector<Tensor<T>> stretched;  // owns the blocks to which the arguments point
  for (Argument& argument : arguments) {
    if (argument.is_number()) continue;
    if (argument.block->shape == shape || argument.block->shape.size() == 1) continue;
    const Place place = argument.id ? current_records()->place(argument.id) : Place();
    stretched.push_back(broadcast_to(Access::tensor<T>(retain(argument.block), place), shape));
    argument = {Access::block(stretched.back()), Access::place(stretched.back()).record};
  }
  return call(Fused<T>(&loops, reduction, arguments), shape, inputs);
}

}  // namespace

template <class T>
EBB_HOT Tensor<T> fuse_arguments(const FusedLoops<T>& loops, FusedReduction reduction,
                                 std::span<const Operand<T>* const> operands) {
  SmallArray<Argument, few_arguments> arguments(operands.size());
  const std::span<Argument> all(arguments.data(), arguments.size());
  OperandReader inputs;
  const Shape* shape = nullptr;
  bool same = true;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Argument x = arguments[i] = inputs.read(loops.name, *operands[i]);
    if (x.is_number()) continue;
    if (shape) {
      same = same && x.block->shape == *shape;
    } else {
      shape = &x.block->shape;
    }
  }
  if (!same) [[unlikely]]
    return call_stretched<T>(loops, reduction, all, inputs);
  return call(Fused<T>(&loops, reduction, all), *shape, inputs);
}

EBB_FOR_REALS(fuse_arguments)

}  // namespace ebb::inline v0::detail
