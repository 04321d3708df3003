// SPDX-License-Identifier: BSD-3-Clause
// The sizes of an array along its axes.
#pragma once
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "ebb/autodiff/values/platform.hpp"

namespace ebb::inline v0 {

namespace detail {
/// A container whose elements are next to each other, and are of this type.
template <class List, class T>
concept ListOf = std::convertible_to<const List&, std::span<const T>>;
}  // namespace detail

/// The sizes of an array along its axes, the outermost axis first. There are at most six axes,
/// stored in the object. The shape of a scalar has no axes and one element. A size may be 0.
class EBB_API Shape {
 public:
  static constexpr int max_rank = 6;

  EBB_INLINE Shape() {}  // a scalar
  EBB_INLINE Shape(const Shape& other) { *this = other; }
  EBB_INLINE Shape& operator=(const Shape& other) {
    packed_ = other.packed_;
    copy_sizes<0>(other);
    return *this;
  }
  /// @throws ShapeError for a negative size, too many axes, or more elements than memory can hold.
  Shape(std::initializer_list<std::int64_t> sizes);
  explicit Shape(std::span<const std::int64_t> sizes);
  /// From a list whose length is known at run time, such as a std::vector.
  template <detail::ListOf<std::int64_t> List>
  EBB_INLINE Shape(const List& sizes) : Shape(std::span<const std::int64_t>(sizes)) {}

  /// The number of axes.
  EBB_INLINE int rank() const { return int(packed_ & 0xff); }
  /// The number of elements.
  EBB_INLINE std::int64_t size() const { return packed_ >> 8; }
  /// The size along an axis in [0, rank).
  EBB_INLINE std::int64_t operator[](int axis) const { return sizes_[axis]; }
  EBB_INLINE std::span<const std::int64_t> sizes() const { return {sizes_, std::size_t(rank())}; }

  /// This shape with another size along one axis. For a scalar it is unchanged.
  Shape with(int axis, std::int64_t size) const;
  /// This shape without one axis.
  Shape without(int axis) const;

  friend EBB_INLINE bool operator==(const Shape& a, const Shape& b) {
    return a.packed_ == b.packed_ && a.equal_sizes<0>(b);
  }

 private:
  // Copied word by word, and no further than needed: a shape is often copied just after it was
  // made, and wider loads would wait for the narrow stores before them.
  template <int axis>
  EBB_INLINE void copy_sizes(const Shape& other) {
    if constexpr (axis < max_rank) {
      if (axis >= rank()) return;
      sizes_[axis] = other.sizes_[axis];
      copy_sizes<axis + 1>(other);
    }
  }
  template <int axis>
  EBB_INLINE bool equal_sizes(const Shape& other) const {
    if constexpr (axis < max_rank) {
      if (axis >= rank()) return true;
      return sizes_[axis] == other.sizes_[axis] && equal_sizes<axis + 1>(other);
    }
    return true;
  }

  std::int64_t packed_ = 1 << 8;  // the number of elements, above eight bits for the rank
  std::int64_t sizes_[max_rank];  // not initialised from `rank()` on
};
static_assert(sizeof(Shape) == 56);

/// The shape of these sizes, of which one may be -1: it is what the others leave of the elements of
/// `from`.
/// @throws ShapeError, which names the operation, if there is no such size.
EBB_API Shape inferred_shape(const char* operation, std::span<const std::int64_t> sizes,
                             const Shape& from);

/// The shape as text: "(32, 10)", "(3,)" or "()".
EBB_API std::string to_string(const Shape& shape);
EBB_API std::ostream& operator<<(std::ostream& out, const Shape& shape);

/// The axis in [0, rank) that an axis, which may be negative, means; -1 is the last.
/// @throws ArgumentError, which names the operation and the shape, if there is no such axis.
EBB_API int resolve_axis(const char* operation, int axis, const Shape& shape);

namespace detail {
/// The shape of the result of an operation, or of one of its steps.
/// @throws ShapeError, which names the operation, for a shape that an array cannot have.
Shape shape_for(std::string_view operation, std::span<const std::int64_t> sizes);
}  // namespace detail

/// The shape to which both shapes broadcast, by NumPy's rule: sizes are aligned at the last axis,
/// and a size of 1 is stretched.
/// @throws ShapeError, which names the operation and both shapes.
EBB_API Shape broadcast(std::string_view operation, const Shape& a, const Shape& b);

namespace detail {

/// The first member of options that may be given in place of another argument in braces: such
/// options are written by name only.
struct ByName {
  explicit ByName() = default;
};

}  // namespace detail

/// A list of axes, written `1`, `-1` or `{0, 2}`.
class EBB_API Axes {
 public:
  Axes(int axis) : axes_{axis}, count_(1) {}
  // Not a std::initializer_list: g++ would make one of `{.keepdim = true}`.
  template <std::same_as<int>... Int>
  requires(sizeof...(Int) != 1) Axes(Int... axes) : Axes(std::initializer_list<int>{axes...}, 0) {}
  explicit Axes(std::span<const int> axes);
  /// From a list whose length is known at run time, such as a std::vector.
  template <detail::ListOf<int> List>
  EBB_INLINE Axes(const List& axes) : Axes(std::span<const int>(axes)) {}
  /// One bit for each axis. For a scalar the axes 0 and -1 are allowed, and have no bit.
  /// @throws ArgumentError for an axis that is out of range or occurs twice.
  unsigned mask(const char* operation, const Shape& shape) const;

 private:
  Axes(std::initializer_list<int> axes, int)
      : Axes(std::span<const int>(axes.begin(), axes.size())) {}

  int axes_[Shape::max_rank] = {};
  int count_ = 0;
};

}  // namespace ebb::inline v0
