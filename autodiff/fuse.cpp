// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/fuse.hpp"

#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/ops/alias.hpp"
#include "ebb/autodiff/sweep.hpp"

namespace ebb::inline v0::detail {
namespace {

/// The arguments of one call, as a record keeps them: blocks of the output's shape or of one value,
/// and numbers. It owns nothing.
template <class T>
struct Fused {
  const FusedLoops<T>* loops;
  FusedReduction reduction;
  int count;
  Wide::Entry* arguments;

  bool is_number(int i) const { return arguments[i].id == Record::number; }
  Tensor<T> tensor(int i) const {
    if (is_number(i)) return Tensor<T>(T(number_of(arguments[i].kept)));
    return Access::tensor<T>(retain(arguments[i].kept));
  }
};

// A fused record is wide: the arguments in order, then, after a reduction, the gradient of each. A
// pull's record has g before its arguments. The attributes point to the loops, and what else there
// is to know stands in `inputs`, which a wide record does not use.

template <class T>
void vjp_fuse(Sweep& sweep, std::uint32_t id, Record& record);
template <class T>
void vjp_fuse_reduced(Sweep& sweep, std::uint32_t id, Record& record);
template <class T>
void vjp_fuse_pull(Sweep& sweep, std::uint32_t id, Record& record);
template <class T>
constexpr Op fuse_op{.name = "fuse", .vjp = &vjp_fuse<T>, .wide = true};
template <class T>
constexpr Op fuse_reduced_op{.name = "fuse", .vjp = &vjp_fuse_reduced<T>, .wide = true};
template <class T>
constexpr Op fuse_pull_op{.name = "fuse_pull", .vjp = &vjp_fuse_pull<T>, .wide = true};

/// Starts a record whose entries from `first` on are the arguments; the caller fills the others.
template <class T>
Wide& start_record(Recorder& tape, const Op& op, const Shape& shape, const Fused<T>& fused,
                   int entries, int first, int pulled) {
  Record& record = tape.next_wide(op, shape, std::size_t(entries));
  record.attributes.bits = reinterpret_cast<std::uintptr_t>(fused.loops);
  record.inputs[0] = std::uint32_t(fused.reduction);
  record.inputs[1] = std::uint32_t(fused.count);
  record.inputs[2] = std::uint32_t(pulled);
  Wide& wide = wide_of(record);
  for (int i = 0; i < fused.count; ++i) {
    wide.entries[first + i] = fused.arguments[i];
    if (!fused.is_number(i)) retain(fused.arguments[i].kept);
  }
  return wide;
}

template <class T>
Fused<T> read_record(const Record& record, int first) {
  return {reinterpret_cast<const FusedLoops<T>*>(record.attributes.bits),
          FusedReduction(record.inputs[0]), int(record.inputs[1]), wide_of(record).entries + first};
}

/// One run of a loop: what it reads and writes.
template <class T>
class FusedRun {
 public:
  explicit FusedRun(const Fused<T>& fused) {
    for (int i = 0; i < fused.count; ++i) {
      if (fused.is_number(i)) {
        numbers_[i] = T(number_of(fused.arguments[i].kept));
        in_.data[i] = &numbers_[i];
        in_.splat[i] = true;
      } else {
        in_.data[i] = fused.arguments[i].kept->template data<T>();
        in_.splat[i] = fused.arguments[i].kept->is_single();
        out_.gradient[inputs_++] = nullptr;
      }
    }
    out_.only = -1;
    out_.scale = 1;
  }
  /// Asks for the gradient of an input, counted without the numbers.
  void want(int input, Block* gradient) {
    out_.gradient[input] = gradient->data<T>();
    out_.only = wanted_++ == 0 && inputs_ > 1 ? input : -1;
  }
  void write(Block* y) { out_.y = y->data<T>(); }
  void scale(double factor) { out_.scale = T(factor); }
  void upstream(Block* g) {
    out_.g = g->data<T>();
    out_.g_splat = g->is_single();
  }
  double operator()(const typename FusedLoops<T>::Loop (&loop)[3], std::int64_t n) const {
    return loop[int(instruction_set())](in_, out_, n);
  }

 private:
  FusedArguments<T> in_;
  FusedOutputs<T> out_;
  T numbers_[max_fused_arguments];
  int inputs_ = 0, wanted_ = 0;
};

/// The gradient of argument i as a recorded operation of g and the arguments.
template <class T>
Tensor<T> pull_node(const Fused<T>& fused, int i, const Tensor<T>& g, BlockHandle value) {
  Recorder& tape = *recorder();
  Wide& wide = start_record(tape, fuse_pull_op<T>, value->shape, fused, fused.count + 1, 1, i);
  wide.entries[0] = {retain(Access::block(g)), Access::place(g).record};
  return Access::tensor<T>(value.take(), tape.place(tape.publish()));
}

/// The gradient that a reduction computed on its way forward, for an upstream gradient of 1.
template <class T>
BlockHandle scaled_gradient(Sweep& sweep, Block*& kept, Block* g) {
  const bool mine = !sweep.records() && sweep.consumes() && kept->is_sole();
  if (*g->data<T>() == T(1)) return BlockHandle(mine ? std::exchange(kept, nullptr) : retain(kept));
  BlockHandle to(mine ? std::exchange(kept, nullptr) : allocate(kept->shape, sizeof(T)));
  Block* from = mine ? to.get() : kept;
  const In<T> in[] = {{g->data<T>(), 0, 0}, {}, {from->data<T>(), 0, 1}, {}};
  constexpr int mul = op::index_in<op::Mul>(op::Binary{});
  kernels<T>().binary_pull[mul][0](to->template data<T>(), in, {1, to->shape.size()}, nullptr,
                                   false);
  return to;
}

/// Gives argument i its part of the gradient, which a recorded sweep records.
template <class T>
void give(Sweep& sweep, const Fused<T>& fused, int i, BlockHandle part) {
  const std::uint32_t id = fused.arguments[i].id;
  if (sweep.records()) [[unlikely]] {
    sweep.give(id, pull_node(fused, i, sweep.gradient<T>(), std::move(part)));
  } else {
    sweep.give(id, Access::tensor<T>(part.take()));
  }
}

template <class T>
void vjp_fuse(Sweep& sweep, std::uint32_t, Record& record) {
  const Fused<T> fused = read_record<T>(record, 0);
  const Shape& shape = sweep.shape_of(record);
  FusedRun<T> run(fused);
  run.upstream(sweep.gradient_block());
  BlockHandle parts[max_fused_arguments];
  for (int i = 0, input = 0; i < fused.count; ++i) {
    if (sweep.needs(fused.arguments[i].id)) {
      parts[i] = BlockHandle(allocate(shape, sizeof(T)));
      run.want(input, parts[i].get());
    }
    if (!fused.is_number(i)) ++input;
  }
  run(fused.loops->pull, shape.size());
  for (int i = 0; i < fused.count; ++i) {
    if (parts[i]) give(sweep, fused, i, std::move(parts[i]));
  }
}

template <class T>
void vjp_fuse_reduced(Sweep& sweep, std::uint32_t, Record& record) {
  const Fused<T> fused = read_record<T>(record, 0);
  Wide::Entry* computed = fused.arguments + fused.count;
  for (int i = 0; i < fused.count; ++i) {
    if (!sweep.needs(fused.arguments[i].id)) continue;
    give(sweep, fused, i, scaled_gradient<T>(sweep, computed[i].kept, sweep.gradient_block()));
  }
}

template <class T>
Tensor<T> on_tensors(const Fused<T>& fused, std::span<const Tensor<T>> x) {
  const Tensor<T> y = fused.loops->on_tensors(x);
  if (fused.reduction == FusedReduction::none) return y;
  return fused.reduction == FusedReduction::sum ? sum(y) : mean(y);
}

template <class T>
void vjp_fuse_pull(Sweep& sweep, std::uint32_t, Record& record) {
  const Fused<T> fused = read_record<T>(record, 1);
  const auto pulled = std::size_t(record.inputs[2]);
  const Wide::Entry& g = wide_of(record).entries[0];
  std::vector<std::uint32_t> ids{g.id};
  std::vector<Tensor<T>> at{Access::tensor<T>(retain(g.kept))};
  for (int i = 0; i < fused.count; ++i) {
    ids.push_back(fused.is_number(i) ? Record::constant : fused.arguments[i].id);
    at.push_back(fused.tensor(i));
  }
  sweep.open<T>(ids, at, [&](std::span<const Tensor<T>> x) {
    std::vector<Tensor<T>> points(x.begin() + 1, x.end());
    // The input may be constant here; differentiating needs a place for it.
    Tensor<T>& point = points[pulled];
    if (Access::place(point).is_constant()) point = fresh_leaf(*recorder(), 0, point);
    const Tensor<T> y = on_tensors(fused, std::span<const Tensor<T>>(points));
    if (Access::place(y).is_constant()) return Tensor<T>(Array<T>::zeros(point.shape()));
    return grad(y, {point}, {.create_graph = true}, &x[0])[0];
  });
}

/// Brings every argument to one shape, unless it is a single value; recorded like any broadcast.
/// The results own what the arguments point to.
template <class T>
std::vector<Tensor<T>> stretch(const Fused<T>& fused, Shape& shape) {
  for (int i = 0; i < fused.count; ++i) {
    if (!fused.is_number(i)) shape = broadcast("fuse", shape, fused.arguments[i].kept->shape);
  }
  std::vector<Tensor<T>> stretched;
  for (int i = 0; i < fused.count; ++i) {
    if (fused.is_number(i)) continue;
    Wide::Entry& argument = fused.arguments[i];
    if (argument.kept->shape == shape || argument.kept->shape.size() == 1) continue;
    const Place place = argument.id ? recorder()->place(argument.id) : Place();
    stretched.push_back(broadcast_to(Access::tensor<T>(retain(argument.kept), place), shape));
    argument = {Access::block(stretched.back()), Access::place(stretched.back()).record};
  }
  return stretched;
}

}  // namespace

template <class T>
Tensor<T> fuse_arguments(const FusedLoops<T>& loops, FusedReduction reduction,
                         std::span<const Operand<T>* const> operands) {
  Wide::Entry arguments[max_fused_arguments];
  const Fused<T> fused{&loops, reduction, int(operands.size()), arguments};
  Inputs inputs;
  const Shape* shape = nullptr;
  bool same = true;
  for (int i = 0; i < fused.count; ++i) {
    const Source<T> source = Access::source(*operands[std::size_t(i)]);
    if (source.is_number()) {
      arguments[i] = {number_bits(double(source.number)), Record::number};
      continue;
    }
    arguments[i] = {source.block, inputs.admit("fuse", source.place)};
    if (!shape) shape = &source.block->shape;
    same = same && source.block->shape == *shape;
  }
  Shape wide_shape;
  std::vector<Tensor<T>> stretched;
  if (!same) {
    stretched = stretch(fused, wide_shape);
    shape = &wide_shape;
  }
  const std::int64_t n = shape->size();
  FusedRun<T> run(fused);
  if (reduction == FusedReduction::none) {
    BlockHandle y(allocate(*shape, sizeof(T)));
    run.write(y.get());
    run(loops.value, n);
    if (!inputs.recorded) return Access::tensor<T>(y.take(), inputs.place_of_unrecorded());
    Recorder& tape = *inputs.tape;
    start_record(tape, fuse_op<T>, y->shape, fused, fused.count, 0, 0);
    return Access::tensor<T>(y.take(), tape.place(tape.publish()));
  }

  const double count = reduction == FusedReduction::mean ? double(n) : 1;
  BlockHandle y(allocate(Shape(), sizeof(T)));
  if (!inputs.recorded) {
    *y->data<T>() = T(run(loops.sum, n) / count);
    return Access::tensor<T>(y.take(), inputs.place_of_unrecorded());
  }
  // A recorded reduction writes its gradients on the way: they need no pass of their own.
  BlockHandle gradients[max_fused_inputs];
  int inputs_seen = 0;
  for (int i = 0; i < fused.count; ++i) {
    if (fused.is_number(i)) continue;
    const int input = inputs_seen++;
    if (arguments[i].id == Record::constant) continue;
    gradients[input] = BlockHandle(allocate(*shape, sizeof(T)));
    run.want(input, gradients[input].get());
  }
  run.scale(1 / count);
  *y->data<T>() = T(run(loops.sum_and_gradient, n) / count);
  Recorder& tape = *inputs.tape;
  Wide& wide = start_record(tape, fuse_reduced_op<T>, y->shape, fused, 2 * fused.count, 0, 0);
  BlockHandle* gradient = gradients;
  for (int i = 0; i < fused.count; ++i) {
    Block* computed = fused.is_number(i) ? nullptr : (gradient++)->take();
    wide.entries[fused.count + i] = {computed, Record::constant};
  }
  return Access::tensor<T>(y.take(), tape.place(tape.publish()));
}

template EBB_API Tensor<float> fuse_arguments(const FusedLoops<float>&, FusedReduction,
                                              std::span<const Operand<float>* const>);
template EBB_API Tensor<double> fuse_arguments(const FusedLoops<double>&, FusedReduction,
                                               std::span<const Operand<double>* const>);

}  // namespace ebb::inline v0::detail
