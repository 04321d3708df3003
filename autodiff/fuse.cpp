// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/fuse.hpp"

#include <array>

#include "ebb/autodiff/kernels/table.hpp"
#include "ebb/autodiff/ops/alias.hpp"
#include "ebb/autodiff/sweep.hpp"

namespace ebb::inline v0::detail {
namespace {

/// The arguments of one call, dense or single values, all of the output's shape otherwise.
template <class T>
struct Fused {
  const FusedLoops<T>* loops;
  FusedReduction reduction;
  Shape shape;
  int count = 0;
  int inputs = 0;                                      // how many are not numbers
  std::array<Tensor<T>, max_fused_arguments> tensors;  // owned; numbers as constants
  std::array<bool, max_fused_arguments> is_number{};
  std::array<std::uint32_t, max_fused_arguments> ids{};

  FusedArguments<T> arguments() const {
    FusedArguments<T> in;
    for (int i = 0; i < count; ++i) {
      Block* block = Access::block(tensors[std::size_t(i)]);
      in.data[i] = block->data<T>();
      in.splat[i] = block->is_uniform() || block->shape.size() == 1;
    }
    return in;
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

struct Extra {
  FusedReduction reduction;
  int count;         // arguments
  unsigned numbers;  // one bit an argument
  int pulled;        // the argument that a pull differentiates

  void store(Record& record) const {
    record.inputs[0] = std::uint32_t(reduction) | std::uint32_t(pulled) << 8;
    record.inputs[1] = std::uint32_t(count);
    record.inputs[2] = numbers;
  }
  static Extra of(const Record& record) {
    return {FusedReduction(record.inputs[0] & 0xff), int(record.inputs[1]), record.inputs[2],
            int(record.inputs[0] >> 8)};
  }
};

/// A wide record: takes over the references in `entries`.
template <class T>
Place push(Recorder& tape, const Op& op, const Shape& shape, const FusedLoops<T>& loops,
           const Extra& extra, std::span<BlockHandle> blocks, std::span<const std::uint32_t> ids) {
  BlockHandle inputs(allocate_bytes(Wide::bytes(blocks.size())));
  Record& record = tape.next();
  const std::uint32_t shape_index = tape.intern(shape);
  Wide& wide = *inputs->data<Wide>();
  wide.count = std::uint32_t(blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    wide.entries[i] = {blocks[i].take(), i < ids.size() ? ids[i] : 0};
  }
  record.op = &op;
  record.shape = shape_index;
  record.attributes.bits = reinterpret_cast<std::uintptr_t>(&loops);
  record.kept[0] = inputs.take();
  for (int k = 1; k < 4; ++k) record.kept[k] = nullptr;
  extra.store(record);
  return tape.place(tape.publish());
}

template <class T>
Fused<T> read_record(Sweep& sweep, const Record& record, int first) {
  const Wide& wide = *record.kept[0]->template data<Wide>();
  const Extra extra = Extra::of(record);
  Fused<T> fused{&loops_of<T>(record), extra.reduction, {}, extra.count, 0, {}, {}, {}};
  for (int i = 0; i < extra.count; ++i) {
    const auto k = std::size_t(i);
    const Wide::Entry& entry = wide.entries[i + first];
    fused.ids[k] = entry.id;
    fused.is_number[k] = extra.numbers >> i & 1U;
    fused.inputs += fused.is_number[k] ? 0 : 1;
    fused.tensors[k] = Access::tensor<T>(
        retain(entry.kept), sweep.records() && entry.id ? sweep.tape().place(entry.id) : Place());
  }
  return fused;
}

/// Runs a loop that writes gradients of the inputs in `wanted`, one bit an input.
template <class T>
double run_loop(const typename FusedLoops<T>::Loop (&loop)[3], const Fused<T>& fused, T* y,
                std::span<const BlockHandle> gradients, unsigned wanted, const T* g, bool g_splat,
                double scale) {
  FusedOutputs<T> out{y, {}, g, g_splat, T(scale), -1};
  for (int k = 0; k < fused.inputs; ++k) {
    out.gradient[k] = gradients.size() > std::size_t(k) && gradients[std::size_t(k)]
                          ? gradients[std::size_t(k)]->template data<T>()
                          : nullptr;
  }
  if (fused.inputs > 1 && __builtin_popcount(wanted) == 1) out.only = __builtin_ctz(wanted);
  return loop[int(instruction_set())](fused.arguments(), out, fused.shape.size());
}

/// The gradient of argument i as a recorded operation of g and the arguments.
template <class T>
Tensor<T> pull_node(const Fused<T>& fused, int argument, const Tensor<T>& g, BlockHandle value) {
  Recorder& tape = *recorder();
  std::array<BlockHandle, max_fused_arguments + 1> blocks;
  std::array<std::uint32_t, max_fused_arguments + 1> ids{};
  blocks[0] = BlockHandle(retain(Access::block(g)));
  ids[0] = Access::place(g).record;
  unsigned numbers = 0;
  for (int i = 0; i < fused.count; ++i) {
    const auto k = std::size_t(i);
    blocks[k + 1] = BlockHandle(retain(Access::block(fused.tensors[k])));
    ids[k + 1] = fused.ids[k];
    numbers |= fused.is_number[k] ? 1U << i : 0U;
  }
  const auto n = std::size_t(fused.count) + 1;
  const Place place =
      push<T>(tape, fuse_pull_op<T>, value->shape, *fused.loops,
              {fused.reduction, fused.count, numbers, argument}, std::span(blocks).first(n),
              std::span<const std::uint32_t>(ids).first(n));
  return Access::tensor<T>(value.take(), place);
}

template <class T>
void vjp_fuse(Sweep& sweep, std::uint32_t, Record& record) {
  Wide& wide = *record.kept[0]->template data<Wide>();
  Fused<T> fused = read_record<T>(sweep, record, 0);
  Block* g = sweep.gradient_block();
  std::array<BlockHandle, max_fused_inputs> gradients;
  unsigned wanted = 0;
  for (int i = 0, input = 0; i < fused.count; ++i) {
    if (fused.is_number[std::size_t(i)]) continue;
    if (sweep.needs(wide.entries[i].id)) wanted |= 1U << input;
    ++input;
  }
  if (wanted == 0) return;
  if (fused.reduction == FusedReduction::none) {
    fused.shape = sweep.shape_of(record);
    for (int k = 0; k < fused.inputs; ++k) {
      if (wanted >> k & 1U)
        gradients[std::size_t(k)] = BlockHandle(allocate(fused.shape, sizeof(T)));
    }
    run_loop<T>(fused.loops->pull, fused, nullptr, gradients, wanted, g->data<T>(),
                g->is_uniform() || g->shape.size() == 1, 1);
  } else {
    // Computed on the way forward for an upstream gradient of 1.
    const T upstream = *g->data<T>();
    for (int k = 0; k < fused.inputs; ++k) {
      if (!(wanted >> k & 1U)) continue;
      Block*& kept = wide.entries[fused.count + k].kept;
      const bool mine = !sweep.records() && sweep.consumes() && kept->is_sole();
      BlockHandle& to = gradients[std::size_t(k)];
      if (mine || upstream == T(1)) {
        to = BlockHandle(mine ? std::exchange(kept, nullptr) : retain(kept));
      } else {
        to = BlockHandle(allocate(kept->shape, sizeof(T)));
      }
      if (upstream == T(1)) continue;
      const In<T> in[] = {
          {g->data<T>(), 0, 0}, {}, {kept ? kept->data<T>() : to->data<T>(), 0, 1}, {}};
      constexpr int mul = op::index_in<op::Mul>(op::Binary{});
      kernels<T>().binary_pull[mul][0](to->template data<T>(), in, {1, to->shape.size()}, nullptr,
                                       false);
    }
  }
  const Tensor<T> upstream = sweep.records() ? sweep.gradient<T>() : Tensor<T>();
  for (int i = 0, input = 0; i < fused.count; ++i) {
    if (fused.is_number[std::size_t(i)]) continue;
    BlockHandle& value = gradients[std::size_t(input++)];
    if (!value) continue;
    const std::uint32_t id = fused.ids[std::size_t(i)];
    if (sweep.records()) {
      sweep.give(id, pull_node(fused, i, upstream, std::move(value)));
    } else {
      sweep.give(id, Access::tensor<T>(value.take()));
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
  const Wide& wide = *record.kept[0]->template data<Wide>();
  const Extra extra = Extra::of(record);
  const Fused<T> fused = read_record<T>(sweep, record, 1);
  std::vector<std::uint32_t> ids{wide.entries[0].id};
  std::vector<Tensor<T>> at{Access::tensor<T>(retain(wide.entries[0].kept))};
  for (int i = 0; i < fused.count; ++i) {
    ids.push_back(fused.ids[std::size_t(i)]);
    at.push_back(fused.tensors[std::size_t(i)]);
  }
  const auto argument = std::size_t(extra.pulled) + 1;
  sweep.open<T>(ids, at, [&](std::span<const Tensor<T>> x) {
    std::vector<Tensor<T>> points(x.begin() + 1, x.end());
    // The input may be constant here; differentiating needs a place for it.
    Tensor<T>& point = points[argument - 1];
    if (Access::place(point).is_constant()) point = fresh_leaf(*recorder(), 0, point);
    const Tensor<T> y =
        on_tensors(*fused.loops, extra.reduction, std::span<const Tensor<T>>(points));
    if (Access::place(y).is_constant()) return Tensor<T>(Array<T>::zeros(point.shape()));
    return grad(y, {point}, {.create_graph = true}, &x[0])[0];
  });
}

}  // namespace

template <class T>
Tensor<T> fuse_arguments(const FusedLoops<T>& loops, FusedReduction reduction,
                         std::span<const FusedArgument<T>> arguments) {
  Fused<T> fused{&loops, reduction, {}, int(arguments.size()), 0, {}, {}, {}};
  unsigned numbers = 0;
  bool same = true;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (!arguments[i].operand) {
      fused.is_number[i] = true;
      numbers |= 1U << i;
      fused.tensors[i] = Tensor<T>(arguments[i].number);
      continue;
    }
    const Source<T> source = Access::source(*arguments[i].operand);
    if (source.is_number()) throw_empty_operand();
    fused.tensors[i] = Access::tensor<T>(retain(source.block), source.place);
    const Shape& shape = source.block->shape;
    if (fused.inputs++ == 0) {
      fused.shape = shape;
    } else if (!(shape == fused.shape)) {
      fused.shape = broadcast("fuse", fused.shape, shape);
      same = false;
    }
  }
  if (!same) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      Tensor<T>& x = fused.tensors[i];
      if (x.size() != 1 && !(x.shape() == fused.shape)) x = broadcast_to(x, fused.shape);
    }
  }
  Inputs<1> inputs;
  unsigned active = 0;
  for (std::size_t i = 0, input = 0; i < arguments.size(); ++i) {
    if (fused.is_number[i]) continue;
    inputs.add(0, "fuse", Access::place(fused.tensors[i]));
    fused.ids[i] = inputs.ids[0];
    if (inputs.ids[0]) active |= 1U << input;
    ++input;
  }
  const bool reduces = reduction != FusedReduction::none;
  BlockHandle y(allocate(reduces ? Shape() : fused.shape, sizeof(T)));
  std::array<BlockHandle, max_fused_arguments + max_fused_inputs> blocks;
  const auto count = std::size_t(fused.count);
  const std::span gradients = std::span(blocks).subspan(count, std::size_t(fused.inputs));
  if (!reduces) {
    run_loop<T>(loops.value, fused, y->data<T>(), {}, 0, nullptr, false, 1);
  } else {
    const double scale = reduction == FusedReduction::mean ? 1 / double(fused.shape.size()) : 1.0;
    for (int k = 0; active && k < fused.inputs; ++k) {
      if (active >> k & 1U)
        gradients[std::size_t(k)] = BlockHandle(allocate(fused.shape, sizeof(T)));
    }
    const double total = active ? run_loop<T>(loops.sum_and_gradient, fused, nullptr, gradients,
                                              active, nullptr, false, scale)
                                : run_loop<T>(loops.sum, fused, nullptr, {}, 0, nullptr, false, 1);
    *y->data<T>() =
        T(reduction == FusedReduction::mean ? total / double(fused.shape.size()) : total);
  }
  if (!inputs.recorded) return Access::tensor<T>(y.take(), inputs.place_of_unrecorded());
  for (std::size_t i = 0; i < count; ++i) {
    blocks[i] = BlockHandle(retain(Access::block(fused.tensors[i])));
  }
  const std::size_t entries = count + (reduces ? std::size_t(fused.inputs) : 0);
  const Place place = push<T>(
      *inputs.tape, fuse_op<T>, y->shape, loops, {reduction, fused.count, numbers, 0},
      std::span(blocks).first(entries), std::span<const std::uint32_t>(fused.ids).first(count));
  return Access::tensor<T>(y.take(), place);
}

template EBB_API Tensor<float> fuse_arguments(const FusedLoops<float>&, FusedReduction,
                                              std::span<const FusedArgument<float>>);
template EBB_API Tensor<double> fuse_arguments(const FusedLoops<double>&, FusedReduction,
                                               std::span<const FusedArgument<double>>);

}  // namespace ebb::inline v0::detail
