// SPDX-License-Identifier: BSD-3-Clause
// The reverse sweep: one routine for first and higher orders, which consumes the tape or keeps it.
#pragma once
#include <functional>
#include <span>

#include "ebb/autodiff/engine/record.hpp"

namespace ebb::inline v0::detail {

/// x summed over the axes that a broadcast from `shape` stretched. Defined with the operations of
/// shapes, which are above the engine.
template <class T>
Block* sum_to_block(Block* x, const Shape& shape);

/// Returned by a vjp if the gradient of an input is that of the result.
struct Upstream {};

/// Returned by a vjp for a matrix product that is not computed yet: the sweep adds it to the
/// gradient that is already there, or records it. Its factors are g, the gradient of the result,
/// and the inputs a and b that the record kept.
struct Product {
  enum Factor { g, a, b };
  Factor left, right;
  bool transpose_left = false, transpose_right = false;
};

/// One pass over the records [low, high] of a tape, latest first.
class Sweep {
 public:
  struct Mode {
    bool record;   ///< the sweep is recorded on the same tape, for higher orders
    bool consume;  ///< records are removed, and their arrays freed, as the sweep passes
  };

  Sweep(Records& tape, std::uint32_t low, std::uint32_t high, Mode mode);
  ~Sweep();
  Sweep(const Sweep&) = delete;

  /// Restricts the sweep to the records between these and the output, and keeps their gradients.
  /// Without it every record is on the way to a leaf.
  void restrict_to(std::span<const std::uint32_t> ids);
  void run();
  /// Runs one record only: its inputs then have its part of their gradients.
  void run_only(std::uint32_t id);
  /// The gradient that has arrived at a record; an empty tensor if none has.
  template <class T>
  Tensor<T> arrived(std::uint32_t id) const;
  /// Ends a sweep over a whole tape: adds the gradients of the leaves to their cells, all of them
  /// or, if it throws, none.
  void commit();

  // Functions for the vjp of a record.

  Records& tape() { return tape_; }
  bool records() const { return mode_.record; }
  bool consumes() const { return mode_.consume; }
  /// True if an input needs a part of the gradient; false for constants and numbers.
  bool needs(std::uint32_t id) const {
    return id - low_ <= high_ - low_ && (!marks_ || mark(id) != unneeded);
  }
  const Shape& shape_of(const Record& record) { return tape_.shape_at(record.shape); }
  /// The gradient of the record's output. It may be uniform.
  template <class T>
  Tensor<T> gradient() const {
    return Access::tensor<T>(retain(current_.block), place(current_.id));
  }
  /// Moves the gradient of the output to the caller, who may overwrite it. Call it last.
  template <class T>
  Tensor<T> take_gradient() {
    return Access::tensor<T>(std::exchange(current_.block, nullptr), place(current_.id));
  }
  template <class T>
  Tensor<T> gradient(bool last) {
    return last ? take_gradient<T>() : gradient<T>();
  }
  /// A block that a record kept of its input, or of its output, with this id.
  template <class T>
  Tensor<T> tensor(Block* block, std::uint32_t id) const {
    return Access::tensor<T>(retain(block), place(id));
  }
  template <class T>
  Tensor<T> kept(const Record& record, int k, std::uint32_t id) const {
    return tensor<T>(record.kept[k], id);
  }
  /// Adds to the gradient of an input, after summing over axes that were broadcast.
  template <class T>
  void give(std::uint32_t id, Tensor<T> part) {
    if (!(Access::block(part)->shape == tape_.shape_of(id))) part = reduced(part, id);
    Slot& to = slot(id);
    if (to.block) return add(id, std::move(part));
    to = {Access::block(part), mode_.record ? Access::place(part).record : 0};
    Access::take(std::move(part));
  }
  /// Adds to the gradient of input k of a record a part that is not computed yet. `last` is true if
  /// the gradient of the output is not needed after this.
  template <class T>
  void give(Record& record, int k, const Product& product, bool last);
  template <class T>
  void give(Record& record, int k, Upstream, bool last) {
    give(record.inputs[k], gradient<T>(last));
  }
  /// The gradient of an input, if a kernel may add to it in place; otherwise null.
  Block* accumulator(std::uint32_t id) const {
    if (mode_.record) return nullptr;
    Block* block = slot(id).block;
    return block && writable(block) ? block : nullptr;
  }
  /// The gradient of the output, if nothing else reads it any more: the block then belongs to the
  /// caller. Otherwise null.
  Block* reuse_gradient() {
    return !mode_.record && writable(current_.block) ? std::exchange(current_.block, nullptr)
                                                     : nullptr;
  }
  /// A block that the record kept, if nothing else holds it: it then belongs to the caller.
  /// Otherwise null.
  Block* reuse_kept(Record& record, int k) const {
    if (!mode_.consume || !record.kept[k] || !writable(record.kept[k])) return nullptr;
    return std::exchange(record.kept[k], nullptr);
  }
  Block* gradient_block() const { return current_.block; }

  /// Differentiates f at tensors that records kept, by recording it: the way to every higher order.
  /// Gives `inputs[k]` its part for each k that the sweep needs. The other inputs are constants of
  /// this sweep; if it is recorded, they keep their places, since its results depend on them.
  template <class T>
  void differentiate_recorded(std::span<const std::uint32_t> inputs, std::span<const Tensor<T>> at,
                              const std::function<Tensor<T>(std::span<const Tensor<T>>)>& f);

 private:
  struct Slot {
    Block* block;
    std::uint32_t id;  // the id of the gradient, if the sweep is recorded
  };
  enum Mark : char { unneeded = 0, needed = 1, wanted = 2 };

  static bool writable(const Block* block) {
    return block->is_sole() && block->flags == Block::plain;
  }
  Place place(std::uint32_t id) const {
    return mode_.record && id && id != Argument::number ? tape_.place(id) : Place();
  }
  Slot& slot(std::uint32_t id) const { return slots_[id - low_]; }
  Mark mark(std::uint32_t id) const { return marks_->data<Mark>()[id - low_]; }
  EBB_INLINE void visit(std::uint32_t id, Record& record);
  /// @throws NonFiniteError if a gradient that the record has just given is not finite.
  void check_parts(const Record& record) const;
  template <class T>
  Tensor<T> factor(const Record& record, Product::Factor factor) const {
    if (factor == Product::g) return gradient<T>();
    const int k = factor == Product::a ? 0 : 1;
    return kept<T>(record, k, record.inputs[k]);
  }
  /// A part of a gradient, summed to the shape of a record that was broadcast.
  template <class T>
  Tensor<T> reduced(const Tensor<T>& part, std::uint32_t id);
  /// Adds to a gradient of the same shape.
  template <class T>
  void add(std::uint32_t id, Tensor<T> part);

  Records& tape_;
  std::uint32_t low_, high_;
  Mode mode_;
  Slot* slots_;         // one for each record
  Slot few_slots_[16];  // not initialised where there are fewer records
  BlockHandle many_slots_, marks_;
  Slot current_{};
  bool committed_ = false;  // the gradients are in the cells, and the slots are empty
};

/// Records the identity of an input, or of none if `input` is `Argument::constant`: a new place on
/// a tape for a value that is there already. Gradients pass through it.
template <class T>
Tensor<T> identity_record(Records& tape, std::uint32_t input, const Tensor<T>& value);

}  // namespace ebb::inline v0::detail
