// SPDX-License-Identifier: BSD-3-Clause
// How elementwise operations run forward, are recorded, and run backward. This code knows no
// formula: each operation is an index of the kernel tables.
#pragma once
#include <cstring>
#include <span>

#include "ebb/autodiff/engine/sweep.hpp"
#include "ebb/autodiff/kernels/table.hpp"

namespace ebb::inline v0::detail {

/// The gradient of one input, as a separate operation. Its inputs are g and the values that the
/// slope reads.
template <class T>
struct PullOp : Op {
  int index;
  int side;        // -1 for a unary operation
  unsigned reads;  // positions of (x, y) or (a, b, y) that are inputs after g
  /// The gradient in operations on tensors. `in` is g, followed by the values that the slope reads.
  Tensor<T> (*on_tensors)(const void* formula, std::span<const Tensor<T>> in);
};

/// An elementwise operation of one or two inputs.
template <class T>
struct MapOp : Op {
  int index;
  unsigned reads[2];
  int literal[2];  // the slope, if it is the same everywhere
  const PullOp<T>* pull[2];
};

/// The state of the formula, as its record keeps it.
inline const void* formula_in(const Record& record) {
  return record.op->attribute_block ? static_cast<const void*>(record.attributes.block->payload())
                                    : &record.attributes.bits;
}

/// The state of a formula: in the record if it fits, otherwise in a block.
struct FormulaState {
  const void* data = nullptr;
  std::uint64_t bits = 0;
  BlockHandle block;

  FormulaState() = default;
  explicit FormulaState(const Record& record) : data(formula_in(record)) {
    if (record.op->attribute_block) {
      block = BlockHandle(retain(record.attributes.block));
    } else {
      bits = record.attributes.bits;
      data = &bits;
    }
  }
  template <class O>
  static FormulaState of(const O& formula) {
    FormulaState state;
    if constexpr (!std::is_empty_v<O>) {
      static_assert(std::is_trivially_copyable_v<O>);
      state.block = BlockHandle(allocate_bytes(sizeof(O)));
      std::memcpy(state.block->payload(), &formula, sizeof(O));
      state.data = state.block->payload();
    }
    return state;
  }
};

/// An input that a record kept and that is no number. An operand that is on both sides is kept
/// once.
inline Block* kept_block(const Record& record, int k) {
  return record.kept[k] ? record.kept[k] : record.kept[0];
}
/// The kernel of a pull. Its operands are g, then the inputs and the output of the operation.
template <class T>
Map<T> kernel_of(const PullOp<T>& op) {
  return op.side < 0 ? kernels<T>().unary_pull[op.index]
                     : kernels<T>().binary_pull[op.index][op.side];
}

/// Computes f(x), recorded if x is recorded.
template <class T>
Tensor<T> unary(const MapOp<T>& op, const Operand<T>& x, const FormulaState& formula);
/// Computes f(a, b) with broadcasting, recorded if a or b is recorded.
template <class T>
Tensor<T> binary(const MapOp<T>& op, const Operand<T>& a, const Operand<T>& b);

/// Runs the sweep of a `MapOp`.
template <class T, int arity>
void vjp_map(VjpContext context);
/// Runs the sweep of a `MapOp` for several directions.
template <class T, int arity>
bool directions_of_map(DirectionsContext context);
/// Runs the sweep of a `PullOp`.
template <class T>
void vjp_pull(VjpContext context);
template <class T>
bool directions_of_pull_node(DirectionsContext context);

}  // namespace ebb::inline v0::detail
