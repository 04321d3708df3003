// SPDX-License-Identifier: BSD-3-Clause
// What an operation accepts: an array, a tensor, a variable or a number, told apart by a tag.
#pragma once
#include <concepts>
#include <cstdint>

#include "ebb/autodiff/values/memory.hpp"

namespace ebb::inline v0 {

/// The element types that are differentiated.
template <class T>
concept Real = std::same_as<T, float> || std::same_as<T, double>;

namespace detail {

/// Where a tensor stands: constant, computed from a variable while nothing recorded, or a record of
/// a tape. Tapes are told apart by a generation that is never used again.
struct Place {
  std::uint64_t tape = constant;
  std::uint32_t record = 0;

  static constexpr std::uint64_t constant = 0, untracked = 1, first_tape = 2;
  bool is_constant() const { return tape == constant; }
};

struct Access;

}  // namespace detail

/// The common base of `Array<T>`, `Tensor<T>` and `Variable<T>`, which mix freely in every
/// operation. It owns nothing and is never made by itself.
template <class T>
class Operand {
 protected:
  enum class Kind : std::uintptr_t { array, tensor, variable, number };

  EBB_INLINE Operand(const void* object, Kind kind) : word_(tagged(object, kind)) {}
  Operand(const Operand&) = default;
  Operand& operator=(const Operand&) = default;
  ~Operand() = default;

  EBB_INLINE Kind kind() const { return Kind(word_ & 3); }
  template <class Object>
  EBB_INLINE Object* object() const {
    return reinterpret_cast<Object*>(word_ & ~std::uintptr_t(3));
  }
  /// The same where the kind is known: the tag then vanishes in the address of a member.
  template <class Object>
  EBB_INLINE Object* object(Kind kind) const {
    return reinterpret_cast<Object*>(word_ - std::uintptr_t(kind));
  }
  EBB_INLINE void set(const void* object, Kind kind) { word_ = tagged(object, kind); }

 private:
  friend struct detail::Access;
  // Blocks and cells are aligned to 16 bytes or more, which leaves room for the tag.
  EBB_INLINE static std::uintptr_t tagged(const void* object, Kind kind) {
    return reinterpret_cast<std::uintptr_t>(object) | std::uintptr_t(kind);
  }
  std::uintptr_t word_;
};

/// A plain number in the place of an operand; operators make it, users write `2.0 * x`.
template <Real T>
class Number : public Operand<T> {
 public:
  EBB_INLINE explicit Number(double value)
      : Operand<T>(nullptr, Operand<T>::Kind::number), value_(T(value)) {}
  EBB_INLINE T value() const { return value_; }

 private:
  T value_;
};

}  // namespace ebb::inline v0
