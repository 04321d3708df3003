// SPDX-License-Identifier: BSD-3-Clause
// What the vjp of a record works with in a sweep.
#pragma once
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

/// The record whose turn it is in a sweep, the gradient of its result, and the gradients of its
/// inputs, to which its vjp adds. A `Sweep` is the context of one record after another.
class VjpContext {
 public:
  VjpContext(const VjpContext&) = delete;

  Records& tape() const { return tape_; }
  /// Whether the sweep is recorded itself, on the same tape, for higher orders.
  bool is_recorded() const { return mode_.record; }
  /// Whether records are removed, and their arrays freed, as the sweep passes.
  bool consumes() const { return mode_.consume; }

  Record& record() const { return *record_; }
  std::uint32_t id() const { return id_; }
  /// The shape of the result.
  const Shape& shape() const { return tape_.shape_at(record_->shape); }
  /// True if an input needs a part of the gradient; false for constants and numbers.
  bool needs(std::uint32_t id) const {
    return id - low_ <= high_ - low_ && (!marks_ || mark(id) != unneeded);
  }
  /// An argument that a record kept.
  template <class T>
  Tensor<T> tensor(const Argument& x) const {
    if (x.is_number()) return Tensor<T>(T(x.value()));
    return Access::tensor<T>(retain(x.block), place(x.id));
  }
  /// The result, if the record kept it.
  template <class T>
  Tensor<T> result() const {
    return tensor<T>({record_->kept[3], id_});
  }

  /// The gradient of the result. It may be uniform.
  template <class T>
  Tensor<T> gradient() const {
    return Access::tensor<T>(retain(current_.block), place(current_.id));
  }
  /// Moves the gradient of the result to the caller, who may overwrite it. Call it last.
  template <class T>
  Tensor<T> take_gradient() {
    return Access::tensor<T>(std::exchange(current_.block, nullptr), place(current_.id));
  }
  template <class T>
  Tensor<T> gradient(bool last) {
    return last ? take_gradient<T>() : gradient<T>();
  }
  Block* gradient_block() const { return current_.block; }

  /// Adds to the gradient of an input, after summing over axes that were broadcast.
  template <class T>
  void give(std::uint32_t id, Tensor<T> part) {
    if (!(Access::block(part)->shape == tape_.shape_of(id))) part = reduced(part, id);
    Slot& to = slot(id);
    if (to.block) return add(id, std::move(part));
    to = {Access::block(part), mode_.record ? Access::place(part).record : 0};
    Access::take(std::move(part));
  }
  /// Adds to the gradient of input k a part that is not computed yet. `last` is true if the
  /// gradient of the result is not needed after this.
  template <class T>
  void give(int k, const Product& product, bool last);
  template <class T>
  void give(int k, Upstream, bool last) {
    give(record_->inputs[k], gradient<T>(last));
  }
  /// The gradient of an input, if a kernel may add to it in place; otherwise null.
  Block* accumulator(std::uint32_t id) const {
    if (mode_.record) return nullptr;
    Block* block = slot(id).block;
    return block && writable(block) ? block : nullptr;
  }
  /// The gradient of the result, if nothing else reads it any more: the block then belongs to the
  /// caller. Otherwise null.
  Block* reuse_gradient() {
    return !mode_.record && writable(current_.block) ? std::exchange(current_.block, nullptr)
                                                     : nullptr;
  }
  /// A block that the record kept, if nothing else holds it: it then belongs to the caller.
  /// Otherwise null.
  Block* reuse_kept(int k) const {
    Block*& kept = record_->kept[k];
    return mode_.consume && kept && writable(kept) ? std::exchange(kept, nullptr) : nullptr;
  }

 protected:
  struct Mode {
    bool record, consume;
  };
  struct Slot {
    Block* block;
    std::uint32_t id;  // the id of the gradient, if the sweep is recorded
  };
  enum Mark : char { unneeded = 0, needed = 1, wanted = 2 };

  VjpContext(Records& tape, std::uint32_t low, std::uint32_t high, Mode mode)
      : tape_(tape), low_(low), high_(high), mode_(mode) {}
  ~VjpContext() = default;

  static bool writable(const Block* block) {
    return block->is_sole() && block->flags == Block::plain;
  }
  Place place(std::uint32_t id) const { return mode_.record && id ? tape_.place(id) : Place(); }
  Slot& slot(std::uint32_t id) const { return slots_[id - low_]; }
  Mark mark(std::uint32_t id) const { return marks_->data<Mark>()[id - low_]; }

  Records& tape_;
  const std::uint32_t low_, high_;  // the records of the sweep
  const Mode mode_;
  Slot* slots_;        // the gradient of each record
  BlockHandle marks_;  // of each record; without marks, every record is needed
  Record* record_;
  std::uint32_t id_;
  Slot current_{};  // the gradient of the result

 private:
  template <class T>
  Tensor<T> factor(Product::Factor factor) const {
    return factor == Product::g ? gradient<T>() : tensor<T>(record_->input(factor - Product::a));
  }
  /// A part of a gradient, summed to the shape of a record that was broadcast.
  template <class T>
  Tensor<T> reduced(const Tensor<T>& part, std::uint32_t id);
  /// Adds to a gradient of the same shape.
  template <class T>
  void add(std::uint32_t id, Tensor<T> part);
};

}  // namespace ebb::inline v0::detail
