// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/fuse.hpp"

#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/ops/alias.hpp"
#include "ebb/autodiff/sweep.hpp"

namespace ebb::inline v0::detail {
namespace {

/// The arguments of one call: blocks of the output's shape or of one value, and numbers. It owns
/// nothing and has no value until it is filled.
template <class T>
struct Fused {
  const FusedLoops<T>* loops;
  FusedReduction reduction;
  int count;         // arguments
  int inputs;        // those that are not numbers
  unsigned numbers;  // which are numbers, one bit an argument
  Block* blocks[max_fused_arguments];
  T values[max_fused_arguments];
  std::uint32_t ids[max_fused_arguments];

  bool is_number(int i) const { return (numbers >> i & 1U) != 0; }
  FusedArguments<T> arguments() const {
    FusedArguments<T> in;
    for (int i = 0; i < count; ++i) {
      in.data[i] = is_number(i) ? &values[i] : blocks[i]->template data<T>();
      in.splat[i] = is_number(i) || blocks[i]->is_uniform() || blocks[i]->shape.size() == 1;
    }
    return in;
  }
  /// An argument that a record keeps.
  Wide::Entry entry(int i) const {
    if (is_number(i)) return {number_bits(double(values[i])), Record::number};
    return {retain(blocks[i]), ids[i]};
  }
  Tensor<T> tensor(int i) const {
    if (is_number(i)) return Tensor<T>(values[i]);
    return Access::tensor<T>(retain(blocks[i]));
  }
};

// A fused record is wide: the arguments in order, then, after a reduction, the gradients of the
// inputs. A pull's record has g before its arguments. The attributes point to the loops, and what
// else there is to know stands in `inputs`, which a wide record does not use.

template <class T>
const FusedLoops<T>& loops_of(const Record& record) {
  return *reinterpret_cast<const FusedLoops<T>*>(record.attributes.bits);
}

template <class T>
void vjp_fuse(Sweep& sweep, std::uint32_t id, Record& record);
template <class T>
void vjp_fuse_pull(Sweep& sweep, std::uint32_t id, Record& record);
template <class T>
constexpr Op fuse_op{.name = "fuse", .vjp = &vjp_fuse<T>, .wide = true};
template <class T>
constexpr Op fuse_pull_op{.name = "fuse_pull", .vjp = &vjp_fuse_pull<T>, .wide = true};

/// Starts a record with this many entries, which the caller fills before publishing.
template <class T>
Wide& start(Recorder& tape, const Op& op, const Shape& shape, const Fused<T>& fused, int entries,
            int pulled) {
  Record& record = tape.next_wide(op, shape, std::size_t(entries));
  record.attributes.bits = reinterpret_cast<std::uintptr_t>(fused.loops);
  record.inputs[0] = std::uint32_t(fused.reduction) | std::uint32_t(pulled) << 8;
  record.inputs[1] = std::uint32_t(fused.count);
  record.inputs[2] = fused.numbers;
  return wide_of(record);
}

template <class T>
void read_record(const Record& record, int first, Fused<T>& fused) {
  const Wide& wide = wide_of(record);
  fused.loops = &loops_of<T>(record);
  fused.reduction = FusedReduction(record.inputs[0] & 0xff);
  fused.count = int(record.inputs[1]);
  fused.numbers = record.inputs[2];
  fused.inputs = fused.count - __builtin_popcount(fused.numbers);
  for (int i = 0; i < fused.count; ++i) {
    const Wide::Entry& entry = wide.entries[i + first];
    fused.ids[i] = entry.id;
    if (fused.is_number(i)) {
      fused.values[i] = T(number_of(entry.kept));
    } else {
      fused.blocks[i] = entry.kept;
    }
  }
}

/// Runs a loop that writes gradients of the inputs in `wanted`, one bit an input.
template <class T>
double run_loop(const typename FusedLoops<T>::Loop (&loop)[3], const Fused<T>& fused, T* y,
                std::int64_t n, const BlockHandle* gradients, unsigned wanted, Block* g,
                double scale) {
  FusedOutputs<T> out;
  out.y = y;
  out.g = g ? g->data<T>() : nullptr;
  out.g_splat = g && (g->is_uniform() || g->shape.size() == 1);
  out.scale = T(scale);
  out.only = fused.inputs > 1 && __builtin_popcount(wanted) == 1 ? __builtin_ctz(wanted) : -1;
  for (int k = 0; k < fused.inputs; ++k) {
    out.gradient[k] = wanted >> k & 1U ? gradients[k]->template data<T>() : nullptr;
  }
  return loop[int(instruction_set())](fused.arguments(), out, n);
}

/// The gradient of argument i as a recorded operation of g and the arguments.
template <class T>
Tensor<T> pull_node(const Fused<T>& fused, int argument, const Tensor<T>& g, BlockHandle value) {
  Recorder& tape = *recorder();
  Wide& wide = start(tape, fuse_pull_op<T>, value->shape, fused, fused.count + 1, argument);
  wide.entries[0] = {retain(Access::block(g)), Access::place(g).record};
  for (int i = 0; i < fused.count; ++i) wide.entries[i + 1] = fused.entry(i);
  return Access::tensor<T>(value.take(), tape.place(tape.publish()));
}

/// The gradient that a reduction computed on its way forward, for an upstream gradient of 1.
template <class T>
BlockHandle scaled_gradient(Sweep& sweep, Block*& kept, Block* g) {
  const bool mine = !sweep.records() && sweep.consumes() && kept->is_sole();
  if (*g->data<T>() == T(1)) return BlockHandle(mine ? std::exchange(kept, nullptr) : retain(kept));
  BlockHandle to(mine ? std::exchange(kept, nullptr) : allocate(kept->shape, sizeof(T)));
  const Block* from = mine ? to.get() : kept;
  const In<T> in[] = {{g->data<T>(), 0, 0}, {}, {const_cast<Block*>(from)->data<T>(), 0, 1}, {}};
  constexpr int mul = op::index_in<op::Mul>(op::Binary{});
  kernels<T>().binary_pull[mul][0](to->template data<T>(), in, {1, to->shape.size()}, nullptr,
                                   false);
  return to;
}

template <class T>
void vjp_fuse(Sweep& sweep, std::uint32_t, Record& record) {
  Wide& wide = wide_of(record);
  Fused<T> fused;
  read_record<T>(record, 0, fused);
  Block* g = sweep.gradient_block();
  unsigned wanted = 0;
  for (int i = 0, input = 0; i < fused.count; ++i) {
    if (fused.is_number(i)) continue;
    if (sweep.needs(fused.ids[i])) wanted |= 1U << input;
    ++input;
  }
  BlockHandle gradients[max_fused_inputs];
  if (fused.reduction == FusedReduction::none) {
    const Shape& shape = sweep.shape_of(record);
    for (int k = 0; k < fused.inputs; ++k) {
      if (wanted >> k & 1U) gradients[k] = BlockHandle(allocate(shape, sizeof(T)));
    }
    if (wanted) {
      run_loop<T>(fused.loops->pull, fused, nullptr, shape.size(), gradients, wanted, g, 1);
    }
  } else {
    for (int k = 0; k < fused.inputs; ++k) {
      if (wanted >> k & 1U) {
        gradients[k] = scaled_gradient<T>(sweep, wide.entries[fused.count + k].kept, g);
      }
    }
  }
  const Tensor<T> upstream = sweep.records() ? sweep.gradient<T>() : Tensor<T>();
  for (int i = 0, input = 0; i < fused.count; ++i) {
    if (fused.is_number(i)) continue;
    BlockHandle& value = gradients[input++];
    if (!value) continue;
    if (sweep.records()) {
      sweep.give(fused.ids[i], pull_node(fused, i, upstream, std::move(value)));
    } else {
      sweep.give(fused.ids[i], Access::tensor<T>(value.take()));
    }
  }
}

template <class T>
Tensor<T> on_tensors(const FusedLoops<T>& loops, FusedReduction reduction,
                     std::span<const Tensor<T>> x) {
  const Tensor<T> y = loops.on_tensors(x);
  if (reduction == FusedReduction::none) return y;
  return reduction == FusedReduction::sum ? sum(y) : mean(y);
}

template <class T>
void vjp_fuse_pull(Sweep& sweep, std::uint32_t, Record& record) {
  const Wide& wide = wide_of(record);
  const auto pulled = std::size_t(record.inputs[0] >> 8);
  Fused<T> fused;
  read_record<T>(record, 1, fused);
  std::vector<std::uint32_t> ids{wide.entries[0].id};
  std::vector<Tensor<T>> at{Access::tensor<T>(retain(wide.entries[0].kept))};
  for (int i = 0; i < fused.count; ++i) {
    ids.push_back(fused.is_number(i) ? 0 : fused.ids[i]);
    at.push_back(fused.tensor(i));
  }
  sweep.open<T>(ids, at, [&](std::span<const Tensor<T>> x) {
    std::vector<Tensor<T>> points(x.begin() + 1, x.end());
    // The input may be constant here; differentiating needs a place for it.
    Tensor<T>& point = points[pulled];
    if (Access::place(point).is_constant()) point = fresh_leaf(*recorder(), 0, point);
    const Tensor<T> y =
        on_tensors(*fused.loops, fused.reduction, std::span<const Tensor<T>>(points));
    if (Access::place(y).is_constant()) return Tensor<T>(Array<T>::zeros(point.shape()));
    return grad(y, {point}, {.create_graph = true}, &x[0])[0];
  });
}

/// Brings every argument to the output's shape, unless it is a single value; recorded like any
/// broadcast. The results own what `fused` points to.
template <class T>
std::vector<Tensor<T>> stretch(Fused<T>& fused, const Shape& shape) {
  std::vector<Tensor<T>> stretched;
  for (int i = 0; i < fused.count; ++i) {
    if (fused.is_number(i)) continue;
    const Shape& from = fused.blocks[i]->shape;
    if (from == shape || from.size() == 1) continue;
    Recorder* tape = recorder();
    const Place place = fused.ids[i] ? tape->place(fused.ids[i]) : Place();
    stretched.push_back(broadcast_to(Access::tensor<T>(retain(fused.blocks[i]), place), shape));
    fused.blocks[i] = Access::block(stretched.back());
    fused.ids[i] = Access::place(stretched.back()).record;
  }
  return stretched;
}

}  // namespace

template <class T>
Tensor<T> fuse_arguments(const FusedLoops<T>& loops, FusedReduction reduction,
                         std::span<const FusedArgument<T>> arguments) {
  Fused<T> fused;
  fused.loops = &loops;
  fused.reduction = reduction;
  fused.count = int(arguments.size());
  fused.inputs = 0;
  fused.numbers = 0;
  Inputs<1> inputs;
  unsigned active = 0;
  const Shape* first = nullptr;
  bool same = true;
  for (int i = 0; i < fused.count; ++i) {
    const FusedArgument<T>& argument = arguments[std::size_t(i)];
    if (!argument.operand) {
      fused.numbers |= 1U << i;
      fused.values[i] = argument.number;
      continue;
    }
    const Source<T> source = Access::source(*argument.operand);
    if (source.is_number()) throw_empty_operand();
    inputs.add(0, "fuse", source.place);
    fused.blocks[i] = source.block;
    fused.ids[i] = inputs.ids[0];
    if (inputs.ids[0]) active |= 1U << fused.inputs;
    ++fused.inputs;
    if (!first) first = &source.block->shape;
    same &= source.block->shape == *first;
  }
  Shape wide_shape;
  std::vector<Tensor<T>> stretched;
  if (!same) {
    for (int i = 0; i < fused.count; ++i) {
      if (!fused.is_number(i)) wide_shape = broadcast("fuse", wide_shape, fused.blocks[i]->shape);
    }
    stretched = stretch(fused, wide_shape);
  }
  const Shape& shape = same ? *first : wide_shape;
  const std::int64_t n = shape.size();
  const bool reduces = reduction != FusedReduction::none;
  BlockHandle y(allocate(reduces ? Shape() : shape, sizeof(T)));
  BlockHandle gradients[max_fused_inputs];
  if (!reduces) {
    run_loop<T>(loops.value, fused, y->data<T>(), n, gradients, 0, nullptr, 1);
  } else {
    // A recorded reduction writes its gradients on the way: they need no pass of their own.
    for (int k = 0; k < fused.inputs; ++k) {
      if (active >> k & 1U) gradients[k] = BlockHandle(allocate(shape, sizeof(T)));
    }
    const double scale = reduction == FusedReduction::mean ? 1 / double(n) : 1.0;
    const double total = run_loop<T>(active ? loops.sum_and_gradient : loops.sum, fused, nullptr, n,
                                     gradients, active, nullptr, scale);
    *y->data<T>() = T(reduction == FusedReduction::mean ? total / double(n) : total);
  }
  if (!inputs.recorded) return Access::tensor<T>(y.take(), inputs.place_of_unrecorded());
  Recorder& tape = *inputs.tape;
  const int entries = fused.count + (reduces ? fused.inputs : 0);
  Wide& wide = start(tape, fuse_op<T>, y->shape, fused, entries, 0);
  for (int i = 0; i < fused.count; ++i) wide.entries[i] = fused.entry(i);
  for (int k = fused.count; k < entries; ++k) {
    wide.entries[k] = {gradients[k - fused.count].take(), 0};
  }
  return Access::tensor<T>(y.take(), tape.place(tape.publish()));
}

template EBB_API Tensor<float> fuse_arguments(const FusedLoops<float>&, FusedReduction,
                                              std::span<const FusedArgument<float>>);
template EBB_API Tensor<double> fuse_arguments(const FusedLoops<double>&, FusedReduction,
                                               std::span<const FusedArgument<double>>);

}  // namespace ebb::inline v0::detail
