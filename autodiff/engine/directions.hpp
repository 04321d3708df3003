// SPDX-License-Identifier: BSD-3-Clause
// A sweep of several directions together, each with a gradient of its own for every record: their
// number is a further axis in front. A record of small arrays then costs its operation once for all
// of them.
#pragma once
#include <span>
#include <vector>

#include "ebb/autodiff/engine/sweep.hpp"

namespace ebb::inline v0::detail {

/// A shape with the axis of the directions in front.
Shape with_directions(std::int64_t count, const Shape& shape);

/// The records between an output and others of a tape. The sweeps neither change nor extend it, nor
/// are they recorded.
class DirectionSweep {
 public:
  /// The ids of the output and of what is differentiated.
  DirectionSweep(Records& tape, std::uint32_t output, std::span<const std::uint32_t> points);
  DirectionSweep(const DirectionSweep&) = delete;

  /// The number of directions, at most `wanted`, whose gradients of the largest record fit into a
  /// part of the second-level cache.
  std::int64_t fitting(std::int64_t wanted) const;
  /// Sweeps `count` directions. `seeds` has `count` gradients of the output, one after the other.
  void run(BlockHandle seeds, std::int64_t count);
  /// The gradients that arrived at a point, one after the other; null if none has.
  BlockHandle take(std::uint32_t point);

 private:
  friend class DirectionsContext;

  bool is_between(std::uint32_t id) const { return id - low_ <= high_ - low_; }
  void visit(std::uint32_t id, Record& record);
  /// Leaves the gradients of a further result to the record of the first.
  void leave(const Record& record);
  /// Runs the vjp of a record for one direction.
  template <class T>
  void run_one(std::uint32_t id, Tensor<T>&& gradient);
  /// Takes what it has given to an input; null if nothing.
  BlockHandle arrived(std::uint32_t input);
  /// Runs it for one direction after the other.
  template <class T>
  void run_each(std::uint32_t id, Record& record);
  template <class T>
  bool run_slopes(std::uint32_t id, Record& record);
  BlockHandle& slot(std::uint32_t id) { return gradients_[id - low_]; }

  Records& tape_;
  std::uint32_t low_, high_;
  Sweep one_;  // of a single direction
  std::vector<BlockHandle> gradients_;
  /// The gradients of further results.
  struct Left {
    std::uint32_t first;
    int result;
    BlockHandle block;
  };
  std::vector<Left> left_;
  BlockHandle current_;  // the gradients of the record that is visited
  std::int64_t count_ = 0;
};

/// A view, passed by value, of what the rule of a record for several directions works with. A block
/// of gradients has those of one direction after those of another, in any shape.
class DirectionsContext {
 public:
  DirectionsContext(DirectionSweep& sweep, std::uint32_t id, Record& record)
      : sweep_(sweep), record_(record), id_(id) {}

  Records& tape() const { return sweep_.tape_; }
  Record& record() const { return record_; }
  std::uint32_t id() const { return id_; }
  /// The number of directions.
  std::int64_t count() const { return sweep_.count_; }
  /// The shape of the result.
  const Shape& shape() const { return tape().shape_at(record_.shape); }
  bool needs(std::uint32_t id) const { return sweep_.one_.needs(id); }
  /// The gradients of the result.
  Block* gradients() const { return sweep_.current_.get(); }

  /// Adds to the gradients of an input parts of this shape, after summing over axes that were
  /// broadcast.
  template <class T>
  void give(std::uint32_t id, BlockHandle parts, const Shape& shape) const;
  /// Adds the gradients of the result, times slopes of the shape of the result. Nothing passes
  /// where either is 0.
  template <class T>
  void give_scaled(std::uint32_t id, Block* slopes) const;
  /// Adds a product that is left to the engine, of matrices or of `batches` pairs of them.
  template <class T>
  void give_product(int k, const Product& product, std::int64_t batches) const;
  /// The gradients of an input, if a kernel may add to them in place; otherwise null.
  Block* accumulator(std::uint32_t id) const {
    Block* block = sweep_.slot(id).get();
    return block && Sweep::writable(block) ? block : nullptr;
  }
  /// The gradients of an input as a block to add to, zeros if none have arrived.
  template <class T>
  Block* dense_gradients(std::uint32_t id) const;

 private:
  DirectionSweep& sweep_;
  Record& record_;
  std::uint32_t id_;
};

}  // namespace ebb::inline v0::detail
