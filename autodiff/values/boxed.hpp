// SPDX-License-Identifier: BSD-3-Clause
// User functions as attributes of records.
#pragma once
#include <new>
#include <utility>

#include "ebb/autodiff/values/memory.hpp"

namespace ebb::inline v0::detail {

/// An object that a record holds, and destroys together with itself.
template <class State>
Block* boxed(State state) {
  static_assert(alignof(State) <= 64);
  BlockHandle block(allocate_bytes(sizeof(State)));
  new (block->payload()) State(std::move(state));
  return block.take();
}
template <class State>
State& unboxed(Block* block) {
  return *std::launder(reinterpret_cast<State*>(block->payload()));
}
template <class State>
void destroy_boxed(Block* block) {
  unboxed<State>(block).~State();
}

}  // namespace ebb::inline v0::detail
