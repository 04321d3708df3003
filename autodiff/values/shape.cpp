// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/values/shape.hpp"

#include <algorithm>
#include <ostream>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0 {
namespace {

// A larger array fits into no address space, and byte counts could overflow.
constexpr std::int64_t max_elements = std::int64_t(1) << 46;

std::string list(std::span<const std::int64_t> sizes) {
  std::string text = "(";
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(sizes[i]);
  }
  return text + (sizes.size() == 1 ? ",)" : ")");
}

/// The error in sizes that a shape cannot have.
std::string complaint(std::span<const std::int64_t> sizes) {
  const std::string text = "shape " + list(sizes) + " has ";
  if (sizes.size() > std::size_t(Shape::max_rank)) {
    return text + "more than " + std::to_string(Shape::max_rank) + " axes";
  }
  if (*std::min_element(sizes.begin(), sizes.end()) < 0)
    return text + "a negative size; only reshape finds the size -1";
  return text + "more elements than an array can hold";
}
[[noreturn]] void refuse(std::span<const std::int64_t> sizes) {
  throw ShapeError(complaint(sizes));
}

}  // namespace

Shape::Shape(std::initializer_list<std::int64_t> sizes)
    : Shape(std::span<const std::int64_t>(sizes.begin(), sizes.size())) {}

EBB_HOT Shape::Shape(std::span<const std::int64_t> sizes) {
  if (sizes.size() > std::size_t(max_rank)) [[unlikely]]
    refuse(sizes);
  std::int64_t elements = 1, signs = 0;
  bool overflows = false;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    sizes_[i] = sizes[i];
    signs |= sizes[i];
    overflows |= __builtin_mul_overflow(elements, sizes[i], &elements);
  }
  if (signs < 0) [[unlikely]]
    refuse(sizes);
  if (overflows || elements > max_elements) [[unlikely]] {
    // If one size is 0, the others may be any size.
    if (std::find(sizes.begin(), sizes.end(), 0) == sizes.end()) {
      refuse(sizes);
    }
    elements = 0;
  }
  packed_ = elements << 8 | std::int64_t(sizes.size());
}

Shape inferred_shape(const char* operation, std::span<const std::int64_t> sizes,
                     const Shape& from) {
  const auto unknown = std::count(sizes.begin(), sizes.end(), -1);
  if (unknown == 0 || sizes.size() > std::size_t(Shape::max_rank)) return Shape(sizes);
  std::int64_t known[Shape::max_rank];
  std::copy(sizes.begin(), sizes.end(), known);
  std::int64_t& missing = *std::find(known, known + sizes.size(), -1);
  missing = 1;
  const auto others = std::span<const std::int64_t>(known, sizes.size());
  const std::int64_t size = unknown == 1 ? Shape(others).size() : 0;
  if (size == 0 || from.size() % size != 0) {
    throw ShapeError(
        std::string(operation) + ": " + to_string(from) + " cannot become " + list(sizes) +
        (unknown > 1 ? "; only one size may be -1"
         : size == 0
             ? "; beside a size of 0 any size fits, so write it"
             : "; the other sizes do not divide its " + std::to_string(from.size()) + " elements"));
  }
  missing = from.size() / size;
  return Shape(others);
}

Shape Shape::with(int axis, std::int64_t size) const {
  if (rank() == 0) return *this;
  std::int64_t sizes[max_rank];
  std::copy_n(sizes_, rank(), sizes);
  sizes[axis] = size;
  return Shape(std::span<const std::int64_t>(sizes, std::size_t(rank())));
}

Shape Shape::without(int axis) const {
  std::int64_t sizes[max_rank] = {};
  int n = 0;
  for (int i = 0; i < rank(); ++i) {
    if (i != axis) sizes[n++] = sizes_[i];
  }
  return Shape(std::span<const std::int64_t>(sizes, std::size_t(n)));
}

namespace detail {

Shape shape_for(std::string_view operation, std::span<const std::int64_t> sizes) {
  try {
    return Shape(sizes);
  } catch (const ShapeError&) {
    throw ShapeError(std::string(operation).append(": ").append(complaint(sizes)));
  }
}

}  // namespace detail

std::string to_string(const Shape& shape) { return list(shape.sizes()); }
std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << to_string(shape); }

int resolve_axis(const char* operation, int axis, const Shape& shape) {
  const int rank = shape.rank();
  if (axis < -rank || axis >= rank) {
    throw ArgumentError(std::string(operation) + ": axis " + std::to_string(axis) +
                        " of an array with " + std::to_string(rank) + " axes, of shape " +
                        to_string(shape));
  }
  return axis < 0 ? axis + rank : axis;
}

Shape broadcast(std::string_view operation, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const int rank = std::max(a.rank(), b.rank());
  std::int64_t sizes[Shape::max_rank] = {};
  for (int i = 1; i <= rank; ++i) {
    const std::int64_t p = i <= a.rank() ? a[a.rank() - i] : 1;
    const std::int64_t q = i <= b.rank() ? b[b.rank() - i] : 1;
    if (p != q && p != 1 && q != 1) {
      throw ShapeError(std::string(operation) + ": shapes " + to_string(a) + " and " +
                       to_string(b) + " do not broadcast; axis " + std::to_string(rank - i) +
                       " has sizes " + std::to_string(p) + " and " + std::to_string(q));
    }
    sizes[rank - i] = p == 1 ? q : p;
  }
  return detail::shape_for(operation, {sizes, std::size_t(rank)});
}

Axes::Axes(std::span<const int> axes) {
  if (axes.size() > std::size_t(Shape::max_rank)) {
    throw ArgumentError("a list of " + std::to_string(axes.size()) + " axes; arrays have at most " +
                        std::to_string(Shape::max_rank));
  }
  for (int axis : axes) axes_[count_++] = axis;
}

unsigned Axes::mask(const char* operation, const Shape& shape) const {
  const bool scalar = shape.rank() == 0;
  unsigned mask = 0;
  for (int i = 0; i < count_; ++i) {
    const bool of_scalar = scalar && (axes_[i] == 0 || axes_[i] == -1);
    const unsigned bit = of_scalar ? 1U : 1U << resolve_axis(operation, axes_[i], shape);
    if (mask & bit) {
      throw ArgumentError(std::string(operation) + ": axis " + std::to_string(axes_[i]) +
                          " is named twice");
    }
    mask |= bit;
  }
  return scalar ? 0 : mask;
}

}  // namespace ebb::inline v0
