// SPDX-License-Identifier: BSD-3-Clause
// How elementwise operations run backward for several directions: their kernels, with the
// directions as a further axis that the inputs do not have.
#include <algorithm>

#include "ebb/autodiff/engine/directions.hpp"
#include "ebb/autodiff/engine/map.hpp"
#include "ebb/autodiff/kernels/broadcast.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
namespace {

/// What a pull reads, for the gradients of all directions.
template <class T, int arity>
struct Operands {
  Argument x[arity + 2];  // g, the inputs and the output
  bool is_flat = true;    // each is a single value or has the shape of the output

  Operands(DirectionsContext context, unsigned reads) {
    const Record& record = context.record();
    const Shape& shape = context.shape();
    for (int k = 0; k < arity; ++k) {
      if (!(reads >> k & 1U)) continue;
      x[k + 1] = record.input(k);
      if (x[k + 1].is_number()) continue;
      x[k + 1].block = kept_block(record, k);
      is_flat = is_flat && (x[k + 1].block->is_single() || x[k + 1].block->shape == shape);
    }
    if (reads >> arity & 1U) x[arity + 1] = {record.kept[3], context.id()};
    x[0].block = context.gradients();
  }
};

/// Runs the kernel into gradients of the shape of the result, for each direction.
template <class T, int arity>
void pull_all(DirectionsContext context, const PullOp<T>& op, const Operands<T, arity>& operands,
              Block* out, bool accumulate) {
  const Shape& shape = context.shape();
  const std::int64_t n = shape.size(), count = context.count();
  const Map<T> kernel = kernel_of(op);
  const void* const formula = formula_in(context.record());
  if (n == 0) return;
  if (operands.is_flat) {
    In<T> in[4] = {};
    const Grid grid = n == 1 ? Grid{1, count} : Grid{count, n};
    in[0] = {operands.x[0].block->template data<T>(), n, 1};
    for (int k = 1; k < arity + 2; ++k) {
      const Argument& x = operands.x[k];
      if (x.is_number()) {
        in[k] = {&x.value<T>(), 0, 0};
      } else if (x.block) {
        in[k] = {x.block->template data<T>(), 0, x.block->is_single() ? 0 : 1};
      }
    }
    return kernel(out->data<T>(), in, grid, formula, accumulate);
  }
  const Shape all = with_directions(count, shape);
  const BlockHandle g(
      allocate_view(operands.x[0].block, operands.x[0].block->template data<T>(), all));
  Layout<T, arity + 2> in(all);
  in.set(0, g.get(), nullptr);
  for (int k = 1; k < arity + 2; ++k) {
    const Argument& x = operands.x[k];
    if (x.is_number()) {
      in.set(k, nullptr, &x.value<T>());
    } else if (x.block) {
      in.set(k, x.block, nullptr);
    }
  }
  in.run(out->data<T>(),
         [&](T* o, const In<T>* i, Grid grid) { kernel(o, i, grid, formula, accumulate); });
}

}  // namespace

template <class T, int arity>
bool directions_of_map(DirectionsContext context) {
  const Record& record = context.record();
  const auto& op = static_cast<const MapOp<T>&>(*record.op);
  const Shape shape = context.shape();
  unsigned reads = 0;
  bool is_stretched = false;
  for (int k = 0; k < arity; ++k) {
    const std::uint32_t id = record.inputs[k];
    if (!context.needs(id)) continue;
    if (op.literal[k] == op::not_literal) reads |= op.reads[k];
    is_stretched |= !(context.tape().shape_of(id) == shape);
  }
  const Operands<T, arity> operands(context, reads);
  if ((is_stretched || !operands.is_flat) && shape.rank() == Shape::max_rank) return false;
  for (int k = 0; k < arity; ++k) {
    const std::uint32_t id = record.inputs[k];
    if (!context.needs(id) || op.literal[k] == 0) continue;
    if (op.literal[k] == 1) {
      context.give<T>(id, BlockHandle(retain(context.gradients())), shape);
      continue;
    }
    const bool pulls = op.literal[k] == op::not_literal;
    const bool fits = context.tape().shape_of(id) == shape;
    Block* const into = pulls && fits ? context.accumulator(id) : nullptr;
    if (into) {
      pull_all(context, *op.pull[k], operands, into, true);
      continue;
    }
    BlockHandle parts(allocate({context.count(), shape.size()}, sizeof(T)));
    if (pulls) {
      pull_all(context, *op.pull[k], operands, parts.get(), false);
    } else {
      const T* const g = context.gradients()->template data<T>();
      std::transform(g, g + parts->shape.size(), parts->data<T>(), [](T v) { return -v; });
    }
    context.give<T>(id, std::move(parts), shape);
  }
  return true;
}

template bool directions_of_map<float, 1>(DirectionsContext);
template bool directions_of_map<double, 1>(DirectionsContext);
template bool directions_of_map<float, 2>(DirectionsContext);
template bool directions_of_map<double, 2>(DirectionsContext);

}  // namespace ebb::inline v0::detail
