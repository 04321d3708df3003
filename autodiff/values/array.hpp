// SPDX-License-Identifier: BSD-3-Clause
// Arrays of numbers: values that are cheap to copy.
#pragma once
#include <initializer_list>
#include <iosfwd>
#include <span>

#include "ebb/autodiff/values/operand.hpp"

namespace ebb::inline v0 {

template <class T>
class Array;

namespace detail {
/// The shape of an empty handle, (0,).
EBB_API const Shape& no_elements();
/// The values of a tensor. @throws TapeError if it is recorded.
template <Real T>
EBB_API Array<T> unrecorded_values(const Tensor<T>& tensor);
}  // namespace detail

/// A dense, row-major array: a value that copies on write. Copies share their elements until a copy
/// is changed through `mutate()`. T is float, double, std::int64_t or bool.
template <class T>
class EBB_API Array : public Operand<T> {
  static_assert(detail::is_element<T>,
                "the elements of an Array are float, double, std::int64_t or bool: for int write "
                "Array<std::int64_t>");

 public:
  using value_type = T;

  /// An empty handle: `empty()` is true, and the shape is (0,).
  EBB_INLINE Array() : Operand<T>(nullptr, Operand<T>::Kind::array) {}
  /// A scalar.
  explicit Array(T value);
  /// An array of the values in row-major order.
  /// @throws ShapeError unless they fill the shape.
  Array(const Shape& shape, std::initializer_list<T> values);
  Array(const Shape& shape, std::span<const T> values);
  /// The values of a tensor that is not recorded.
  /// @throws TapeError for one that is, since an array has no gradient: `array()` takes its values.
  template <Real U>
  requires std::same_as<U, T> EBB_INLINE Array(const Tensor<U>& tensor)
      : Array(detail::unrecorded_values(tensor)) {}

  EBB_INLINE Array(const Array& other) : Operand<T>(other) {
    if (block()) detail::retain(block());
  }
  EBB_INLINE Array(Array&& other) noexcept : Operand<T>(other) {
    other.set(nullptr, Operand<T>::Kind::array);
  }
  EBB_INLINE Array& operator=(Array other) noexcept {
    detail::Block* mine = block();
    this->set(other.block(), Operand<T>::Kind::array);
    other.set(mine, Operand<T>::Kind::array);
    return *this;
  }
  EBB_INLINE ~Array() {
    if (block()) detail::release(block());
  }

  /// An array with one axis; or a matrix, given by its rows. Rows of one value each might be read
  /// as values in braces: as a template, the first of the two is taken only if the other does not
  /// fit. `of({})` has the shape (0,).
  template <int axes = 1>
  EBB_INLINE static Array of(std::initializer_list<T> values) {
    return Array({std::int64_t(values.size())}, values);
  }
  static Array of(std::initializer_list<std::initializer_list<T>> rows);
  static Array zeros(const Shape& shape);
  static Array ones(const Shape& shape);
  static Array full(const Shape& shape, T value);
  /// The matrix with ones on its diagonal, and zeros elsewhere; square without `columns`.
  static Array eye(std::int64_t rows, std::int64_t columns = -1);
  /// begin, begin + step, ... as long as they are before end; `arange(n)` is 0, 1, ..., n - 1. Each
  /// is computed as begin + i step, so that rounding does not add up.
  /// @throws ArgumentError for a step of 0 and for numbers that are not finite.
  static Array arange(T begin, T end, T step = T(1));
  EBB_INLINE static Array arange(T end) { return arange(T(0), end); }
  /// `count` numbers at equal distances, from `first` to `last`, which is met exactly.
  /// @throws ArgumentError for a negative count.
  static Array linspace(T first, T last, std::int64_t count) requires Real<T>;
  /// An array whose elements have no value yet.
  static Array uninitialized(const Shape& shape);

  EBB_INLINE bool empty() const { return block() == nullptr; }
  EBB_INLINE const Shape& shape() const { return block() ? block()->shape : detail::no_elements(); }
  EBB_INLINE int rank() const { return shape().rank(); }
  EBB_INLINE std::int64_t size() const { return shape().size(); }

  EBB_INLINE const T* data() const { return block() ? block()->template data<T>() : nullptr; }
  EBB_INLINE const T* begin() const { return data(); }
  EBB_INLINE const T* end() const { return data() + size(); }
  /// The element at a position in row-major order; not checked.
  EBB_INLINE T operator[](std::int64_t position) const { return data()[position]; }
  /// The element at one index for each axis.
  /// @throws ArgumentError for a wrong number of indices, and for one outside of the array.
  template <std::integral... Index>
  T operator()(Index... index) const {
    const std::int64_t indices[] = {std::int64_t(index)..., 0};
    return data()[position(std::span(indices, sizeof...(Index)))];
  }
  /// The value of an array with one element.
  /// @throws ShapeError for any other.
  T item() const;

  /// Makes the handle empty.
  EBB_INLINE void clear() {
    if (block()) detail::release(block());
    this->set(nullptr, Operand<T>::Kind::array);
  }
  /// The elements, for writing. Copies them first if another handle shares them.
  EBB_INLINE T* mutate() {
    if (!block()) return nullptr;
    if (!block()->is_sole() || block()->is_view()) [[unlikely]]
      unshare();
    return reinterpret_cast<T*>(block()->payload());
  }

  /// The elements in another shape of the same size.
  /// @throws ShapeError if the sizes differ.
  Array reshape(const Shape& shape) const;
  /// The elements in a shape of these sizes, of which one may be -1: it is what the others leave.
  EBB_INLINE Array reshape(std::initializer_list<std::int64_t> sizes) const {
    return reshape(inferred_shape(
        "reshape", std::span<const std::int64_t>(sizes.begin(), sizes.size()), shape()));
  }
  /// The elements [first, last) of the first axis, which share the storage of this array.
  /// @throws ArgumentError for a range outside of the axis, and for a scalar.
  Array leading(std::int64_t first, std::int64_t last) const;

 private:
  friend struct detail::Access;
  // A constructor from a pointer would make `Array<std::int64_t>(0)` ambiguous.
  struct Owned {
    detail::Block* block;
  };
  EBB_INLINE explicit Array(Owned owned) : Operand<T>(owned.block, Operand<T>::Kind::array) {}
  EBB_INLINE detail::Block* block() const {
    return this->template object<detail::Block>(Operand<T>::Kind::array);
  }
  /// Copies the elements, which other handles share.
  void unshare();
  std::int64_t position(std::span<const std::int64_t> index) const;
};

/// True if the shapes and all elements are equal.
template <class T>
EBB_API bool equal(const Array<T>& a, const Array<T>& b);

/// Prints rows in brackets, as NumPy does; long axes are shortened.
template <class T>
EBB_API std::ostream& operator<<(std::ostream& out, const Array<T>& array);

}  // namespace ebb::inline v0
