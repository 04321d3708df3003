// SPDX-License-Identifier: BSD-3-Clause
// How operations are recorded: one record of 64 bytes each, in order of creation, in pooled chunks.
#pragma once
#include <bit>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/scope.hpp"
#include "ebb/autodiff/values/variable.hpp"

namespace ebb::inline v0::detail {

class VjpContext;
class DirectionsContext;
struct Record;

/// The properties of an operation that are known at compile time. There is one constant for each
/// operation and element type.
struct Op {
  std::string_view name;
  /// Gives each input that the sweep needs its part of the gradient. Null for leaves.
  void (*vjp)(VjpContext context) = nullptr;
  bool many_inputs = false;      ///< inputs and kept blocks are in a `ManyInputs`, which is kept[0]
  bool attribute_block = false;  ///< the attributes do not fit into the record
  bool is_double = false;        ///< the element type of the result
  bool elementwise = false;      ///< the Jacobian is diagonal, except for broadcasting
  bool has_further = false;      ///< the first of several results
  /// A further result: the first one is its only input, and its number the attributes.
  bool is_further = false;
  /// Destroys the object in the attribute block; null if there is nothing to destroy.
  void (*destroy)(Block* attributes) = nullptr;
  /// The name of a record, if it differs from `name`.
  std::string_view (*name_of)(const Record& record) = nullptr;
  /// The `vjp` for several directions at once. False if it has given nothing, since there is no
  /// room for a further axis. Null if it is run for one after the other.
  bool (*directions)(DirectionsContext context) = nullptr;
};

/// What an operation reads of an operand, and what its record keeps of it: a block, and the record
/// that computed it; or a plain number of the operation's element type. It owns nothing.
struct Argument {
  /// The ids of what is not recorded: a constant, and a number.
  static constexpr std::uint32_t constant = 0, number = 0xffffffff;

  union {
    Block* block = nullptr;
    float narrow;
    double wide;
  };
  std::uint32_t id = constant;  ///< the record, if it is on the tape

  Argument() = default;
  Argument(Block* x, std::uint32_t record) : block(x), id(record) {}
  explicit Argument(double value) : wide(value), id(number) {}
  explicit Argument(float value) : id(number) {
    // As many bytes as a record copies: it would wait for a narrower store.
    const std::uint64_t bits = std::bit_cast<std::uint32_t>(value);
    std::memcpy(static_cast<void*>(this), &bits, sizeof bits);
  }

  bool is_number() const { return id == number; }
  bool is_recorded() const { return id != constant && id != number; }
  /// The value of a number.
  template <class T>
  const T& value() const {
    if constexpr (sizeof(T) == 4) {
      return narrow;
    } else {
      return wide;
    }
  }
  /// This argument for a record, which owns a reference to the block.
  Argument keep() const {
    if (!is_number()) retain(block);
    return *this;
  }
};
static_assert(sizeof(Argument) == 16);

/// One recorded operation.
struct Record {
  const Op* op;
  Block* kept[4];  ///< the blocks that the vjp reads: inputs 0 to 2, and the output in 3
  union {
    std::uint64_t bits;  ///< options of up to eight bytes
    Block* block;        ///< larger options
  } attributes;
  std::uint32_t inputs[3];
  std::uint32_t shape;  ///< index of the output's shape

  /// Input k; the block is null if the record does not keep it. The bits of a number are in the
  /// place of a block.
  Argument input(int k) const {
    Argument x(nullptr, inputs[k]);
    std::memcpy(static_cast<void*>(&x), &kept[k], sizeof kept[k]);
    return x;
  }
  /// The value of input k, which is a number.
  template <class T>
  T number(int k) const {
    T value;
    std::memcpy(&value, &kept[k], sizeof value);
    return value;
  }
  /// Keeps input k, and takes over a reference.
  void keep_input(int k, const Argument& x) {
    std::memcpy(static_cast<void*>(&kept[k]), &x, sizeof kept[k]);
    inputs[k] = x.id;
  }
};
static_assert(sizeof(Record) == 64);

/// The name of a record's operation, for messages.
inline std::string_view name_of(const Record& record) {
  return record.op->name_of ? record.op->name_of(record) : record.op->name;
}

/// The inputs of an operation that takes more than three, or that keeps more than four blocks.
struct ManyInputs {
  std::uint32_t count;
  Argument inputs[1];

  static std::size_t bytes(std::size_t count) {
    return sizeof(ManyInputs) + count * sizeof(Argument);
  }
};

/// The inputs of a record that has many.
inline std::span<Argument> many_inputs_of(const Record& record) {
  auto& many = *record.kept[0]->data<ManyInputs>();
  return {many.inputs, many.count};
}

/// Keeps all inputs of a record that is not yet published.
inline void keep_inputs(Record& record, std::span<const Argument> inputs) {
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (record.op->many_inputs) {
      many_inputs_of(record)[k] = inputs[k].keep();
    } else {
      record.keep_input(int(k), inputs[k].keep());
    }
  }
}

/// Calls f(argument) for every input that is recorded, a number, or a constant that the record
/// keeps.
template <class F>
void for_each_argument(const Record& record, F f) {
  const auto visit = [&](const Argument& x) {
    if (x.id != Argument::constant || x.block) f(x);
  };
  if (record.op->many_inputs) {
    for (const Argument& x : many_inputs_of(record)) visit(x);
  } else {
    for (int k = 0; k < 3; ++k) visit(record.input(k));
  }
}

/// Calls f(id) for every input of a record that is recorded itself.
template <class F>
void for_each_input(const Record& record, F f) {
  for_each_argument(record, [&](const Argument& x) {
    if (x.is_recorded()) f(x.id);
  });
}

/// Releases the blocks of a record, once.
void drop_many_inputs(Record& record);
inline void drop(Record& record) {
  if (record.op->many_inputs) drop_many_inputs(record);
  for (int k = 0; k < 3; ++k) {
    if (record.kept[k] && record.inputs[k] != Argument::number) release(record.kept[k]);
  }
  if (record.kept[3]) release(record.kept[3]);
  if (record.op->attribute_block) {
    if (record.op->destroy) record.op->destroy(record.attributes.block);
    release(record.attributes.block);
  }
}

/// A variable on a tape. The tape holds its cell; the cell does not know the tape.
struct Leaf {
  void* cell;
  std::uint32_t id;
  bool is_double;

  /// Calls f with the cell, in its element type.
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
class Records {
 public:
  Records();
  ~Records();
  Records(const Records&) = delete;

  std::uint64_t generation() const { return generation_; }
  /// The largest id; ids start at 1.
  std::uint32_t last() const { return count_ - 1; }
  Record& at(std::uint32_t id) { return chunks_[id / chunk][id % chunk]; }
  const Shape& shape_of(std::uint32_t id) { return shapes_[at(id).shape]; }
  const Shape& shape_at(std::uint32_t index) const { return shapes_[index]; }

  /// The id of an operand.
  /// @throws TapeError for an operand whose gradient would be cut off.
  std::uint32_t admit(std::string_view operation, Place place) const {
    if (place.tape == generation_) return place.record;
    if (!place.is_constant()) [[unlikely]]
      throw_foreign(operation, place);
    return Argument::constant;
  }

  /// The next record, with constant inputs and nothing kept; fill it, then publish it. If it
  /// throws, nothing has changed.
  EBB_HOT Record& next(const Op& op, const Shape& shape, std::uint32_t like = 0) {
    if (count_ >= capacity_) [[unlikely]]
      grow();
    const std::uint32_t index = intern(shape, like);
    Record& record = at(count_);
    record = {&op, {}, {0}, {}, index};
    return record;
  }
  /// The next record of an operation with many inputs, which are not initialised.
  Record& next_wide(const Op& op, const Shape& shape, std::size_t inputs) {
    BlockHandle many(allocate_bytes(ManyInputs::bytes(inputs)));
    Record& record = next(op, shape);
    many->data<ManyInputs>()->count = std::uint32_t(inputs);
    record.kept[0] = many.take();
    return record;
  }
  /// Makes the filled record a part of the tape, and returns the place of its result.
  Place publish(Block* result) {
    const std::uint32_t id = count_++;
    if (scope_serial != quiet_scope_) [[unlikely]]
      note(id, result);
    return {generation_, id};
  }
  Place place(std::uint32_t id) const { return {generation_, id}; }

  /// From now on, checks results, and keeps their values, as given.
  void observe(bool check_finite, bool keep_values);
  bool observes() const { return observer_ != nullptr; }
  bool checks_finite() const { return observer_ && observer_->check_finite; }
  /// @throws NonFiniteError if a result has a NaN or an infinity.
  void check_result(std::string_view operation, Block* result, bool is_double) const;
  /// The result of a record; null if values are not kept.
  Block* value_of(std::uint32_t id) const;
  /// The path of the scope in which a record was made.
  const std::string& scope_of(std::uint32_t id) const;

  template <class T>
  std::uint32_t leaf(Cell<T>* cell);
  /// The id of the leaf of a cell; 0 if there is none.
  std::uint32_t find_leaf(const void* cell) const;
  const std::vector<Leaf>& leaves() const { return leaves_; }

  /// Removes the last record.
  void pop() { pop(at(count_ - 1)); }
  void pop(Record& last) {
    if (last.op->vjp) drop(last);  // a leaf holds nothing
    --count_;
  }
  /// Removes all records after this one.
  void truncate(std::uint32_t last);
  /// Removes all records. Handles to them are then stale.
  void reset();
  /// Makes all handles stale, but keeps the records.
  void renew_generation();

 private:
  static constexpr std::uint32_t chunk = 1024;
  struct FreeBlock {
    void operator()(Record* records) const;
  };

  [[noreturn]] void throw_foreign(std::string_view operation, Place place) const;
  void grow();
  /// The index of a shape, which is often that of the record `like`.
  std::uint32_t intern(const Shape& shape, std::uint32_t like) {
    if (shape.rank() == 0) return 0;
    if (like != Argument::constant && like != Argument::number && shape_of(like) == shape) {
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
  std::vector<Shape> shapes_{Shape()};  // the first is the shape of a scalar
  std::uint32_t shape_count_ = 1;  // the size of `shapes_`, which a vector computes by a division
  std::vector<Leaf> leaves_;
  // Open addressing: cell -> 1 + index in leaves_; made when there are more than a few leaves.
  std::vector<std::uint32_t> leaf_table_;

  // The members that few tapes use: checks and values of results, and the names of scopes.
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
  // The scope whose records need no note: that of the last part. With an observer every record
  // needs one, and this is the number of no scope.
  std::uint64_t quiet_scope_ = 0;
};

/// @throws NonFiniteError, whose message begins with `what`, if a value is NaN or infinite.
void check_finite_option(const std::string& what, Block* block, bool is_double);

/// The records that receive the operations of this thread; null if none do.
extern constinit thread_local Records* thread_records;
inline Records* current_records() { return thread_records; }
/// Sets the result of `current_records()`, and returns its earlier one.
inline Records* exchange_records(Records* records) {
  return std::exchange(thread_records, records);
}

/// Until the end of the scope, operations of this thread are recorded here; null pauses recording.
class RecordingScope {
 public:
  explicit RecordingScope(Records* to) : before_(exchange_records(to)) {}
  ~RecordingScope() { exchange_records(before_); }
  RecordingScope(const RecordingScope&) = delete;

 private:
  Records* before_;
};

/// Reads the operands of an operation, and decides whether its result is recorded: it is if an
/// operand is on the tape.
struct OperandReader {
  Records* tape = current_records();
  bool recorded = false;   ///< an operand is on the tape
  bool untracked = false;  ///< no tape records, and an operand is not a constant

  /// Reads the next operand.
  /// @throws TapeError for an operand whose gradient would be cut off.
  template <class T>
  EBB_INLINE Argument read(std::string_view operation, const Operand<T>& x) {
    const Contents<T> from = Access::contents(x, operation);
    if (from.is_number()) return Argument(from.number);
    return {from.block, from.cell ? leaf(from.cell) : admit(operation, from.tensor)};
  }
  /// A result that is not recorded, from a block that it takes over. A tape with check_finite
  /// checks it, too.
  template <class T>
  EBB_INLINE Tensor<T> unrecorded(std::string_view operation, Block* y) const {
    if (tape && tape->checks_finite()) [[unlikely]] {
      BlockHandle owner(y);
      tape->check_result(operation, y, sizeof(T) == 8);
      owner.take();
    }
    return Access::tensor<T>(y, {untracked ? Place::untracked : Place::constant, 0});
  }

 private:
  EBB_INLINE std::uint32_t admit(std::string_view operation, Place place) {
    if (!tape) {
      untracked |= !place.is_constant();
      return Argument::constant;
    }
    const std::uint32_t id = tape->admit(operation, place);
    recorded |= id != Argument::constant;
    return id;
  }
  template <class T>
  EBB_INLINE std::uint32_t leaf(Cell<T>* cell) {
    (tape ? recorded : untracked) = true;
    return tape ? tape->leaf(cell) : Argument::constant;
  }
};

}  // namespace ebb::inline v0::detail
