// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/map.hpp"

#include "ebb/autodiff/error.hpp"
#include "ebb/autodiff/kernels/broadcast.hpp"
#include "ebb/autodiff/ops.hpp"

namespace ebb::inline v0::detail {
namespace {

template <class T>
struct Argument {
  Block* block = nullptr;  // null for a number
  std::uint32_t id = 0;
  T number = 0;
  MapOperand<T> operand() const { return {block, &number}; }
};

template <class T>
Block* keep(const Argument<T>& x) {
  return x.block ? retain(x.block) : number_bits(double(x.number));
}

template <class T>
Argument<T> kept_argument(const Record& record, int k) {
  if (record.inputs[k] != Record::number) return {record.kept[k], record.inputs[k], T(0)};
  return {nullptr, Record::number, T(number_of(record.kept[k]))};
}

template <class T, int N>
Block* allocate_output(const Shape& shape, const Argument<T> (&in)[N]) {
  bool flat = true, any = false;
  for (const auto& x : in) {
    any |= x.block && x.block->is_uniform();
    flat &= !x.block || x.block->is_uniform() || x.block->shape.size() == 1;
  }
  return any && flat ? allocate_uniform(shape, sizeof(T)) : allocate(shape, sizeof(T));
}

/// Fills the record's fixed part. The slot is published by the caller.
Record& start_record(Recorder& tape, const Op& op, const Shape& shape, std::uint32_t like,
                     const BlockHandle& formula_block, std::uint64_t formula_bits) {
  Record& record = tape.next();
  const std::uint32_t shape_index = tape.intern(shape, like);
  record.op = &op;
  record.attributes.bits = formula_bits;
  if (op.attribute_block) record.attributes.block = retain(formula_block.get());
  record.shape = shape_index;
  for (Block*& kept : record.kept) kept = nullptr;
  for (std::uint32_t& input : record.inputs) input = 0;
  return record;
}

template <class T>
void fill_unary(const MapOp<T>& op, Block* y, const Argument<T>& x, const FormulaState& formula) {
  const MapOperand<T> operands[] = {x.operand()};
  for_each_plane(y, operands, [&](T* out, const In<T>* in, Grid grid) {
    kernels<T>().unary_value[op.index](out, in, grid, formula.data, false);
  });
}

}  // namespace

template <class T>
Tensor<T> unary(const MapOp<T>& op, const Operand<T>& operand, const FormulaState& formula) {
  const Source<T> source = Access::source(operand);
  if (source.is_number()) throw_empty_operand();
  Inputs<1> inputs;
  inputs.add(0, op.name, source.place);
  const Argument<T> x[] = {{source.block, inputs.ids[0], T(0)}};
  BlockHandle y(allocate_output(source.block->shape, x));
  fill_unary(op, y.get(), x[0], formula);
  if (!inputs.recorded) return Access::tensor<T>(y.take(), inputs.place_of_unrecorded());
  Recorder& tape = *inputs.tape;
  Record& record = start_record(tape, op, y->shape, x[0].id, formula.block, formula.bits);
  record.inputs[0] = x[0].id;
  if (op.reads[0] & 1U) record.kept[0] = retain(x[0].block);
  if (op.reads[0] & 2U) record.kept[3] = retain(y.get());
  return Access::tensor<T>(y.take(), tape.place(tape.publish()));
}

namespace {

template <class T>
Argument<T> argument(Inputs<2>& inputs, int k, std::string_view name, const Operand<T>& operand) {
  const Source<T> source = Access::source(operand);
  if (source.is_number()) return {nullptr, Record::number, source.number};
  inputs.add(k, name, source.place);
  return {source.block, inputs.ids[k], T(0)};
}

}  // namespace

template <class T>
Tensor<T> binary(const MapOp<T>& op, const Operand<T>& a, const Operand<T>& b) {
  Inputs<2> inputs;
  const Argument<T> in[] = {argument(inputs, 0, op.name, a), argument(inputs, 1, op.name, b)};
  // A number, or a second operand of the same shape, leaves the shape as it is.
  const Block *p = in[0].block, *q = in[1].block;
  const bool same = !p || !q || p->shape == q->shape;
  const Shape wide = same ? Shape() : broadcast(op.name, p->shape, q->shape);
  const Shape& shape = !same ? wide : p ? p->shape : q->shape;
  BlockHandle y(allocate_output(shape, in));
  const MapOperand<T> operands[] = {in[0].operand(), in[1].operand()};
  for_each_plane(y.get(), operands, [&](T* out, const In<T>* x, Grid grid) {
    kernels<T>().binary_value[op.index](out, x, grid, nullptr, false);
  });
  if (!inputs.recorded) return Access::tensor<T>(y.take(), inputs.place_of_unrecorded());
  Recorder& tape = *inputs.tape;
  Record& record =
      start_record(tape, op, shape, inputs.ids[0] ? inputs.ids[0] : inputs.ids[1], {}, 0);
  const unsigned reads = (inputs.ids[0] ? op.reads[0] : 0U) | (inputs.ids[1] ? op.reads[1] : 0U);
  for (int k = 0; k < 2; ++k) {
    record.inputs[k] = in[k].id;
    if (reads >> k & 1U) record.kept[k] = keep(in[k]);
  }
  if (reads & 4U) record.kept[3] = retain(y.get());
  return Access::tensor<T>(y.take(), tape.place(tape.publish()));
}

namespace {

/// Runs a pull kernel: in is (g, then the positions that the slope may read).
template <class T, int N>
void fill_pull(const PullOp<T>& op, Block* out, const MapOperand<T> (&in)[N], const void* formula,
               bool accumulate) {
  const auto kernel =
      op.side < 0 ? kernels<T>().unary_pull[op.index] : kernels<T>().binary_pull[op.index][op.side];
  for_each_plane(out, in,
                 [&](T* o, const In<T>* x, Grid grid) { kernel(o, x, grid, formula, accumulate); });
}

/// The gradient of one input as a recorded operation: inputs are g and what the slope reads.
template <class T>
Tensor<T> pull_node(const PullOp<T>& op, const FormulaState& formula, const Shape& shape,
                    const Argument<T> (&in)[4]) {
  MapOperand<T> operands[4];
  for (int k = 0; k < 4; ++k) operands[k] = in[k].operand();
  BlockHandle out(allocate(shape, sizeof(T)));
  fill_pull(op, out.get(), operands, formula.data, false);
  Recorder* tape = recorder();
  Record& record = start_record(*tape, op, shape, in[0].id, formula.block, formula.bits);
  record.inputs[0] = in[0].id;
  record.kept[0] = keep(in[0]);
  int next = 1;
  for (int k = 0; k < 3; ++k) {
    if (!(op.reads >> k & 1U)) continue;
    record.inputs[next] = in[k + 1].id;
    record.kept[next++] = keep(in[k + 1]);
  }
  return Access::tensor<T>(out.take(), tape->place(tape->publish()));
}

}  // namespace

template <class T>
void vjp_pull(Sweep& sweep, std::uint32_t, Record& record) {
  const auto& op = static_cast<const PullOp<T>&>(*record.op);
  const FormulaState formula(record);
  std::vector<std::uint32_t> ids;
  std::vector<Tensor<T>> at;
  const int count = 1 + __builtin_popcount(op.reads);
  for (int k = 0; k < count; ++k) {
    const Argument<T> x = kept_argument<T>(record, k);
    ids.push_back(x.block ? x.id : 0);
    at.push_back(x.block ? sweep.kept<T>(record, k, x.id) : Tensor<T>(x.number));
  }
  sweep.open<T>(ids, at, [&](std::span<const Tensor<T>> x) { return op.formula(formula.data, x); });
}

namespace {

/// The operands of an operation's pulls: g, its inputs, its output. What no slope reads is absent.
template <class T>
class PullOperands {
 public:
  explicit PullOperands(const Shape& shape) : shape_(shape) {}

  void set(int k, Block* block, const T* number) {
    operands_[k] = {block, number};
    const bool scalar = operands_[k].is_scalar();
    in_[k] = {operands_[k].data(), 0, scalar ? 0 : 1};
    flat_ = flat_ && (scalar || block->shape == shape_);
  }
  /// Whether no row of a grid can run over into one that is still to be read: then a result may be
  /// written in the place of an operand.
  bool flat() const { return flat_; }
  template <class F>
  void run(Block* out, F f) const {
    if (flat_) {
      f(out->data<T>(), in_, Grid{1, shape_.size()});
    } else {
      for_each_plane(out, operands_, f);
    }
  }

 private:
  const Shape& shape_;
  MapOperand<T> operands_[4];
  In<T> in_[4];
  bool flat_ = true;
};

/// The parts of a recorded sweep: an operation each.
template <class T>
void give_recorded(Sweep& sweep, Record& record, const MapOp<T>& op, const FormulaState& formula,
                   Argument<T> (&x)[4]) {
  const Tensor<T> g = sweep.gradient<T>();
  x[0].id = Access::place(g).record;
  for (int k = 0; k < op.arity; ++k) {
    const std::uint32_t input = record.inputs[k];
    if (input == Record::number || !sweep.needs(input)) continue;
    if (op.literal[k] == 1) {
      sweep.give(input, g);
    } else if (op.literal[k] == -1) {
      sweep.give(input, -g);
    } else if (op.literal[k] != 0) {
      sweep.give(input, pull_node<T>(*op.pull[k], formula, Shape(sweep.shape_of(record)), x));
    }
  }
}

/// The part of one input by its kernel: into the gradient that is there, in the place of an array
/// that nobody reads any more, or into a new one.
template <class T>
void give_pulled(Sweep& sweep, Record& record, const PullOp<T>& op, int k, const void* formula,
                 const PullOperands<T>& in, bool last) {
  const std::uint32_t input = record.inputs[k];
  const Shape& shape = sweep.shape_of(record);
  const auto kernel =
      op.side < 0 ? kernels<T>().unary_pull[op.index] : kernels<T>().binary_pull[op.index][op.side];
  const auto fill = [&](Block* out, bool accumulate) {
    in.run(out, [&](T* o, const In<T>* i, Grid grid) { kernel(o, i, grid, formula, accumulate); });
  };
  Block* into = sweep.accumulator(input);
  if (into && into->shape == shape) return fill(into, true);
  Block* reused = in.flat() && last ? sweep.reuse_gradient() : nullptr;
  if (!reused && in.flat() && last) reused = sweep.reuse_kept(record, 3);
  BlockHandle part(reused ? reused : allocate(shape, sizeof(T)));
  fill(part.get(), false);
  sweep.give(input, Access::tensor<T>(part.take()));
}

/// Both parts of a binary operation in one pass, where neither has anything to be added to.
template <class T>
void give_both(Sweep& sweep, Record& record, const MapOp<T>& op, const PullOperands<T>& in) {
  const Shape& shape = sweep.shape_of(record);
  BlockHandle da(in.flat() ? sweep.reuse_gradient() : nullptr);
  if (!da) da = BlockHandle(allocate(shape, sizeof(T)));
  BlockHandle db(allocate(shape, sizeof(T)));
  const T* const start = da->data<T>();
  in.run(da.get(), [&](T* a, const In<T>* i, Grid grid) {
    kernels<T>().binary_both[op.index](a, db->data<T>() + (a - start), i, grid, nullptr);
  });
  sweep.give(record.inputs[0], Access::tensor<T>(da.take()));
  sweep.give(record.inputs[1], Access::tensor<T>(db.take()));
}

}  // namespace

template <class T>
void vjp_map(Sweep& sweep, std::uint32_t id, Record& record) {
  const auto& op = static_cast<const MapOp<T>&>(*record.op);
  Argument<T> x[4] = {{sweep.gradient_block(), 0, T(0)}};
  for (int k = 0; k < op.arity; ++k) x[k + 1] = kept_argument<T>(record, k);
  x[op.arity + 1] = {record.kept[3], id, T(0)};
  if (sweep.records()) return give_recorded(sweep, record, op, FormulaState(record), x);

  PullOperands<T> in(sweep.shape_of(record));
  for (int k = 0; k < op.arity + 2; ++k) in.set(k, x[k].block, &x[k].number);
  bool needs[2], by_kernel[2];
  for (int k = 0; k < 2; ++k) {
    needs[k] = k < op.arity && op.literal[k] != 0 && record.inputs[k] != Record::number &&
               sweep.needs(record.inputs[k]);
    by_kernel[k] = needs[k] && op.literal[k] == op::not_literal;
  }
  if (by_kernel[0] && by_kernel[1] && record.inputs[0] != record.inputs[1] &&
      !sweep.accumulator(record.inputs[0]) && !sweep.accumulator(record.inputs[1])) {
    return give_both(sweep, record, op, in);
  }
  for (int k = 0; k < op.arity; ++k) {
    if (!needs[k]) continue;
    if (by_kernel[k]) {
      give_pulled(sweep, record, *op.pull[k], k, formula_in(record), in, k == 1 || !needs[1]);
    } else if (op.literal[k] == 1) {
      sweep.give(record.inputs[k], sweep.gradient<T>());
    } else {
      sweep.give(record.inputs[k], -sweep.gradient<T>());
    }
  }
}

#define EBB_INSTANTIATE(T)                                                           \
  template Tensor<T> unary(const MapOp<T>&, const Operand<T>&, const FormulaState&); \
  template Tensor<T> binary(const MapOp<T>&, const Operand<T>&, const Operand<T>&);  \
  template void vjp_map<T>(Sweep&, std::uint32_t, Record&);                          \
  template void vjp_pull<T>(Sweep&, std::uint32_t, Record&);
EBB_INSTANTIATE(float)
EBB_INSTANTIATE(double)
#undef EBB_INSTANTIATE

}  // namespace ebb::inline v0::detail
