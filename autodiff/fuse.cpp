// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/fuse.hpp"

#include <algorithm>
#include <string>

#include "ebb/autodiff/engine/fused_run.hpp"
#include "ebb/autodiff/engine/higher_order.hpp"
#include "ebb/autodiff/engine/identity.hpp"
#include "ebb/autodiff/engine/op.hpp"
#include "ebb/autodiff/engine/sweep.hpp"
#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
namespace {

// A record of one or two arguments keeps them, and behind them up to two more blocks: the gradients
// that a reduction computed, one for each argument, or the steps that the pass back reads and the
// results that it reads. A record of more has a `ManyInputs` in the same order, and the number of
// arguments in `inputs`, which such a record does not use otherwise. So has every record of a pull,
// with the gradients of all results before the arguments. The attributes are a pointer to the
// loops; its lowest bits, which are 0 in a pointer, have the kind of reduction and whether there is
// a second argument.
//
// Each further result of a call has a record behind that of the first, with the number of the
// result in its attributes. In a sweep it leaves its gradient to the first, whose pass back serves
// all.

template <class T>
void vjp_fuse(VjpContext context);
template <class T>
void vjp_fuse_reduced(VjpContext context);
template <class T>
void vjp_fuse_pull(VjpContext context);
void vjp_fuse_further(VjpContext context);
template <class T>
std::string_view formula_name(const Record& record);
template <class T, bool many_inputs, bool several = false>
constexpr Op fuse_op{.name = "fuse",
                     .vjp = &vjp_fuse<T>,
                     .many_inputs = many_inputs,
                     .is_double = sizeof(T) == 8,
                     .elementwise = true,
                     .has_further = several,
                     .name_of = &formula_name<T>};
template <class T, bool many_inputs>
constexpr Op fuse_reduced_op{.name = "fuse",
                             .vjp = &vjp_fuse_reduced<T>,
                             .many_inputs = many_inputs,
                             .is_double = sizeof(T) == 8,
                             .name_of = &formula_name<T>};
template <class T>
constexpr Op fuse_further_op{.name = "fuse",
                             .vjp = &vjp_fuse_further,
                             .is_double = sizeof(T) == 8,
                             .elementwise = true,
                             .is_further = true};
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
      const auto first = std::size_t(record.op == &fuse_pull_op<T> ? loops->results : 0);
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
  const bool several = fused.loops->results > 1;
  if (count <= narrow && further <= narrow) {
    const Op& op = reduced   ? fuse_reduced_op<T, false>
                   : several ? fuse_op<T, false, true>
                             : fuse_op<T, false>;
    Record& record = tape.next(op, shape);
    record.attributes.bits = fused.attributes();
    for (int i = 0; i < count; ++i) record.keep_input(i, fused[i].keep());
    for (int k = 0; k < further; ++k) record.kept[narrow + k] = block(k);
    return;
  }
  const Op& op = reduced   ? fuse_reduced_op<T, true>
                 : several ? fuse_op<T, true, true>
                           : fuse_op<T, true>;
  Record& record = tape.next_wide(op, shape, std::size_t(count + further));
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

/// The gradient of result j, if it has arrived.
template <class T>
EBB_INLINE Tensor<T> gradient_of_result(VjpContext context, int j) {
  return j == 0 ? context.gradient<T>() : context.further_gradient<T>(j);
}

/// The gradient of argument i as a recorded operation of those of the results and the arguments.
template <class T>
__attribute__((noinline)) Tensor<T> pull_node(VjpContext context, int i, BlockHandle value) {
  const Fused<T> fused(context.record());
  std::vector<Tensor<T>> gradients;
  std::vector<Argument> arguments;
  for (int j = 0; j < fused.loops->results; ++j) {
    Tensor<T> g = gradient_of_result<T>(context, j);
    if (g.empty()) g = Array<T>::zeros(context.shape());
    arguments.push_back({Access::block(g), Access::place(g).record});
    gradients.push_back(std::move(g));
  }
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
  const FusedLoops<T>& loops = *fused.loops;
  FusedRun<T> run(loops, fused.arguments, shape.size(), true);
  if (loops.kept_count > 0) {
    run.keep(loops, further_block(context.record(), 0),
             [&](int j) { return further_block(context.record(), 1 + j); });
  }
  run.upstream(0, context.gradient_block());
  for (int j = 1; j < loops.results; ++j) {
    const Tensor<T> g = context.further_gradient<T>(j);  // its block is the sweep's, too
    run.upstream(j, g.empty() ? nullptr : Access::block(g));
  }
  bool runs = false;
  for (int i = 0; i < fused.count(); ++i) {
    const std::uint32_t id = fused[i].id;
    if (!context.needs(id)) continue;
    if (const int j = loops.passes[i]; j >= 0) {
      if (Tensor<T> g = gradient_of_result<T>(context, j); !g.empty())
        context.give(id, std::move(g));
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
  if (runs) run(loops.pull);
  for (int i = 0; runs && i < fused.count(); ++i) {
    if (BlockHandle part{run.take(i)}) give<T>(context, i, std::move(part));
  }
  if (loops.results > 1) context.drop_further_gradients();
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

void vjp_fuse_further(VjpContext context) {
  const Record& record = context.record();
  context.leave_gradient(record.inputs[0], int(record.attributes.bits));
}

/// The function whose gradient is a pull: the result, or the sum of each times its gradient.
template <class T>
Tensor<T> pulled(const Fused<T>& fused, std::span<const Tensor<T>> g,
                 std::span<const Tensor<T>> x) {
  std::vector<Tensor<T>> y(g.size());
  fused.loops->on_tensors(x, y);
  if (fused.reduction == FusedReduction::sum) return sum(y[0]);
  if (fused.reduction == FusedReduction::mean) return mean(y[0]);
  if (g.size() == 1) return y[0];
  Tensor<T> total = sum(y[0] * g[0]);
  for (std::size_t j = 1; j < g.size(); ++j) total = total + sum(y[j] * g[j]);
  return total;
}

template <class T>
void vjp_fuse_pull(VjpContext context) {
  const Record& record = context.record();
  const Fused<T> fused(record);
  const auto results = std::size_t(fused.loops->results);
  const auto of = std::size_t(record.inputs[1]);
  const Shape shape = context.shape();
  const auto pull = [&](std::span<const Tensor<T>> x) {
    if (const auto given = fused.loops->pull_on_tensors) return given(int(of), x[0], x.subspan(1));
    std::vector<Tensor<T>> points(x.begin() + std::ptrdiff_t(results), x.end());
    // The gradient has one element for each of the result, and differentiating needs a leaf: the
    // input may be a single value, a constant here, or one from which other inputs were computed.
    Tensor<T>& point = points[of];
    if (!(point.shape() == shape)) point = broadcast_to(point, shape);
    const Place place = Access::place(point);
    point = identity_record(*current_records(),
                            place.is_constant() ? Argument::constant : place.record, point);
    const Tensor<T> y = pulled<T>(fused, x.first(results), points);
    if (Access::place(y).is_constant()) return Tensor<T>(Array<T>::zeros(point.shape()));
    const Tensor<T>* const seed = results == 1 ? &x[0] : nullptr;
    return grad(y, {point}, {.create_graph = true}, seed)[0];
  };
  differentiate_pull<T>(context, many_inputs_of(record), pull, results);
}

/// Records a further result of the call whose first one is at a place.
template <class T>
Tensor<T> further_result(Records& tape, Place first, int j, BlockHandle y) {
  Record& record = tape.next(fuse_further_op<T>, y->shape, first.record);
  record.inputs[0] = first.record;
  record.attributes.bits = std::uint64_t(j);
  const Place place = tape.publish(y.get());
  return Access::tensor<T>(y.take(), place);
}

/// Names two arguments whose shapes differ, in an error.
template <class T>
[[noreturn]] void refuse_shapes(const FusedLoops<T>& loops, std::span<const Argument> arguments) {
  const Shape& first = arguments[0].block->shape;
  std::size_t i = 1;
  while (arguments[i].is_number() || arguments[i].block->shape == first) ++i;
  throw_shapes(loops.name, loops.equal_shapes, first, arguments[i].block->shape);
}

/// Runs the call for arguments of one shape, or of one value. Gives the first result back, and puts
/// the further ones where `further` points.
template <class T>
EBB_INLINE Tensor<T> call(const Fused<T>& fused, const Shape& shape, const OperandReader& inputs,
                          Tensor<T>* further) {
  const FusedLoops<T>& loops = *fused.loops;
  const std::int64_t n = shape.size();
  if (fused.reduction == FusedReduction::none) {
    const bool keeps = inputs.recorded && loops.kept_count > 0;
    FusedRun<T> run(loops, fused.arguments, n, keeps);
    SmallArray<BlockHandle, few_results> y(std::size_t(loops.results));
    for (int j = 0; j < loops.results; ++j) {
      y[std::size_t(j)] = BlockHandle(allocate(shape, sizeof(T)));
      run.write(j, y[std::size_t(j)].get());
    }
    const auto result = [&](int j) { return y[std::size_t(j)].get(); };
    BlockHandle kept;
    if (keeps) {
      const std::span of(loops.kept_results, std::size_t(loops.kept_count));
      const auto rows = std::count(of.begin(), of.end(), -1);
      if (rows > 0) kept = BlockHandle(allocate({rows * whole_vectors<T>(n)}, sizeof(T)));
      run.keep(loops, kept.get(), result);
    }
    run(loops.value);
    if (!inputs.recorded) {
      for (int j = 1; j < loops.results; ++j)
        further[j - 1] = inputs.unrecorded<T>(loops.name, y[std::size_t(j)].take());
      return inputs.unrecorded<T>(loops.name, y[0].take());
    }
    Records& tape = *inputs.tape;
    add_record(tape, y[0]->shape, fused, keeps ? 1 + loops.results : 0, [&](int k) {
      if (k == 0) return kept.take();
      const std::span of(loops.kept_results, std::size_t(loops.kept_count));
      return std::ranges::count(of, k - 1) > 0 ? retain(result(k - 1)) : nullptr;
    });
    const Place place = tape.publish(y[0].get());
    for (int j = 1; j < loops.results; ++j)
      further[j - 1] = further_result<T>(tape, place, j, std::move(y[std::size_t(j)]));
    return Access::tensor<T>(y[0].take(), place);
  }

  FusedRun<T> run(loops, fused.arguments, n);
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
                                                   const OperandReader& inputs,
                                                   Tensor<T>* further) {
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
  return call(Fused<T>(&loops, reduction, arguments), shape, inputs, further);
}

}  // namespace

template <class T>
EBB_HOT Tensor<T> fuse_arguments(const FusedLoops<T>& loops, FusedReduction reduction,
                                 std::span<const Operand<T>* const> operands, Tensor<T>* further) {
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
    return call_stretched<T>(loops, reduction, all, inputs, further);
  return call(Fused<T>(&loops, reduction, all), *shape, inputs, further);
}

EBB_FOR_REALS(fuse_arguments)

void check_width(int size, const Shape& shape) {
  if (shape.rank() == 2 && shape[1] == size) return;
  const std::string width = std::to_string(size);
  throw ShapeError("rows<" + width + ">: x of shape " + to_string(shape) +
                   "; the formula takes a matrix (n, " + width + ")");
}

}  // namespace ebb::inline v0::detail
