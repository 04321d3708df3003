// SPDX-License-Identifier: BSD-3-Clause
// The library's access to the private members of its handles.
#pragma once
#include <span>
#include <string_view>

#include "ebb/autodiff/values/number.hpp"

namespace ebb::inline v0 {

template <class T>
class Array;
template <Real T>
class Tensor;
template <Real T>
class Variable;

}  // namespace ebb::inline v0

namespace ebb::inline v0::detail {

template <class T>
struct Cell;

/// The place of a variable's value: a leaf of the current tape, or untracked.
template <class T>
Place leaf_of(Cell<T>* cell);
/// The message has no name if the caller does not know which operation it reads for.
[[noreturn]] void throw_empty_operand(std::string_view operation = {});

/// What an operand consists of. A number has no block.
template <class T>
struct Contents {
  Block* block = nullptr;
  Cell<T>* cell = nullptr;  ///< set if the operand is a variable that is trained
  Place tensor;             ///< set if the operand is a tensor
  T number = 0;

  bool is_number() const { return block == nullptr; }
  /// The place of the operand. It makes a variable a leaf of the current tape.
  Place place() const { return cell ? leaf_of(cell) : tensor; }
};

/// The values that replace variables while `functional_call` runs on this thread, the innermost
/// call first.
struct Substitution {
  struct Entry {
    const void* cell;
    bool is_double;  // the element type of the cell
    Block* block;
    Place place;
  };
  std::span<const Entry> entries;
  const Substitution* outer;

  /// The value that replaces a cell, or null.
  static const Entry* find(const void* cell);
};
extern constinit thread_local const Substitution* current_substitution;

/// During its life, the entries are used on this thread.
class SubstitutionScope {
 public:
  explicit SubstitutionScope(std::span<const Substitution::Entry> entries)
      : substitution_{entries, current_substitution} {
    current_substitution = &substitution_;
  }
  ~SubstitutionScope() { current_substitution = substitution_.outer; }
  SubstitutionScope(const SubstitutionScope&) = delete;

 private:
  Substitution substitution_;
};

struct Access {
  template <class T>
  static Block* block(const Array<T>& array) {
    return array.block();
  }
  template <class T>
  static Block* block(const Tensor<T>& tensor) {
    return tensor.block();
  }
  /// An array that takes over a reference.
  template <class T>
  static Array<T> array(Block* owned) {
    return Array<T>(typename Array<T>::Owned{owned});
  }
  /// A variable that takes over a reference.
  template <class T>
  static Variable<T> variable(Cell<T>* owned) {
    return Variable<T>(owned);
  }
  /// A tensor that takes over a reference.
  template <class T>
  static Tensor<T> tensor(Block* owned, Place place = {}) {
    Tensor<T> tensor;
    tensor.set(owned, Operand<T>::Kind::tensor);
    tensor.place_ = place;
    return tensor;
  }
  /// Takes the reference out of a tensor.
  template <class T>
  static Block* take(Tensor<T>&& tensor) {
    Block* block = tensor.block();
    tensor.set(nullptr, Operand<T>::Kind::tensor);
    return block;
  }
  template <class T>
  static Place place(const Tensor<T>& tensor) {
    return tensor.place_;
  }
  template <class T>
  static void set_place(Tensor<T>& tensor, Place place) {
    tensor.place_ = place;
  }
  /// Where a sweep starts, and its gradient there; no seed for the 1 of a scalar.
  struct Start {
    Place place;
    Block* seed;
    bool is_double;
  };
  static Start start(const auto& sweep_start) {
    return {sweep_start.place_, sweep_start.seed_.get(), sweep_start.is_double_};
  }
  static auto& records(const auto& tape) { return *tape.records_; }
  template <class T>
  static Cell<T>* cell(const Variable<T>& variable) {
    return variable.cell();
  }
  /// The cell of an operand that is a variable; otherwise null.
  template <class T>
  static Cell<T>* cell(const Operand<T>& x) {
    return x.kind() == Operand<T>::Kind::variable ? x.template object<Cell<T>>() : nullptr;
  }
  /// @throws ArgumentError, which names the operation, for an empty operand.
  template <class T>
  static Contents<T> contents(const Operand<T>& x, std::string_view operation = {});
  /// An operand, which must not be a number, as a tensor. A variable becomes a leaf.
  template <class T>
  static Tensor<T> as_tensor(const Operand<T>& x, std::string_view operation = {}) {
    const Contents<T> from = contents(x, operation);
    if (from.is_number()) throw_empty_operand(operation);
    return tensor<T>(retain(from.block), from.place());
  }
  /// The shape of an operand, which must not be a number.
  template <class T>
  static const Shape& shape(const Operand<T>& x, std::string_view operation = {}) {
    const Contents<T> from = contents(x, operation);
    if (from.is_number()) throw_empty_operand(operation);
    return from.block->shape;
  }
};

template <class T>
EBB_INLINE Contents<T> Access::contents(const Operand<T>& x, std::string_view operation) {
  using Kind = typename Operand<T>::Kind;
  Contents<T> from;
  const Kind kind = x.kind();
  if (kind == Kind::number) {
    from.number = static_cast<const Number<T>&>(x).value();
    return from;
  }
  if (kind == Kind::variable) {
    from.cell = x.template object<Cell<T>>(Kind::variable);
    if (from.cell) from.block = from.cell->value.block();
    if (current_substitution) [[unlikely]] {
      if (const auto* found = Substitution::find(from.cell)) {
        from = {.block = found->block, .tensor = found->place};
      }
    }
    if (from.cell && from.cell->is_frozen) [[unlikely]]
      from.cell = nullptr;
  } else {
    from.block = x.template object<Block>();
    if (kind == Kind::tensor) from.tensor = static_cast<const Tensor<T>&>(x).place_;
  }
  if (!from.block) [[unlikely]]
    throw_empty_operand(operation);
  return from;
}

}  // namespace ebb::inline v0::detail
