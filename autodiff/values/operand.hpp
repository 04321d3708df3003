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

/// The element types that are not differentiated.
template <class T>
concept Label = std::same_as<T, std::int64_t> || std::same_as<T, bool>;
/// Whether arrays have such elements; as a constant, since a compiler explains a concept at length.
template <class T>
constexpr bool is_element = Real<T> || Label<T>;

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

template <class T>
class Operand;

/// The elements begin, begin + step, ... before end along one axis; a negative begin or end counts
/// from the end of the axis.
struct SliceRange {
  std::int64_t begin = 0;
  std::int64_t end = INT64_MAX;
  std::int64_t step = 1;
};

template <Real T>
class Tensor;

namespace detail {
/// One line of advice where an operand stands for a number.
template <class U>
U refuse_as_number() {
  static_assert(sizeof(U) == 0,
                "this is not a number: x.item() is the value of one element, and functions of "
                "arrays are written without std::, as in exp(x)");
  return U();
}
/// @throws ArgumentError for an empty operand.
template <class T>
EBB_API const Shape& shape_of(const Operand<T>& x);
// Defined with the operations of shapes.
template <Real T>
EBB_API Tensor<T> element(const Operand<T>& x, std::int64_t index);
template <Real T>
EBB_API Tensor<T> rows(const Operand<T>& x, SliceRange range);
}  // namespace detail

/// The common base of `Array<T>`, `Tensor<T>` and `Variable<T>`, which every operation takes in any
/// mixture. It owns nothing, and has no objects that are nothing else.
template <class T>
class Operand {
 public:
  /// @throws ArgumentError for an empty handle.
  EBB_INLINE const Shape& shape() const { return detail::shape_of(*this); }
  /// The part of x at an index of the first axis, which the result lacks: an element of a vector, a
  /// row of a matrix. A negative index counts from the end. It is recorded as every operation is.
  /// @throws ArgumentError for an index outside of the axis, and for a scalar.
  template <Real U = T>
  EBB_INLINE Tensor<U> operator[](std::int64_t index) const {
    return detail::element<U>(*this, index);
  }
  /// The parts at a range of the first axis, as `slice` of axis 0: `x[{2, 5}]` has three.
  template <Real U = T>
  EBB_INLINE Tensor<U> operator[](SliceRange range) const {
    return detail::rows<U>(*this, range);
  }

  /// Does not compile, as a number that an operand is taken for has no gradient.
  template <std::same_as<double> U>
  EBB_INLINE operator U() const {
    return detail::refuse_as_number<U>();
  }

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

}  // namespace ebb::inline v0
