// SPDX-License-Identifier: BSD-3-Clause
// The reverse sweep: one routine for first and higher orders, which consumes the tape or keeps it.
#pragma once
#include <span>

#include "ebb/autodiff/engine/vjp_context.hpp"

namespace ebb::inline v0::detail {

/// One pass over the records [low, high] of a tape, latest first.
class Sweep : VjpContext {
 public:
  using VjpContext::Mode;  // whether the sweep is recorded, and whether it consumes records

  Sweep(Records& tape, std::uint32_t low, std::uint32_t high, Mode mode);
  ~Sweep();

  /// Restricts the sweep to the records between these and the output, and keeps their gradients.
  /// Without it every record is on the way to a leaf.
  void restrict_to(std::span<const std::uint32_t> ids);
  /// Gives the output the gradient from which the sweep starts.
  using VjpContext::give;
  void run();
  /// Runs one record only: its inputs then have its part of their gradients.
  void run_only(std::uint32_t id);
  /// The gradient that has arrived at a record; an empty tensor if none has.
  template <class T>
  Tensor<T> arrived(std::uint32_t id) const;
  /// Ends a sweep over a whole tape: adds the gradients of the leaves to their cells, all of them
  /// or, if it throws, none.
  void commit();

 private:
  EBB_INLINE void visit(std::uint32_t id, Record& record);
  void run_vjp();
  /// @throws NonFiniteError if a gradient that the record has just given is not finite.
  void check_parts(const Record& record) const;

  Slot few_slots_[16];  // not initialised where there are fewer records
  BlockHandle many_slots_;
  bool committed_ = false;  // the gradients are in the cells, and the slots are empty
};

}  // namespace ebb::inline v0::detail
