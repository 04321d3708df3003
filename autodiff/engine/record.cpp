// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/engine/record.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "ebb/autodiff/values/error.hpp"
#include "ebb/autodiff/values/instances.hpp"

namespace ebb::inline v0::detail {
namespace {

// Generations differ between all threads; each thread takes a million at a time.
std::uint64_t next_generation() {
  constexpr std::uint64_t batch = 1 << 20;
  static constinit std::atomic<std::uint64_t> reserved = Place::first_tape;
  constinit thread_local static std::uint64_t next = 0, end = 0;
  if (next == end) {
    next = reserved.fetch_add(batch, std::memory_order_relaxed);
    end = next + batch;
  }
  return next++;
}

template <class T>
constexpr Op leaf_op{.name = "leaf", .is_double = sizeof(T) == 8};

}  // namespace

constinit thread_local Records* thread_records = nullptr;

void drop_many_inputs(Record& record) {
  for (const Argument& x : many_inputs_of(record)) {
    if (x.block && !x.is_number()) release(x.block);
  }
}

Records::Records() : generation_(next_generation()) {}
Records::~Records() { reset(); }

void Records::FreeBlock::operator()(Record* records) const {
  release(reinterpret_cast<Block*>(reinterpret_cast<std::byte*>(records) - sizeof(Block)));
}

void Records::grow() {
  chunks_.reserve(chunks_.size() + 1);
  Block* block = allocate_bytes(chunk * sizeof(Record));
  chunks_.emplace_back(block->data<Record>());
  capacity_ += chunk;
}

// The table is used from this number of leaves on; a linear search of fewer leaves is faster.
constexpr std::size_t few_leaves = 8;

std::size_t Records::slot_of(const void* cell) const {
  // Fibonacci hashing of the address.
  const std::uint64_t hash = (reinterpret_cast<std::uintptr_t>(cell) >> 4) * 0x9e3779b97f4a7c15U;
  const std::size_t mask = leaf_table_.size() - 1;
  std::size_t slot = std::size_t(hash >> 40) & mask;
  while (leaf_table_[slot] && leaves_[leaf_table_[slot] - 1].cell != cell) slot = (slot + 1) & mask;
  return slot;
}

void Records::make_room_in_table() {
  const std::size_t filled_by_half = std::bit_ceil((leaves_.size() + 1) * 2);
  if (leaves_.size() > few_leaves && filled_by_half <= leaf_table_.size()) return;
  leaf_table_.assign(std::max(2 * filled_by_half, leaf_table_.size()), 0);
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    leaf_table_[slot_of(leaves_[i].cell)] = std::uint32_t(i + 1);
  }
}

std::uint32_t Records::find_leaf(const void* cell) const {
  if (leaves_.size() <= few_leaves) {
    for (const Leaf& leaf : leaves_) {
      if (leaf.cell == cell) return leaf.id;
    }
    return 0;
  }
  const std::uint32_t index = leaf_table_[slot_of(cell)];
  return index ? leaves_[index - 1].id : 0;
}

template <class T>
EBB_HOT std::uint32_t Records::leaf(Cell<T>* cell) {
  if (const std::uint32_t id = find_leaf(cell)) return id;
  const bool in_table = leaves_.size() >= few_leaves;
  if (in_table) [[unlikely]]
    make_room_in_table();
  next(leaf_op<T>, cell->value.shape());
  leaves_.push_back({cell, count_, sizeof(T) == 8});
  retain(cell);
  if (in_table) leaf_table_[slot_of(cell)] = std::uint32_t(leaves_.size());
  return publish(Access::block(cell->value)).record;
}
EBB_OVERLOAD_FOR_REALS(Records::leaf, std::uint32_t(Cell<T>*))

void Records::truncate(std::uint32_t last) {
  while (count_ - 1 > last) pop();
}

void Records::renew_generation() { generation_ = next_generation(); }

EBB_HOT void Records::reset() {
  if (count_ == 1 && leaves_.empty()) return;  // no handle is of this generation
  truncate(0);
  for (const Leaf& leaf : leaves_) {
    leaf.visit([](auto* cell) { release(cell); });
  }
  leaves_.clear();
  shapes_.erase(shapes_.begin() + 1, shapes_.end());
  shape_count_ = 1;
  if (observer_ || !parts_.empty()) [[unlikely]] {
    parts_.clear();
    enter_scope(0);
    if (observer_) observer_->values.clear();
  }
  renew_generation();
}

void Records::observe(bool check_finite, bool keep_values) {
  const bool any = check_finite || keep_values;
  observer_ = any ? std::make_unique<Observer>(Observer{check_finite, keep_values, {}}) : nullptr;
  enter_scope(noted_scope_);
}

void Records::enter_scope(std::uint64_t serial) {
  constexpr std::uint64_t no_scope = ~std::uint64_t{0};
  noted_scope_ = serial;
  quiet_scope_ = observer_ ? no_scope : serial;
}

void Records::note(std::uint32_t id, Block* result) {
  if (scope_serial != noted_scope_) {
    while (!parts_.empty() && parts_.back().first >= id) parts_.pop_back();
    parts_.push_back({id, NameScope::path()});
    enter_scope(scope_serial);
  }
  if (!observer_) return;
  if (observer_->keep_values) {
    observer_->values.resize(id + 1);
    observer_->values[id] = BlockHandle(retain(result));
  }
  if (observer_->check_finite) {
    const Record& record = at(id);
    check_result(name_of(record), result, record.op->is_double);
  }
}

void Records::check_result(std::string_view operation, Block* result, bool is_double) const {
  check_finite_option(std::string(operation) + ": the result", result, is_double);
}

Block* Records::value_of(std::uint32_t id) const {
  const bool kept = observer_ && id < observer_->values.size();
  return kept ? observer_->values[id].get() : nullptr;
}

const std::string& Records::scope_of(std::uint32_t id) const {
  static const std::string none;
  const std::string* path = &none;
  for (const Part& part : parts_) {
    if (part.first <= id) path = &part.path;
  }
  return *path;
}

void Records::throw_foreign(std::string_view operation, Place place) const {
  const std::string name(operation);
  if (place.tape == Place::untracked) {
    throw TapeError(name +
                    ": an operand was computed from a Variable while no tape recorded, so its "
                    "gradient would be lost; compute it inside the tape, use detach() to make it a "
                    "constant, or item() to add up a loss");
  }
  throw TapeError(
      name +
      ": an operand belongs to another tape, or to one that was released; compute it "
      "inside this tape, use detach() to make it a constant, or item() to add up a loss");
}

namespace {

template <class T>
std::int64_t first_not_finite(Block* block) {
  const T* values = block->data<T>();
  const std::int64_t n = block->is_uniform() ? 1 : block->shape.size();
  for (std::int64_t i = 0; i < n; ++i) {
    if (!std::isfinite(values[i])) return i;
  }
  return -1;
}

std::string index_of(std::int64_t position, const Shape& shape) {
  std::string text;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    text = std::to_string(position % shape[axis]) + (text.empty() ? "" : ", ") + text;
    position /= shape[axis];
  }
  return "[" + text + "]";
}

}  // namespace

void check_finite_option(const std::string& what, Block* block, bool is_double) {
  const std::int64_t at =
      is_double ? first_not_finite<double>(block) : first_not_finite<float>(block);
  if (at < 0) return;
  const double value = is_double ? block->data<double>()[at] : double(block->data<float>()[at]);
  throw NonFiniteError(what + " of shape " + to_string(block->shape) + " is " +
                       (std::isnan(value) ? "nan"
                        : value > 0       ? "inf"
                                          : "-inf") +
                       " at " + index_of(at, block->shape));
}

template <class T>
Place leaf_of(Cell<T>* cell) {
  Records* tape = current_records();
  if (!tape) return {Place::untracked, 0};
  return tape->place(tape->leaf(cell));
}
EBB_FOR_REALS(leaf_of)

void throw_empty_operand(std::string_view operation) {
  std::string message(operation);
  if (!message.empty()) message.append(": ");
  throw ArgumentError(
      message.append("an operand is empty: it was never given a value, or was moved from"));
}

}  // namespace ebb::inline v0::detail
