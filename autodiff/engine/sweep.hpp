// SPDX-License-Identifier: BSD-3-Clause
// The reverse sweep: one routine for first and higher orders, which consumes the tape or keeps it.
#pragma once
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

/// A gradient to which a vjp adds rows, or what stands at some places of another axis.
struct RowGradient {
  Block* block;  ///< dense, writable
  /// Lists the rows, or the places along another axis, that were added to; null if nobody asks.
  std::vector<std::int64_t>* rows;
};

/// One pass over the records [low, high] of a tape, latest first.
class Sweep {
 public:
  struct Mode {
    bool record;           ///< the sweep is recorded on the same tape, for higher orders
    bool consume;          ///< records are removed, and their arrays freed, as the sweep passes
    bool commits = false;  ///< `commit` ends the sweep, and no record is left out
  };

  Sweep(Records& tape, std::uint32_t low, std::uint32_t high, Mode mode);
  ~Sweep();
  Sweep(const Sweep&) = delete;

  /// Restricts the sweep to the records between these and the output, and keeps their gradients.
  /// Without it every record is on the way to a leaf.
  void restrict_to(std::span<const std::uint32_t> ids);
  /// Adds to the gradient of a record, after summing over axes that were broadcast.
  template <class T>
  EBB_INLINE void give(std::uint32_t id, Tensor<T>&& part) {
    if (!(Access::block(part)->shape == tape_.shape_of(id))) part = reduced(part, id);
    Slot& to = slot(id);
    if (to.block) return add(id, std::move(part));
    to = {Access::block(part), mode_.record ? Access::place(part).record : 0};
    Access::take(std::move(part));
  }
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
  friend class VjpContext;
  friend class DirectionSweep;
  friend class DirectionsContext;
  struct Slot {
    Block* block;
    std::uint32_t id;  // the id of the gradient, if the sweep is recorded
  };
  enum Mark : char { unneeded = 0, needed = 1, wanted = 2 };
  /// The gradient of a leaf of which only some rows were drawn. While this holds the block, nothing
  /// else writes to it: what is added to it besides makes another block, in the slot.
  struct Drawn {
    std::uint32_t id;
    int axis;  // of which the rows are places
    BlockHandle block;
    std::vector<std::int64_t> rows;
  };

  /// The gradient of a further result of an operation.
  struct Left {
    std::uint32_t first;
    int result;
    BlockHandle block;
    std::uint32_t id;  // that of the gradient, if the sweep is recorded
  };

  static bool writable(const Block* block) {
    return block->is_sole() && block->flags == Block::plain;
  }
  bool needs(std::uint32_t id) const {
    return id - low_ <= high_ - low_ && (!marks_ || mark(id) != unneeded);
  }
  Place place(std::uint32_t id) const { return mode_.record && id ? tape_.place(id) : Place(); }
  Slot& slot(std::uint32_t id) const { return slots_[id - low_]; }
  Mark mark(std::uint32_t id) const { return marks_->data<Mark>()[id - low_]; }
  EBB_INLINE void visit(std::uint32_t id, Record& record);
  void run_vjp(Record& record);
  /// The record of the first result gets zeros if nothing has arrived there, so that it is visited.
  void leave_gradient(std::uint32_t first, int result);
  void left_gradient(std::uint32_t first, int result, BlockHandle block, std::uint32_t id = 0);
  /// @throws NonFiniteError if a gradient that the record has just given is not finite.
  void check_parts(const Record& record) const;
  template <class T>
  void give_product(Record& record, int k, const Product& product);
  template <class T>
  Block* dense_gradient(std::uint32_t id);
  template <class T>
  RowGradient row_gradient(std::uint32_t id, std::int64_t count, int axis);
  template <class T>
  Tensor<T> further_gradient(int result) const;
  void drop_further_gradients();
  /// Takes the gradients of few rows out of the slots. @throws what allocation throws.
  void prepare_drawn();
  /// Moves them into their cells.
  void put_drawn_rows();
  /// The leaf with this id; null for another record.
  const Leaf* leaf_of(std::uint32_t id) const;
  /// A part of a gradient, summed to the shape of a record that was broadcast.
  template <class T>
  Tensor<T> reduced(const Tensor<T>& part, std::uint32_t id);
  /// Adds to a gradient of the same shape.
  template <class T>
  void add(std::uint32_t id, Tensor<T>&& part);

  Records& tape_;
  std::uint32_t low_, high_;
  Mode mode_;
  Slot* slots_;         // one for each record
  Slot few_slots_[16];  // not initialised where there are fewer records
  BlockHandle many_slots_, marks_;
  Slot current_{};  // the gradient of the record whose vjp runs
  std::uint32_t visited_;
  std::unique_ptr<std::vector<Drawn>> drawn_;
  std::unique_ptr<std::vector<Left>> left_;  // those of one operation behind each other
  bool committed_ = false;  // the gradients are in the cells, and the slots are empty
};

/// A view, passed by value, of what the vjp of a record works with: the record, the gradient of its
/// result, and the gradients of its inputs, to which the vjp adds.
class VjpContext {
 public:
  VjpContext(Sweep& sweep, Record& record) : sweep_(sweep), record_(record) {}

  Records& tape() const { return sweep_.tape_; }
  /// Whether the sweep is recorded itself, on the same tape, for higher orders.
  bool is_recorded() const { return sweep_.mode_.record; }
  /// Whether records are removed, and their arrays freed, as the sweep passes.
  bool consumes() const { return sweep_.mode_.consume; }

  Record& record() const { return record_; }
  std::uint32_t id() const { return sweep_.visited_; }
  /// The shape of the result.
  const Shape& shape() const { return tape().shape_at(record_.shape); }
  /// True if an input needs a part of the gradient; false for constants and numbers.
  bool needs(std::uint32_t id) const { return sweep_.needs(id); }
  /// An argument that a record kept.
  template <class T>
  Tensor<T> tensor(const Argument& x) const {
    if (x.is_number()) return Tensor<T>(x.value<T>());
    return Access::tensor<T>(retain(x.block), sweep_.place(x.id));
  }
  /// The result, if the record kept it.
  template <class T>
  Tensor<T> result() const {
    return tensor<T>({record_.kept[3], id()});
  }

  /// The gradient of the result. It may be uniform.
  template <class T>
  Tensor<T> gradient() const {
    return Access::tensor<T>(retain(sweep_.current_.block), sweep_.place(sweep_.current_.id));
  }
  /// Leaves the gradient of this result, one of several, to the record of the first.
  void leave_gradient(std::uint32_t first, int result) const {
    sweep_.leave_gradient(first, result);
  }
  /// The gradient of a further result of an operation with several; empty if none has arrived.
  template <class T>
  Tensor<T> further_gradient(int result) const {
    return sweep_.further_gradient<T>(result);
  }
  /// Frees the gradients of the further results.
  void drop_further_gradients() const { sweep_.drop_further_gradients(); }
  /// Moves the gradient of the result to the caller, who may overwrite it. Call it last.
  template <class T>
  Tensor<T> take_gradient() const {
    return Access::tensor<T>(std::exchange(sweep_.current_.block, nullptr),
                             sweep_.place(sweep_.current_.id));
  }
  template <class T>
  Tensor<T> gradient(bool last) const {
    return last ? take_gradient<T>() : gradient<T>();
  }
  Block* gradient_block() const { return sweep_.current_.block; }

  /// Adds to the gradient of an input, after summing over axes that were broadcast.
  template <class T>
  void give(std::uint32_t id, Tensor<T>&& part) const {
    sweep_.give(id, std::move(part));
  }
  /// Adds to the gradient of input k a part that is not computed yet. `last` is true if the
  /// gradient of the result is not needed after this.
  template <class T>
  void give(int k, const Product& product, bool) const {
    sweep_.give_product<T>(record_, k, product);
  }
  template <class T>
  void give(int k, Upstream, bool last) const {
    give(record_.inputs[k], gradient<T>(last));
  }
  /// The gradient of an input as a dense block that a vjp may add to, zeros if none has arrived.
  template <class T>
  Block* dense_gradient(std::uint32_t id) const {
    return sweep_.dense_gradient<T>(id);
  }
  /// The gradient of an input for a vjp that adds to `count` places of an axis, and lists them if
  /// asked to.
  template <class T>
  RowGradient row_gradient(std::uint32_t id, std::int64_t count, int axis) const {
    return sweep_.row_gradient<T>(id, count, axis);
  }
  /// The gradient of an input, if a kernel may add to it in place; otherwise null.
  Block* accumulator(std::uint32_t id) const {
    if (is_recorded()) return nullptr;
    Block* block = sweep_.slot(id).block;
    return block && Sweep::writable(block) ? block : nullptr;
  }
  /// The gradient of the result, if nothing else reads it any more: the block then belongs to the
  /// caller. Otherwise null.
  Block* reuse_gradient() const {
    Block*& block = sweep_.current_.block;
    return !is_recorded() && Sweep::writable(block) ? std::exchange(block, nullptr) : nullptr;
  }
  /// A block that the record kept, if nothing else holds it: it then belongs to the caller.
  /// Otherwise null.
  Block* reuse_kept(int k) const {
    Block*& kept = record_.kept[k];
    return consumes() && kept && Sweep::writable(kept) ? std::exchange(kept, nullptr) : nullptr;
  }

 private:
  Sweep& sweep_;
  Record& record_;
};

}  // namespace ebb::inline v0::detail
