// SPDX-License-Identifier: BSD-3-Clause
// How operations are recorded: one 64-byte record each, in creation order, in pooled chunks.
#pragma once
#include <bit>
#include <memory>
#include <string_view>
#include <vector>

#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/scope.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0::detail {

class Sweep;
struct Record;

/// What is known of an operation at compile time. One constant an operation and element type.
struct Op {
  std::string_view name;
  /// Gives each input that the sweep needs its part of the gradient. Null for leaves.
  void (*vjp)(Sweep& sweep, std::uint32_t id, Record& record) = nullptr;
  bool wide = false;             ///< inputs and kept blocks stand in a `Wide` in kept[0]
  bool attribute_block = false;  ///< the attributes do not fit into the record
  bool is_double = false;        ///< of the result
  bool elementwise = false;      ///< the Jacobian is diagonal, but for broadcasting
  /// Ends the life of what stands in the attribute block; null where that needs no end.
  void (*destroy)(Block* attributes) = nullptr;
  /// What a record calls itself, where that is not the name above.
  std::string_view (*name_of)(const Record& record) = nullptr;
};

/// One recorded operation.
struct Record {
  /// An input id: 0 is a constant, `number` a plain number whose bits stand in `kept`.
  static constexpr std::uint32_t constant = 0, number = 0xffffffff;

  const Op* op;
  Block* kept[4];  ///< what the vjp reads: inputs 0 to 2, the output in 3
  union {
    std::uint64_t bits;  ///< options of up to eight bytes
    Block* block;        ///< larger options
  } attributes;
  std::uint32_t inputs[3];
  std::uint32_t shape;  ///< index of the output's shape
};
static_assert(sizeof(Record) == 64);

/// The name of a record's operation, for people.
inline std::string_view name_of(const Record& record) {
  return record.op->name_of ? record.op->name_of(record) : record.op->name;
}

/// The inputs of an operation that takes more than three, or that keeps more than four blocks. As
/// in a record, a number's bits stand in the place of its block.
struct Wide {
  struct Entry {
    Block* kept;
    std::uint32_t id;
  };
  std::uint32_t count;
  Entry entries[1];

  static std::size_t bytes(std::size_t count) { return sizeof(Wide) + count * sizeof(Entry); }
};

/// A number's bits in the place of a block, and back.
inline Block* number_bits(double number) {
  return reinterpret_cast<Block*>(std::bit_cast<std::uint64_t>(number));
}
inline double number_of(const Block* bits) {
  return std::bit_cast<double>(reinterpret_cast<std::uint64_t>(bits));
}

/// The entries of a wide record.
inline Wide& wide_of(const Record& record) { return *record.kept[0]->data<Wide>(); }

/// Calls f(id) for every input of a record that was itself recorded.
template <class F>
void for_each_input(const Record& record, F f) {
  if (record.op->wide) {
    const Wide& wide = wide_of(record);
    for (std::uint32_t i = 0; i < wide.count; ++i) {
      const std::uint32_t id = wide.entries[i].id;
      if (id != Record::constant && id != Record::number) f(id);
    }
    return;
  }
  for (std::uint32_t id : record.inputs) {
    if (id != Record::constant && id != Record::number) f(id);
  }
}

/// Calls f(id, kept) for every input of which a record knows anything: those that were recorded,
/// numbers, and constants that it keeps.
template <class F>
void for_each_argument(const Record& record, F f) {
  const auto visit = [&](std::uint32_t id, const Block* kept) {
    if (id != Record::constant || kept) f(id, kept);
  };
  if (record.op->wide) {
    const Wide& wide = wide_of(record);
    for (std::uint32_t i = 0; i < wide.count; ++i) visit(wide.entries[i].id, wide.entries[i].kept);
    return;
  }
  for (int k = 0; k < 3; ++k) visit(record.inputs[k], record.kept[k]);
}

/// Releases what a record holds, once.
void drop_wide(Record& record);
inline void drop(Record& record) {
  if (record.op->wide) drop_wide(record);
  for (int k = 0; k < 3; ++k) {
    if (record.kept[k] && record.inputs[k] != Record::number) release(record.kept[k]);
  }
  if (record.kept[3]) release(record.kept[3]);
  if (record.op->attribute_block) {
    if (record.op->destroy) record.op->destroy(record.attributes.block);
    release(record.attributes.block);
  }
}

/// A variable on a tape. The tape holds its cell; the cell knows nothing of the tape.
struct Leaf {
  void* cell;
  std::uint32_t id;
  bool is_double;

  /// Calls f with the cell, whose type it has forgotten.
  template <class F>
  EBB_INLINE void visit(const F& f) const {
    if (is_double) {
      f(static_cast<Cell<double>*>(cell));
    } else {
      f(static_cast<Cell<float>*>(cell));
    }
  }
};

/// The records of a tape.
class Recorder {
 public:
  Recorder();
  ~Recorder();
  Recorder(const Recorder&) = delete;

  std::uint64_t generation() const { return generation_; }
  /// Ids run from 1 to `last()`.
  std::uint32_t last() const { return count_ - 1; }
  Record& at(std::uint32_t id) { return chunks_[id / chunk][id % chunk]; }
  const Shape& shape_of(std::uint32_t id) { return shapes_[at(id).shape]; }
  const Shape& shape_at(std::uint32_t index) const { return shapes_[index]; }

  /// The id of an operand. @throws TapeError for one whose gradient would be cut.
  std::uint32_t admit(std::string_view operation, Place place) const {
    if (place.tape == generation_) return place.record;
    if (!place.is_constant()) [[unlikely]]
      throw_foreign(operation, place);
    return Record::constant;
  }

  /// The next record, with constant inputs and nothing kept: to be filled, then published.
  /// Throws, if at all, before anything has changed.
  EBB_HOT Record& next(const Op& op, const Shape& shape, std::uint32_t like = 0) {
    if (count_ >= capacity_) [[unlikely]]
      grow();
    const std::uint32_t index = intern(shape, like);
    Record& record = at(count_);
    record = {&op, {}, {0}, {}, index};
    return record;
  }
  /// The next record of a wide operation, whose entries have no value yet.
  Record& next_wide(const Op& op, const Shape& shape, std::size_t entries) {
    BlockHandle wide(allocate_bytes(Wide::bytes(entries)));
    Record& record = next(op, shape);
    wide->data<Wide>()->count = std::uint32_t(entries);
    record.kept[0] = wide.take();
    return record;
  }
  /// The record that was filled is now part of the tape, and this is its result's place.
  Place publish(Block* result) {
    const std::uint32_t id = count_++;
    if (scope_serial != quiet_scope_) [[unlikely]]
      note(id, result);
    return {generation_, id};
  }
  Place place(std::uint32_t id) const { return {generation_, id}; }

  /// From now on results are checked, and kept, as these say.
  void observe(bool check_finite, bool keep_values);
  bool observes() const { return observer_ != nullptr; }
  bool checks_finite() const { return observer_ && observer_->check_finite; }
  /// @throws NonFiniteError when a result has a NaN or an infinity.
  void check(std::string_view operation, Block* result, bool is_double) const;
  /// The result of a record, or null if values are not kept.
  Block* value_of(std::uint32_t id) const;
  /// The path of the scope that a record stands in.
  const std::string& scope_of(std::uint32_t id) const;

  template <class T>
  std::uint32_t leaf(Cell<T>* cell);
  /// The id of a cell's leaf, or 0.
  std::uint32_t find_leaf(const void* cell) const;
  const std::vector<Leaf>& leaves() const { return leaves_; }

  /// Drops the last record.
  void pop() { pop(at(count_ - 1)); }
  void pop(Record& last) {
    if (last.op->vjp) drop(last);  // a leaf holds nothing
    --count_;
  }
  /// Drops all records after this one.
  void truncate(std::uint32_t last);
  /// Drops everything; handles to the records are stale from now on.
  void reset();
  /// Makes all handles stale, while the records stay.
  void renew_generation();

 private:
  static constexpr std::uint32_t chunk = 1024;
  struct FreeBlock {
    void operator()(Record* records) const;
  };

  [[noreturn]] void throw_foreign(std::string_view operation, Place place) const;
  void grow();
  /// The index of a shape, which often is that of `like`.
  std::uint32_t intern(const Shape& shape, std::uint32_t like) {
    if (shape.rank() == 0) return 0;
    if (like != Record::constant && like != Record::number && shape_of(like) == shape) {
      return at(like).shape;
    }
    return intern_new(shape);
  }
  std::uint32_t intern_new(const Shape& shape) {
    if (shapes_.back() == shape) return shape_count_ - 1;
    shapes_.push_back(shape);
    return shape_count_++;
  }
  std::size_t slot_of(const void* cell) const;
  void note(std::uint32_t id, Block* result);
  void enter_scope(std::uint64_t serial);
  void make_room_in_table();

  std::uint64_t generation_;
  std::uint32_t count_ = 1, capacity_ = 0;
  std::vector<std::unique_ptr<Record[], FreeBlock>> chunks_;
  std::vector<Shape> shapes_{Shape()};  // a scalar's first
  std::uint32_t shape_count_ = 1;       // their number, which a vector finds by a division
  std::vector<Leaf> leaves_;
  // Open addressing: cell -> 1 + index in leaves_; made when there are more than a few.
  std::vector<std::uint32_t> leaf_table_;

  // What few tapes have: checks and values of results, and names of parts.
  struct Observer {
    bool check_finite, keep_values;
    std::vector<BlockHandle> values;  // by id
  };
  std::unique_ptr<Observer> observer_;
  struct Part {
    std::uint32_t first;  // the id of its first record; it ends where the next one begins
    std::string path;
  };
  std::vector<Part> parts_;
  std::uint64_t noted_scope_ = 0;  // the scope of the last part
  // A record that is made in this scope needs no note: the noted one's or, while there is an
  // observer, none.
  std::uint64_t quiet_scope_ = 0;
};

/// @throws NonFiniteError that begins with `what` if a value is NaN or infinite.
void demand_finite(const std::string& what, Block* block, bool is_double);

/// The records that operations of this thread go to, or null.
extern constinit thread_local Recorder* current_recorder;
inline Recorder* recorder() { return current_recorder; }
/// Sets what `recorder()` returns, and returns what it was.
inline Recorder* exchange_recorder(Recorder* recorder) {
  return std::exchange(current_recorder, recorder);
}

/// Lets operations of this thread record here, until the end of the scope; null pauses.
class RecordTo {
 public:
  explicit RecordTo(Recorder* to) : before_(exchange_recorder(to)) {}
  ~RecordTo() { exchange_recorder(before_); }
  RecordTo(const RecordTo&) = delete;

 private:
  Recorder* before_;
};

/// What an operation reads of an operand. A number has no block, and `Record::number` for its id.
template <class T>
struct Argument {
  Block* block;
  std::uint32_t id;
  T number;
};

/// What becomes of an operation's result: it is recorded if one of the operands is on the tape.
struct Inputs {
  Recorder* tape = recorder();
  bool recorded = false;   ///< one of them is on the tape
  bool untracked = false;  ///< nothing records, and one of them is not a constant

  /// Reads the next operand. @throws TapeError for one whose gradient would be cut.
  template <class T>
  EBB_INLINE Argument<T> read(std::string_view operation, const Operand<T>& x) {
    const Source<T> source = Access::source(x, operation);
    if (source.is_number()) return {nullptr, Record::number, source.number};
    return {source.block, source.cell ? leaf(source.cell) : admit(operation, source.tensor), T(0)};
  }
  /// A result that is not recorded, from an owned block. A tape that checks looks at it all the
  /// same.
  template <class T>
  EBB_INLINE Tensor<T> unrecorded(std::string_view operation, Block* y) const {
    if (tape && tape->checks_finite()) [[unlikely]] {
      BlockHandle owner(y);
      tape->check(operation, y, sizeof(T) == 8);
      owner.take();
    }
    return Access::tensor<T>(y, {untracked ? Place::untracked : Place::constant, 0});
  }

 private:
  EBB_INLINE std::uint32_t admit(std::string_view operation, Place place) {
    if (!tape) {
      untracked |= !place.is_constant();
      return Record::constant;
    }
    const std::uint32_t id = tape->admit(operation, place);
    recorded |= id != Record::constant;
    return id;
  }
  template <class T>
  EBB_INLINE std::uint32_t leaf(Cell<T>* cell) {
    (tape ? recorded : untracked) = true;
    return tape ? tape->leaf(cell) : Record::constant;
  }
};

}  // namespace ebb::inline v0::detail
