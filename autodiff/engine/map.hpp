// SPDX-License-Identifier: BSD-3-Clause
// How elementwise operations run forward, are recorded, and run backward. Nothing here knows a
// formula: each operation is an index into the kernel tables.
#pragma once
#include <cstring>
#include <span>

#include "ebb/autodiff/engine/sweep.hpp"

namespace ebb::inline v0::detail {

/// A formula on tensors, for higher orders: `in` is g and then what the slope reads.
template <class T>
using OnTensors = Tensor<T> (*)(const void* formula, std::span<const Tensor<T>> in);

/// The gradient of one input, as an operation of its own: inputs g and what the slope reads.
template <class T>
struct PullOp : Op {
  int index;
  int side;        // -1 for a unary operation
  unsigned reads;  // positions of (x, y) or (a, b, y) that are inputs after g
  OnTensors<T> formula;
};

/// An elementwise operation of one or two inputs.
template <class T>
struct MapOp : Op {
  int index;
  unsigned reads[2];
  int literal[2];  // the slope where it is the same everywhere
  const PullOp<T>* pull[2];
};

/// The formula's state as its record keeps it.
inline const void* formula_in(const Record& record) {
  return record.op->attribute_block ? static_cast<const void*>(record.attributes.block->payload())
                                    : &record.attributes.bits;
}

/// The state of a formula: in the record where it fits, else in a block.
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

/// f(x), recorded where x is.
template <class T>
Tensor<T> unary(const MapOp<T>& op, const Operand<T>& x, const FormulaState& formula);
/// f(a, b), broadcast, recorded where one of them is.
template <class T>
Tensor<T> binary(const MapOp<T>& op, const Operand<T>& a, const Operand<T>& b);

/// The arguments (g, x...) of a gradient g * slope(x...) that is about to be differentiated: where
/// g is 0, nothing goes back to x that is not finite. A gradient of zero annihilates at every
/// order.
template <class T>
std::vector<Tensor<T>> annihilated(std::span<const Tensor<T>> arguments);

/// The sweep of a `MapOp`.
template <class T, int arity>
void vjp_map(Sweep& sweep, std::uint32_t id, Record& record);
/// The sweep of a `PullOp`: opens the gradient of an operation into tensor operations, to
/// differentiate it again.
template <class T>
void vjp_pull(Sweep& sweep, std::uint32_t id, Record& record);

}  // namespace ebb::inline v0::detail
