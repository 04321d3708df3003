// SPDX-License-Identifier: BSD-3-Clause
// The arguments of operations: an array, a tensor, a variable or a number, distinguished by a tag.
#pragma once
#include <concepts>
#include <cstdint>

#include "ebb/autodiff/values/memory.hpp"

namespace ebb::inline v0 {

/// The element types that can be differentiated.
template <class T>
concept Real = std::same_as<T, float> || std::same_as<T, double>;

namespace detail {

/// The place of a tensor: constant, computed from a variable while no tape recorded, or a record of
/// a tape. Tapes have different generation numbers, which are never used again.
struct Place {
  std::uint64_t tape = constant;
  std::uint32_t record = 0;

  static constexpr std::uint64_t constant = 0, untracked = 1, first_tape = 2;
  bool is_constant() const { return tape == constant; }
};

struct Access;

}  // namespace detail

/// The common base of `Array<T>`, `Tensor<T>` and `Variable<T>`, which every operation takes in any
/// mixture. It owns nothing, and has no objects that are nothing else.
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
  /// As `object()`, for a known kind: the compiler folds the tag into the member's offset.
  template <class Object>
  EBB_INLINE Object* object(Kind kind) const {
    return reinterpret_cast<Object*>(word_ - std::uintptr_t(kind));
  }
  EBB_INLINE void set(const void* object, Kind kind) { word_ = tagged(object, kind); }

 private:
  friend struct detail::Access;
  // Blocks and cells are aligned to at least 16 bytes, so that the low bits can hold the tag.
  EBB_INLINE static std::uintptr_t tagged(const void* object, Kind kind) {
    return reinterpret_cast<std::uintptr_t>(object) | std::uintptr_t(kind);
  }
  std::uintptr_t word_;
};

/// A plain number in place of an operand. Operators make it; users write `2.0 * x`.
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
