// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/fuse.hpp"

#include <algorithm>

#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/ops/alias.hpp"
#include "ebb/autodiff/parallel.hpp"
#include "ebb/autodiff/sweep.hpp"

namespace ebb::inline v0::detail {
namespace {

/// One call: its arguments are blocks of the output's shape or of one value, and numbers. It owns
/// nothing, and has no arguments until they are set.
template <class T>
struct Fused {
  const FusedLoops<T>* loops;
  FusedReduction reduction;
  int count;
  Wide::Entry arguments[max_fused_arguments];

  Fused(const FusedLoops<T>* l, FusedReduction r, int n) : loops(l), reduction(r), count(n) {}

  bool is_number(int i) const { return arguments[i].id == Record::number; }
};

// A record of up to two arguments holds them, and behind them, after a reduction, the gradient of
// each. One of more is wide, with entries in the same order, and their number in `inputs`, for
// which it has no other use; a pull's record is always wide, with g before the arguments. The
// attributes point to the loops; the lowest bits, which are 0 in a pointer, hold the reduction and
// whether there is a second argument.

template <class T>
void vjp_fuse(Sweep& sweep, std::uint32_t id, Record& record);
template <class T>
void vjp_fuse_reduced(Sweep& sweep, std::uint32_t id, Record& record);
template <class T>
void vjp_fuse_pull(Sweep& sweep, std::uint32_t id, Record& record);
template <class T, bool wide>
constexpr Op fuse_op{.name = "fuse",
                     .vjp = &vjp_fuse<T>,
                     .wide = wide,
                     .is_double = sizeof(T) == 8,
                     .elementwise = true};
template <class T, bool wide>
constexpr Op fuse_reduced_op{
    .name = "fuse", .vjp = &vjp_fuse_reduced<T>, .wide = wide, .is_double = sizeof(T) == 8};
template <class T>
constexpr Op fuse_pull_op{.name = "fuse_pull",
                          .vjp = &vjp_fuse_pull<T>,
                          .wide = true,
                          .is_double = sizeof(T) == 8,
                          .elementwise = true};

constexpr int narrow = 2;  // the arguments that a record itself can hold
constexpr std::uint64_t reduction_bits = 3, second_bit = 4;
static_assert(alignof(FusedLoops<float>) == 8);

template <class T>
std::uint64_t attributes_of(const Fused<T>& fused) {
  return reinterpret_cast<std::uintptr_t>(fused.loops) | std::uint64_t(fused.reduction) |
         (fused.count > 1 ? second_bit : 0);
}

/// The number of arguments of the call that a record is of, and each of them.
int count_of(const Record& record) {
  if (record.op->wide) return int(record.inputs[0]);
  return record.attributes.bits & second_bit ? 2 : 1;
}
Wide::Entry argument_of(const Record& record, int i) {
  if (!record.op->wide) return {record.kept[i], record.inputs[i]};
  return wide_of(record).entries[i];
}

template <class T>
Wide::Entry kept_entry(const Fused<T>& fused, int i) {
  if (!fused.is_number(i)) retain(fused.arguments[i].kept);
  return fused.arguments[i];
}

/// Records a call; takes over the gradients of a reduction, one for each input.
template <class T>
void add_record(Recorder& tape, const Shape& shape, const Fused<T>& fused, BlockHandle* gradients) {
  if (fused.count <= narrow) {
    Record& record = tape.next(gradients ? fuse_reduced_op<T, false> : fuse_op<T, false>, shape);
    record.attributes.bits = attributes_of(fused);
    for (int i = 0; i < fused.count; ++i) {
      const Wide::Entry entry = kept_entry(fused, i);
      record.kept[i] = entry.kept;
      record.inputs[i] = entry.id;
      if (gradients && !fused.is_number(i)) record.kept[narrow + i] = (gradients++)->take();
    }
    return;
  }
  Record& record = tape.next_wide(gradients ? fuse_reduced_op<T, true> : fuse_op<T, true>, shape,
                                  std::size_t(gradients ? 2 * fused.count : fused.count));
  record.attributes.bits = attributes_of(fused);
  record.inputs[0] = std::uint32_t(fused.count);
  Wide::Entry* entries = wide_of(record).entries;
  for (int i = 0; i < fused.count; ++i) {
    entries[i] = kept_entry(fused, i);
    if (!gradients) continue;
    Block* gradient = fused.is_number(i) ? nullptr : (gradients++)->take();
    entries[fused.count + i] = {gradient, Record::constant};
  }
}

/// The call that a record is of.
template <class T>
Fused<T> read_record(const Record& record) {
  const std::uint64_t bits = record.attributes.bits;
  Fused<T> fused(reinterpret_cast<const FusedLoops<T>*>(bits & ~(reduction_bits | second_bit)),
                 FusedReduction(bits & reduction_bits), count_of(record));
  const int before = record.op == &fuse_pull_op<T> ? 1 : 0;
  for (int i = 0; i < fused.count; ++i) fused.arguments[i] = argument_of(record, before + i);
  return fused;
}

/// The gradient that a reduction has computed for argument i.
Block*& computed_gradient(Record& record, int i) {
  if (!record.op->wide) return record.kept[narrow + i];
  return wide_of(record).entries[record.inputs[0] + std::uint32_t(i)].kept;
}

/// One run of a loop over n elements: what it reads and writes.
template <class T>
class FusedRun {
 public:
  FusedRun(const Fused<T>& fused, std::int64_t n) : n_(n) {
    block_.y = nullptr;
    block_.scale = 1;
    for (int i = 0; i < fused.count; ++i) {
      if (fused.is_number(i)) {
        numbers_[i] = T(number_of(fused.arguments[i].kept));
        block_.argument[i] = &numbers_[i];
      } else {
        const bool dense = read(block_.argument[i], fused.arguments[i].kept);
        if (dense) dense_ |= 1U << i;
        ++inputs_;
      }
    }
  }
  void write(Block* y) { block_.y = output(y); }
  /// Asks for the gradient of an input, counted without the numbers.
  void want(int input, Block* gradient) {
    block_.gradient[input] = output(gradient);
    wanted_ |= 1U << input;
  }
  void upstream(Block* g) { dense_g_ = read(block_.g, g); }
  void scale(double factor) { block_.scale = T(factor); }

  /// What the loops of the blocks return, added up in their order.
  double operator()(const typename FusedLoops<T>::Loops& loops) {
    const auto loop = loops[std::size_t(instruction_set())];
    const bool alone = (wanted_ & (wanted_ - 1)) == 0;  // at most one gradient
    const bool all = wanted_ == (1U << inputs_) - 1;
    block_.only = alone && wanted_ && inputs_ > 1 ? __builtin_ctz(wanted_) : -1;
    for (int k = 0; !alone && !all && k < inputs_; ++k) {
      if (!(wanted_ >> k & 1U)) block_.gradient[k] = room();  // to be forgotten
    }
    block_.streams = streams_ && (alone || all);
    const double total = parallel_sum(n_, fused_block, [&](std::int64_t first, std::int64_t last) {
      return first == 0 ? loop(block_, last) : loop(at(first), last - first);
    });
    if (block_.streams) __builtin_ia32_sfence();
    return total;
  }

 private:
  /// The block that starts at this element.
  FusedBlock<T> at(std::int64_t first) const {
    FusedBlock<T> block = block_;
    for (int i = 0; i < max_fused_arguments; ++i) {
      if (dense_ >> i & 1U) block.argument[i] += first;
    }
    for (int k = 0; k < max_fused_inputs; ++k) {
      if (wanted_ >> k & 1U) block.gradient[k] += first;
    }
    if (dense_g_) block.g += first;
    if (block.y) block.y += first;
    return block;
  }
  /// A value that stands for all is repeated for the length of a block. Returns whether it is not.
  bool read(const T*& from, Block* x) {
    const T* data = x->data<T>();
    if (!x->is_single() || n_ == 1) {
      from = data;
      return true;
    }
    T* values = room();
    std::fill_n(values, row(), *data);
    from = values;
    return false;
  }
  T* output(Block* y) {
    T* to = y->data<T>();
    streams_ = streams_ && prefers_streaming(to, n_);
    return to;
  }
  /// The elements of a block, in whole lines.
  std::int64_t row() const { return (std::min(n_, fused_block) + 63) / 64 * 64; }
  /// Room for one row.
  T* room() {
    constexpr int rows = max_fused_arguments + max_fused_inputs;
    if (!rooms_) rooms_ = BlockHandle(allocate_bytes(std::size_t(rows * row()) * sizeof(T)));
    return rooms_->data<T>() + row() * rooms_taken_++;
  }

  std::int64_t n_;
  FusedBlock<T> block_;  // no value where nothing reads it
  T numbers_[max_fused_arguments];
  unsigned dense_ = 0, wanted_ = 0;
  bool dense_g_ = false, streams_ = true;
  int inputs_ = 0, rooms_taken_ = 0;
  BlockHandle rooms_;
};

/// The gradient of argument i as a recorded operation of g and the arguments.
template <class T>
Tensor<T> pull_node(const Fused<T>& fused, int i, const Tensor<T>& g, BlockHandle value) {
  Recorder& tape = *recorder();
  Record& record = tape.next_wide(fuse_pull_op<T>, value->shape, std::size_t(fused.count + 1));
  record.attributes.bits = attributes_of(fused);
  record.inputs[0] = std::uint32_t(fused.count);
  record.inputs[1] = std::uint32_t(i);
  Wide::Entry* entries = wide_of(record).entries;
  entries[0] = {retain(Access::block(g)), Access::place(g).record};
  for (int k = 0; k < fused.count; ++k) entries[k + 1] = kept_entry(fused, k);
  const Place place = tape.publish(value.get());
  return Access::tensor<T>(value.take(), place);
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
void give(Sweep& sweep, const Record& record, int i, BlockHandle part) {
  const std::uint32_t id = argument_of(record, i).id;
  if (sweep.records()) [[unlikely]] {
    sweep.give(id, pull_node(read_record<T>(record), i, sweep.gradient<T>(), std::move(part)));
  } else {
    sweep.give(id, Access::tensor<T>(part.take()));
  }
}

template <class T>
void vjp_fuse(Sweep& sweep, std::uint32_t, Record& record) {
  const Fused<T> fused = read_record<T>(record);
  const Shape& shape = sweep.shape_of(record);
  FusedRun<T> run(fused, shape.size());
  run.upstream(sweep.gradient_block());
  BlockHandle parts[max_fused_arguments];
  for (int i = 0, input = 0; i < fused.count; ++i) {
    if (sweep.needs(fused.arguments[i].id)) {
      parts[i] = BlockHandle(allocate(shape, sizeof(T)));
      run.want(input, parts[i].get());
    }
    if (!fused.is_number(i)) ++input;
  }
  run(fused.loops->pull);
  for (int i = 0; i < fused.count; ++i) {
    if (parts[i]) give<T>(sweep, record, i, std::move(parts[i]));
  }
}

template <class T>
void vjp_fuse_reduced(Sweep& sweep, std::uint32_t, Record& record) {
  for (int i = 0; i < count_of(record); ++i) {
    if (!sweep.needs(argument_of(record, i).id)) continue;
    give<T>(sweep, record, i,
            scaled_gradient<T>(sweep, computed_gradient(record, i), sweep.gradient_block()));
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
  const Fused<T> fused = read_record<T>(record);
  const auto pulled = std::size_t(record.inputs[1]);
  const Wide::Entry& g = wide_of(record).entries[0];
  std::vector<std::uint32_t> ids{g.id};
  std::vector<Tensor<T>> at{sweep.tensor<T>(g.kept, g.id)};
  for (int i = 0; i < fused.count; ++i) {
    const Wide::Entry& argument = fused.arguments[i];
    const bool number = fused.is_number(i);
    ids.push_back(number ? Record::constant : argument.id);
    at.push_back(number ? Tensor<T>(T(number_of(argument.kept)))
                        : sweep.tensor<T>(argument.kept, argument.id));
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
std::vector<Tensor<T>> stretch(Fused<T>& fused, Shape& shape) {
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
  Fused<T> fused(&loops, reduction, int(operands.size()));
  Wide::Entry* arguments = fused.arguments;
  Inputs inputs;
  const Shape* shape = nullptr;
  bool same = true;
  for (int i = 0; i < fused.count; ++i) {
    const Argument<T> x = inputs.read("fuse", *operands[std::size_t(i)]);
    if (!x.block) {
      arguments[i] = {number_bits(double(x.number)), Record::number};
      continue;
    }
    arguments[i] = {x.block, x.id};
    if (shape) {
      same = same && x.block->shape == *shape;
    } else {
      shape = &x.block->shape;
    }
  }
  Shape wide_shape;
  std::vector<Tensor<T>> stretched;
  if (!same) {
    stretched = stretch(fused, wide_shape);
    shape = &wide_shape;
  }
  const std::int64_t n = shape->size();
  FusedRun<T> run(fused, n);
  if (reduction == FusedReduction::none) {
    BlockHandle y(allocate(*shape, sizeof(T)));
    run.write(y.get());
    run(loops.value);
    if (!inputs.recorded) return Access::tensor<T>(y.take(), inputs.place_of_unrecorded());
    Recorder& tape = *inputs.tape;
    add_record(tape, y->shape, fused, nullptr);
    const Place place = tape.publish(y.get());
    return Access::tensor<T>(y.take(), place);
  }

  const double count = reduction == FusedReduction::mean ? double(n) : 1;
  BlockHandle y(allocate(Shape(), sizeof(T)));
  if (!inputs.recorded) {
    *y->data<T>() = T(run(loops.reduce) / count);
    return Access::tensor<T>(y.take(), inputs.place_of_unrecorded());
  }
  // A recorded reduction writes its gradients on the way: they need no pass of their own.
  BlockHandle gradients[max_fused_inputs];
  for (int i = 0, input = 0; i < fused.count; ++i) {
    if (fused.is_number(i)) continue;
    if (arguments[i].id != Record::constant) {
      gradients[input] = BlockHandle(allocate(*shape, sizeof(T)));
      run.want(input, gradients[input].get());
    }
    ++input;
  }
  run.scale(1 / count);
  *y->data<T>() = T(run(loops.reduce_with_gradient) / count);
  Recorder& tape = *inputs.tape;
  add_record(tape, y->shape, fused, gradients);
  const Place place = tape.publish(y.get());
  return Access::tensor<T>(y.take(), place);
}

template EBB_API Tensor<float> fuse_arguments(const FusedLoops<float>&, FusedReduction,
                                              std::span<const Operand<float>* const>);
template EBB_API Tensor<double> fuse_arguments(const FusedLoops<double>&, FusedReduction,
                                               std::span<const Operand<double>* const>);

}  // namespace ebb::inline v0::detail
